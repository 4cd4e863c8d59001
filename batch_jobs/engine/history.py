"""Reading the ledger: which job runs there were, and the row errors of one. Changes nothing."""

from typing import Any

from psycopg.rows import dict_row

from batch_jobs.engine import job_runs
from batch_jobs.engine.job_runs import JobRun, Status
from batch_jobs.store.database import Transaction


def list_runs(
    connection: Transaction,
    *,
    job: str | None = None,
    workspace_id: str | None = None,
    status: Status | None = None,
    limit: int,
) -> list[JobRun]:
    """The newest job runs, by the time they were asked for.

    Args:
        connection: a reader's transaction.
        job: only this job's.
        workspace_id: only this workspace's.
        status: only those of this status.
        limit: how many at the most.
    """
    filters = {"job": job, "workspace_id": workspace_id, "status": status}
    wanted = {name: value for name, value in filters.items() if value is not None}
    condition = " AND ".join(f"{name} = %({name})s" for name in wanted) or "true"
    rows = connection.execute(
        f"""
        SELECT job_run_id::text FROM batch_jobs.job_runs WHERE {condition}
        ORDER BY queued_at DESC, run_date DESC, job, workspace_id LIMIT %(limit)s
        """,
        {**wanted, "limit": limit},
    ).fetchall()
    return job_runs.load(connection, [row[0] for row in rows])


def row_errors(connection: Transaction, job_run_id: str) -> list[dict[str, Any]]:
    """The row errors that were kept of a job run (domain 7: the first 1,000), in the order they were met.

    Returns:
        `entity`, `entity_id`, `error` and `message` of each.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            SELECT entity, entity_id, error, message FROM batch_jobs.job_run_errors
            WHERE job_run_id = %s ORDER BY number
            """,
            [job_run_id],
        ).fetchall()
