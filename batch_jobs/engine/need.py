"""Asking a job's candidates: how many rows are due where, over all workspaces, and the rows to work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import namedtuple_row

from batch_jobs.engine.contract import Job, Parameters
from batch_jobs.engine.job_runs import Target
from batch_jobs.store.database import Transaction

# The scope comes as an array, so that the planner knows how many workspaces there are.
_SCOPE = """scope AS (
    SELECT s.workspace_id, %(run_date)s::date AS run_date FROM unnest(%(scope_workspaces)s::text[]) AS s(workspace_id)
)"""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which of the candidate rows are meant.

    Attributes:
        employees: those of these employees, as workspace and employee id; None for all.
        row_ids: those of these ids, of the one workspace concerned; None for all.
    """

    employees: Sequence[tuple[str, str]] | None = None
    row_ids: Sequence[str] | None = None

    def condition(self, job: Job) -> str:
        """The SQL condition on the job's candidates `c`."""
        conditions = ["true"]
        if self.employees is not None and job.chunk_load is not None:
            conditions.append("c.workspace_id = ANY (%(narrow_workspaces)s::text[])")
        elif self.employees is not None:
            conditions.append(
                "(c.workspace_id, c.employee_id) IN "
                "(SELECT * FROM unnest(%(narrow_workspaces)s::text[], %(narrow_employees)s::text[]))"
            )
        if self.row_ids is not None:
            conditions.append("c.row_id = ANY (%(narrow_rows)s::text[])")
        return " AND ".join(conditions)

    @property
    def values(self) -> dict[str, Any]:
        """The values of the condition's placeholders."""
        pairs = self.employees or ()
        return {
            "narrow_workspaces": [workspace_id for workspace_id, _ in pairs],
            "narrow_employees": [employee_id for _, employee_id in pairs],
            "narrow_rows": None if self.row_ids is None else list(self.row_ids),
        }


EVERYTHING = Narrowing()


def due_rows(
    connection: Transaction,
    job: Job,
    targets: Sequence[Target],
    parameters: Parameters,
    narrowing: Narrowing = EVERYTHING,
) -> dict[Target, int]:
    """How many rows make the job due (their load, for a job on whole workspaces), for those workspaces and run dates
    where there are any.

    One statement, whatever the number of workspaces; several run dates of one workspace count apart.

    Args:
        connection: a reader's transaction.
        job: the job.
        targets: workspaces and run dates to look at.
        parameters: that the run has, or would have.
        narrowing: which of their rows count.
    """
    found: dict[Target, int] = {}
    measure = "count(*)" if job.chunk_load is None else "sum(c.load)::bigint"
    for same_date in _by_date(targets):
        rows = connection.execute(
            f"WITH {_SCOPE} SELECT c.workspace_id, {measure} FROM ({job.candidates}) c "
            f"WHERE c.due AND {narrowing.condition(job)} GROUP BY 1",
            {**_values(job, same_date, parameters), **narrowing.values},
        )
        found.update(((workspace_id, same_date[0][1]), number) for workspace_id, number in rows.fetchall())
    return found


def candidate_rows(
    connection: Transaction,
    job: Job,
    targets: Sequence[Target],
    parameters: Parameters,
    narrowing: Narrowing = EVERYTHING,
    *,
    after_row: str | None = None,
    limit: int | None = None,
) -> list[Any]:
    """The rows to work on, as named tuples ordered by workspace and row id.

    Args:
        connection: a transaction whose scope holds the workspaces.
        job: the job.
        targets: workspaces, all with the same run date.
        parameters: of the run.
        narrowing: which of their rows.
        after_row: only rows behind this one, to go through a workspace slice by slice.
        limit: how many at the most.
    """
    # LIMIT NULL is no limit.
    values = {**_values(job, targets, parameters), **narrowing.values, "after_row": after_row, "row_limit": limit}
    behind = "true" if after_row is None else 'c.row_id COLLATE "C" > %(after_row)s'
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(
            f"WITH {_SCOPE} SELECT * FROM ({job.candidates}) c WHERE {narrowing.condition(job)} AND {behind} "
            'ORDER BY c.workspace_id, c.row_id COLLATE "C" LIMIT %(row_limit)s',
            values,
        ).fetchall()


def _by_date(targets: Sequence[Target]) -> list[list[Target]]:
    """The targets of each run date: a day that is a constant plans far better than a column. A night has one or two."""
    found: dict[Any, list[Target]] = {}
    for target in targets:
        found.setdefault(target[1], []).append(target)
    return list(found.values())


def _values(job: Job, targets: Sequence[Target], parameters: Parameters) -> dict[str, Any]:
    (run_date,) = {run_date for _, run_date in targets}
    return {
        **job.arguments(run_date, parameters),
        "run_date": run_date,
        "scope_workspaces": [workspace_id for workspace_id, _ in targets],
    }
