"""Questions to the database of a night, which may be away for a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import psycopg

from batch_jobs.engine.due import DueQuestion
from batch_jobs.installation import make_engine
from batch_jobs.store.database import Database
from batch_jobs_tests.faults.place import Place

Key = tuple[str, str, date]
_Result = TypeVar("_Result")

_STATE = """
    SELECT
        (SELECT count(*) FROM dagster.runs
         WHERE status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING')),
        (SELECT count(*) FROM dagster.job_ticks WHERE status = 'STARTED'),
        (SELECT coalesce(max(id), 0) FROM dagster.job_ticks),
        (SELECT count(*) FROM batch_jobs.job_runs WHERE ended_at IS NOT NULL),
        (SELECT count(*) FROM batch_jobs.outbox o JOIN batch_jobs.workspaces w USING (workspace_id)
         WHERE o.state = 'waiting' AND w.status = 'active')
"""
_ACTIVE = "SELECT job, workspace_id, run_date FROM batch_jobs.job_runs WHERE status IN ('pending', 'started')"
_DONE = """
    SELECT job, workspace_id, run_date FROM batch_jobs.job_runs WHERE status IN ('completed', 'warning')
"""


@dataclass(frozen=True)
class State:
    """How a night stands; nothing is known while the database is away.

    Attributes:
        unfinished: Dagster runs that have not ended.
        ticks: looks of schedules and sensors under way.
        newest_tick: the number of the latest of them.
        ended: job runs that have ended.
        waiting: messages of active workspaces in the outbox.
        active: job runs that have not ended.
        done: what has ended well.
    """

    unfinished: int = 1
    ticks: int = 1
    newest_tick: int = 0
    ended: int = 0
    waiting: int = 1
    active: set[Key] = field(default_factory=set)
    done: set[Key] = field(default_factory=set)


class Looks:
    """Looks at a night from outside, without helping it.

    Args:
        place: where it happens.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection: psycopg.Connection[Any] | None = None

    def state(self) -> State | None:
        """How it stands; None while the database is away."""

        def look(connection: psycopg.Connection[Any]) -> State:
            numbers = connection.execute(_STATE).fetchone() or ()
            return State(
                *numbers, set(connection.execute(_ACTIVE).fetchall()), set(connection.execute(_DONE).fetchall())
            )

        return self._try(look)

    def open_work(self) -> list[str] | None:
        """What is due or waits, in words; None while the database is away."""
        try:
            with Database(self._place.superuser_url) as database, database.reader() as connection:
                engine = make_engine(database, self._place.settings, clock=self._place.clock.now)
                question = DueQuestion(connection, engine.scheduled_jobs, now=self._place.clock.now())
                report = question.ask(engine.scheduled_jobs, missed=True)
        except Exception as error:
            return None if isinstance(error, psycopg.Error) else [f"{type(error).__name__}: {error}"]
        return [
            f"{item.job} {item.workspace_id} {item.run_date} {item.state} {item.reason}"
            for item in report.items
            if item.state != "skipped" or item.is_active or "no more attempts" in item.reason
        ]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]] | None:
        """The rows of a statement of the superuser."""

        def ask(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
            cursor = connection.execute(sql, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

        return self._try(ask)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _try(self, ask: Callable[[psycopg.Connection[Any]], _Result]) -> _Result | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._place.superuser_url, autocommit=True)
            return ask(self._connection)
        except psycopg.Error:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None
