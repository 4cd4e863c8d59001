"""Reads of the ledger and the checkpoints that only Dagster's views of them need. Each is one query over many runs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun

ERRORS_SHOWN = 10
# Seconds after its end that a run is read: one that ended a moment earlier may be committed a moment later.
SETTLED_AFTER = 5


class Place(NamedTuple):
    """Up to where ended job runs have been read: the end of the last one, and its id among those of that instant."""

    ended_at: datetime
    job_run_id: str


class Position(NamedTuple):
    """How far a projection is in a workspace, in events."""

    checkpoint: int
    head: int


def row_error_samples(engine: Engine, runs: Sequence[JobRun]) -> dict[str, list[dict[str, Any]]]:
    """The first row errors of each job run, by its id."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    ids = [run.job_run_id for run in runs if run.errors]
    if ids:
        with engine.database.reader() as connection:
            for job_run_id, *columns in connection.execute(
                """
                SELECT job_run_id::text, entity, entity_id, error, message FROM batch_jobs.job_run_errors
                WHERE job_run_id = ANY (%s::uuid[]) AND number <= %s ORDER BY job_run_id, number
                """,
                [ids, ERRORS_SHOWN],
            ):
                found[job_run_id].append(dict(zip(("entity", "entity_id", "error", "message"), columns, strict=True)))
    return found


def of_run_dates(engine: Engine, job: str, run_dates: Collection[date]) -> list[JobRun]:
    """The last job run that ended well of each workspace on these run dates, whichever Dagster run did it."""
    with engine.database.reader() as connection:
        rows = connection.execute(
            """
            SELECT DISTINCT ON (run_date, workspace_id) job_run_id::text FROM batch_jobs.job_runs
            WHERE job = %s AND run_date = ANY (%s) AND status IN ('completed', 'warning')
              AND NOT coalesce((params ->> 'dry_run')::boolean, false)
              AND params ->> 'employee_id' IS NULL AND params ->> 'org_unit_id' IS NULL
            ORDER BY run_date, workspace_id, attempt DESC
            """,
            [job, list(run_dates)],
        ).fetchall()
    return engine.load([row[0] for row in rows])


def targets_of_dagster_run(engine: Engine, dagster_run_id: str) -> set[tuple[str, date]]:
    """The workspaces and run dates that a Dagster run had job runs for."""
    with engine.database.reader() as connection:
        rows = connection.execute(
            "SELECT workspace_id, run_date FROM batch_jobs.job_runs WHERE dagster_run_id = %s", [dagster_run_id]
        )
        return set(rows.fetchall())


def ended_outside_dagster(engine: Engine, after: Place | None, *, at_most: int) -> list[JobRun]:
    """Job runs that no Dagster run did, in the order of their ends.

    Args:
        engine: whose ledger.
        after: where the last look stopped, None for the first.
        at_most: how many.
    """
    with engine.database.reader() as connection:
        rows = connection.execute(
            """
            SELECT job_run_id::text FROM batch_jobs.job_runs
            WHERE dagster_run_id IS NULL AND ended_at < clock_timestamp() - make_interval(secs => %(settled)s)
              AND (%(ended_at)s::timestamptz IS NULL OR (ended_at, job_run_id) > (%(ended_at)s, %(job_run_id)s::uuid))
            ORDER BY ended_at, job_run_id LIMIT %(at_most)s
            """,
            {
                "settled": SETTLED_AFTER,
                "at_most": at_most,
                "ended_at": after.ended_at if after else None,
                "job_run_id": after.job_run_id if after else None,
            },
        ).fetchall()
    return engine.load([row[0] for row in rows])


def positions(engine: Engine, projection: str, workspaces: Sequence[str]) -> dict[str, Position]:
    """How far a projection is in each of these workspaces."""
    with engine.database.reader() as connection:
        rows = connection.execute(
            """
            SELECT w.workspace_id, coalesce(c.position, 0), w.head FROM batch_jobs.workspaces w
            LEFT JOIN batch_jobs.checkpoints c ON c.workspace_id = w.workspace_id AND c.projection = %s
            WHERE w.workspace_id = ANY (%s)
            """,
            [projection, list(workspaces)],
        ).fetchall()
    return {workspace_id: Position(checkpoint, head) for workspace_id, checkpoint, head in rows}
