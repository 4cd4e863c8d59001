"""What tests of the engine share: an engine with jobs of the test's own, workspaces with people, and what is stored."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import make_engine
from batch_jobs.projections.workforces import employees_in_scope
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction
from batch_jobs_tests import builders

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = date(2026, 11, 23)

LEDGER = ("batch_jobs.job_runs", "batch_jobs.job_run_errors", "batch_jobs.workers", "batch_jobs.schedule_cursors")
# Instants of the database's own clock.
UNSTEADY = ("recorded_at", "next_attempt_at")


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def engine_of(database: Database, *jobs: Job, clock: Callable[[], datetime] = lambda: NOON, **choices: Any) -> Engine:
    """The product's engine with these jobs only, and with other settings where chosen."""
    settings = replace(Settings(home=Path("unused")), **choices)
    product = make_engine(database, settings, clock=clock)
    return Engine(
        database,
        {job.name: job for job in jobs},
        product.projections,
        employees_in_scope=employees_in_scope,
        settings=settings,
        clock=clock,
    )


def found(database: Database, workspaces: Iterable[str], *, employees: int = 3, timezone: str = "UTC") -> None:
    """Workspaces with employees `e-1`, `e-2` ... on terms `t-1` with monthly approval."""
    staff = [f"e-{number}" for number in range(1, employees + 1)]
    people = [*map(builders.employee, staff), *(builders.employment(f"{who}/1") for who in staff)]
    events = [
        [builders.workspace(name, timezone=timezone), *builders.of(name, builders.terms(), *people)]
        for name in workspaces
    ]
    builders.import_all(database, *chain.from_iterable(events))


def run(engine: Engine, job: str, workspaces: Sequence[str], day: date = DAY, **wishes: Any) -> list[JobRun]:
    """Run a job for workspaces, without callbacks."""
    return engine.run(RunRequest(job=job, targets=[(name, day) for name in workspaces], **wishes))


def rows(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.owner() as connection:
        return connection.execute(sql, values or None).fetchall()


def marked(database: Database) -> set[tuple[str, str]]:
    """Workspace and employee of each mark; each is there once."""
    found_rows = rows(
        database, "SELECT workspace_id, employee_id FROM batch_jobs.events WHERE type = 'statement.period_started'"
    )
    assert len(found_rows) == len(set(found_rows))
    return set(found_rows)


def digests(database: Database, *, but: Sequence[str] = LEDGER) -> dict[str, str]:
    """The SHA-256 of each table's ordered rows."""
    tables = rows(
        database,
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE' ORDER BY 1",
    )
    with database.owner() as connection:
        return {name: digest(connection, name) for (name,) in tables if name not in but}


def digest(connection: Transaction, table: str) -> str:
    """The SHA-256 of the ordered rows of a table that the transaction sees."""
    lines = connection.execute(
        f"SELECT (to_jsonb(t) - %s::text[])::text AS line FROM {table} t ORDER BY 1", [list(UNSTEADY)]
    )
    return hashlib.sha256("\n".join(line for (line,) in lines).encode()).hexdigest()
