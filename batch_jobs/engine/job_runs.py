"""The ledger of job runs: one row per job, workspace, run date and attempt, from pending to its end. Only SQL on it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from psycopg.types.json import Jsonb

from batch_jobs.engine.batch import Outcome
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Transaction

Status: TypeAlias = Literal["pending", "started", "completed", "warning", "failed", "stopped"]
Trigger: TypeAlias = Literal["schedule", "sensor", "manual", "backfill", "replay", "retry"]
Target: TypeAlias = tuple[str, date]

WORST_FIRST: tuple[Status, ...] = ("failed", "stopped", "warning", "started", "pending", "completed")
ACTIVE: tuple[Status, ...] = ("pending", "started")
WORKER_LOST = "worker lost"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One job run (domain 7). `plan`: the rows that a dry run would write, the first 100."""

    job_run_id: str
    job: str
    workspace_id: str
    run_date: date
    attempt: int
    status: Status
    trigger: Trigger
    actor: str
    params: dict[str, Any]
    counters: dict[str, Any]
    errors: int
    message: str | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    dagster_run_id: str | None
    replay_of: str | None
    plan: list[dict[str, Any]] | None = None

    @property
    def duration_seconds(self) -> float | None:
        """From start to end, None before the end."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    def as_json(self) -> dict[str, Any]:
        """The columns of domain 7 as JSON values, with `plan` for a dry run."""
        found = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(self).items()}
        if self.plan is None:
            del found["plan"]
        return found


_COLUMNS = """job_run_id::text, job, workspace_id, run_date, attempt, status, trigger, actor, params, counters, errors,
    message, queued_at, started_at, ended_at, dagster_run_id, replay_of::text, plan"""

_QUEUE = """
    INSERT INTO batch_jobs.job_runs
        (job, workspace_id, run_date, attempt, trigger, actor, params, dagster_run_id, replay_of, dry_run, partial,
         worker_id)
    SELECT %(job)s, t.workspace_id, t.run_date,
        1 + coalesce((
            SELECT max(r.attempt) FROM batch_jobs.job_runs r
            WHERE r.job = %(job)s AND r.workspace_id = t.workspace_id AND r.run_date = t.run_date
        ), 0),
        %(trigger)s, %(actor)s, %(params)s, %(dagster_run_id)s, %(replay_of)s, %(dry_run)s, %(partial)s, %(worker_id)s
    FROM unnest(%(workspaces)s::text[], %(run_dates)s::date[]) AS t(workspace_id, run_date)
    ORDER BY t.workspace_id, t.run_date
    ON CONFLICT DO NOTHING
    RETURNING workspace_id, run_date, job_run_id::text
"""

_ACTIVE_RUN = f"""
    SELECT {_COLUMNS} FROM batch_jobs.job_runs r
    JOIN unnest(%(workspaces)s::text[], %(run_dates)s::date[]) AS t(w, d) ON r.workspace_id = t.w AND r.run_date = t.d
    WHERE r.job = %(job)s AND r.status IN ('pending', 'started') ORDER BY r.queued_at, r.workspace_id LIMIT 1
"""

_START = """
    UPDATE batch_jobs.job_runs SET status = 'started', started_at = clock_timestamp()
    WHERE job_run_id = ANY (%s::uuid[]) AND status = 'pending'
"""

_FINISH = """
    UPDATE batch_jobs.job_runs r SET
        status = f.status, counters = f.counters, errors = f.errors, rows_done = f.rows_done,
        message = CASE WHEN f.status = 'stopped' THEN coalesce('stopped by ' || r.stop_requested_by, f.message)
            ELSE f.message END,
        plan = f.plan, ended_at = clock_timestamp()
    FROM unnest(%(ids)s::uuid[], %(statuses)s::text[], %(counters)s::jsonb[], %(errors)s::int[], %(messages)s::text[],
        %(rows)s::bigint[], %(plans)s::jsonb[]) AS f(job_run_id, status, counters, errors, message, rows_done, plan)
    WHERE r.job_run_id = f.job_run_id AND r.status IN ('pending', 'started')
    RETURNING r.job_run_id::text
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run of one workspace ends; `plan` for a dry run."""

    job_run_id: str
    workspace_id: str
    status: Status
    outcome: Outcome
    counters: Mapping[str, Any]
    message: str | None = None
    plan: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedBy:
    """What the ledger notes of who asked for runs, and for what."""

    job: str
    trigger: Trigger
    actor: str
    params: Mapping[str, Any]
    dry_run: bool
    partial: bool
    worker_id: UUID
    dagster_run_id: str | None = None
    replay_of: str | None = None


def queue(
    connection: Transaction, targets: Sequence[Target], by: QueuedBy, *, refuse_active: bool
) -> dict[Target, str]:
    """Note runs as pending, one for each target that has no active run. Returns their ids.

    Args:
        connection: a transaction of the owner.
        targets: workspaces and run dates, each once.
        by: who asked.
        refuse_active: refuse all when one of them is active already, instead of leaving that one out.

    Raises:
        BadInputError: a run for such a key is active; the text names the first.
    """
    values: dict[str, Any] = {
        **{name: getattr(by, name) for name in by.__slots__},
        "params": Jsonb(dict(by.params)),
        "workspaces": [workspace_id for workspace_id, _ in targets],
        "run_dates": [run_date for _, run_date in targets],
    }
    rows = connection.execute(_QUEUE, values).fetchall()
    if refuse_active and len(rows) < len(targets):
        active = connection.execute(_ACTIVE_RUN, values).fetchone()
        if active:
            raise already_active(_job_run(active))
        raise BadInputError(f"{by.job}: another request took the same runs at the same moment; ask again")
    return {(workspace_id, run_date): job_run_id for workspace_id, run_date, job_run_id in rows}


def already_active(run: JobRun) -> BadInputError:
    """The refusal of a second run for a key whose first is active."""
    since = (run.started_at or run.queued_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    return BadInputError(
        f'{run.job} for workspace "{run.workspace_id}" and run date {run.run_date} is {run.status} already: job run '
        f"{run.job_run_id}, since {since}, by {run.actor}; wait for its end, or stop it: "
        f"batch-jobs runs stop {run.job_run_id}"
    )


def start(connection: Transaction, job_run_ids: Sequence[str]) -> None:
    """Mark those of the runs that are pending as started."""
    connection.execute(_START, [list(job_run_ids)])


def finish(connection: Transaction, endings: Sequence[Ending]) -> set[str]:
    """Note how runs ended, with their errors. Returns the ids of those that were active; others are left alone."""
    rows = connection.execute(
        _FINISH,
        {
            "ids": [ending.job_run_id for ending in endings],
            "statuses": [ending.status for ending in endings],
            "counters": [Jsonb(dict(ending.counters)) for ending in endings],
            "errors": [ending.outcome.error_count for ending in endings],
            "messages": [ending.message and storable(ending.message) for ending in endings],
            "rows": [ending.outcome.rows for ending in endings],
            "plans": [None if ending.plan is None else Jsonb(ending.plan) for ending in endings],
        },
    ).fetchall()
    ended = {row[0] for row in rows}
    erroneous = [ending for ending in endings if ending.job_run_id in ended and ending.outcome.errors]
    if erroneous:
        _insert_errors(connection, erroneous)
    return ended


def _insert_errors(connection: Transaction, endings: Sequence[Ending]) -> None:
    rows = [
        (ending.job_run_id, number, ending.workspace_id, *map(storable, asdict(error).values()))
        for ending in endings
        for number, error in enumerate(ending.outcome.errors, 1)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(
        """
        INSERT INTO batch_jobs.job_run_errors
            (job_run_id, number, workspace_id, row_id, entity, entity_id, error, message)
        SELECT * FROM unnest(
            %s::uuid[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]
        )
        """,
        columns,
    )


def storable(text: str) -> str:
    """The text as PostgreSQL takes it: what an exception says may hold anything, and must not fail the ledger."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def stop_requested(connection: Transaction, job_run_ids: Sequence[str]) -> set[str]:
    """Those of the runs that were asked to stop."""
    rows = connection.execute(
        """
        SELECT job_run_id::text FROM batch_jobs.job_runs
        WHERE job_run_id = ANY (%s::uuid[]) AND stop_requested_at IS NOT NULL
        """,
        [list(job_run_ids)],
    )
    return {row[0] for row in rows.fetchall()}


def request_stop(connection: Transaction, job_run_id: str, actor: str | None) -> None:
    """Ask an active run to stop before its next chunk."""
    connection.execute(
        "UPDATE batch_jobs.job_runs SET stop_requested_at = clock_timestamp(), stop_requested_by = %s "
        "WHERE job_run_id = %s AND status IN ('pending', 'started')",
        [actor, job_run_id],
    )


def failed_rows(connection: Transaction, job_run_id: str) -> list[str]:
    """The ids of the rows that failed, as far as they were kept."""
    rows = connection.execute(
        "SELECT DISTINCT row_id FROM batch_jobs.job_run_errors WHERE job_run_id = %s ORDER BY 1", [job_run_id]
    )
    return [row[0] for row in rows.fetchall()]


def load(connection: Transaction, job_run_ids: Sequence[str]) -> list[JobRun]:
    """The runs of these ids, in their order."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM batch_jobs.job_runs WHERE job_run_id = ANY (%s::uuid[])", [list(job_run_ids)]
    ).fetchall()
    found = {row[0]: _job_run(row) for row in rows}
    return [found[job_run_id] for job_run_id in job_run_ids if job_run_id in found]


def _job_run(row: Sequence[Any]) -> JobRun:
    return JobRun(*row[:18])
