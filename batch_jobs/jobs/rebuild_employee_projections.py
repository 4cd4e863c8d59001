"""Folds projections anew from the first event on, shows how the rows that serve differ, and mends them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from batch_jobs import projections, search
from batch_jobs.engine.batch import Batch, Preparation
from batch_jobs.engine.contract import Counter, EmployeeParameters
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.rebuild_job import RebuildJob, Wanted
from batch_jobs.store.temporary import temporary_table

ALL = "all"
if TYPE_CHECKING:
    Choice = str
else:
    Choice = Literal[(ALL, *projections.registry())]

_EMPLOYEES = """
    CREATE TEMPORARY TABLE rebuilt_employees (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""
_USERS = """
    CREATE TEMPORARY TABLE rebuilt_users (
        workspace_id text COLLATE "C", user_id text COLLATE "C", PRIMARY KEY (workspace_id, user_id)
    ) ON COMMIT DELETE ROWS
"""
_COUNT_EMPLOYEES = """
    SELECT workspace_id, count(DISTINCT entity_id) FROM projections.definitions
    WHERE workspace_id = ANY (%s) AND kind = 'employee' AND "values" IS NOT NULL GROUP BY 1
"""


class RebuildChoice(EmployeeParameters):
    """Which rows are rebuilt."""

    projection: Choice = Field(
        default=ALL,
        description="The projection to rebuild; all of them by default. Those that it reads are folded anew for it, "
        "and left as they are.",
    )
    employee_id: str | None = Field(
        default=None,
        description="Only the rows of this employee, and of their users, in tables that have such rows. All of the "
        "workspace is folded for them.",
    )
    org_unit_id: str | None = Field(
        default=None,
        description="Only the rows of employees whose employment on the run date belongs to this org unit or one below "
        "it. All of the workspace is folded for them.",
    )
    dry_run: bool = Field(
        default=True,
        description="Show how many rows a rebuild would add, change and remove, with up to 100 of them before and "
        "after, and change nothing. Set it to false to mend them.",
    )


class RebuildEmployeeProjections(RebuildJob):
    """Rows equal to those of the fold are not touched. Reading applications see either the rows of before or, all at
    once, those of after. The rows of an employee are those with their `employee_id`, and those of their users.

    What shows as drift is what no catch-up would mend: the rows that serve are caught up first.
    """

    name = "rebuild_employee_projections"
    description = "Folds projections anew from the event log, shows how the rows that serve differ, and mends them."
    parameters = RebuildChoice
    counters = (
        Counter("employees", "employees of the workspace, or those that were asked for"),
        Counter("events_replayed", "events that were folded"),
        Counter("rows_written", "rows that the events give"),
        Counter("rows_added", "rows that were missing"),
        Counter("rows_changed", "rows that were wrong"),
        Counter("rows_removed", "rows that no event explains"),
        Counter("dead_letters", "events that could not be applied", warns=True),
    )
    error_counter = "dead_letters"

    def projections(self) -> Mapping[str, Projection]:
        """See `RebuildJob.projections`."""
        return projections.registry()

    def wanted(self, preparation: Preparation) -> Wanted:
        """The chosen projection, or all, everywhere."""
        chosen = {run.parameters.projection for run in preparation.runs.values()}
        names = projections.registry() if ALL in chosen else chosen
        return {name: list(preparation.runs) for name in names}

    def decide(self, batch: Batch) -> None:
        """Count what differs; the engine of rebuilds swaps it."""
        only, known = _narrowed(batch), list(search.with_projections().values())
        for found in self.compared(batch, only=only):
            self.count_drift(batch, found, written="rows_written", changed="rows_{}")
            for row in batch.rows if only is None else ():
                self.bury(batch, row, found)
            self.tell_readers(batch, found, known)
        employees = _employees(batch)
        for row in batch.rows:
            batch.count(row, "events_replayed", batch.prepared[0].events[row.workspace_id])
            batch.count(row, "employees", employees.get(row.workspace_id, 0))


def _narrowed(batch: Batch) -> dict[str, str] | None:
    """The rows that are meant: relations by the column that tells whose a row is; None for all."""
    if batch.employees is None:
        return None
    temporary_table(batch.connection, "rebuilt_employees", _EMPLOYEES)
    temporary_table(batch.connection, "rebuilt_users", _USERS)
    wanted = [pair for pair in batch.employees if pair[0] in batch.runs]
    batch.connection.execute(
        "INSERT INTO pg_temp.rebuilt_employees SELECT * FROM unnest(%s::text[], %s::text[])",
        [[workspace_id for workspace_id, _ in wanted], [employee_id for _, employee_id in wanted]],
    )
    batch.connection.execute(
        """
        INSERT INTO pg_temp.rebuilt_users
        SELECT DISTINCT workspace_id, d.entity_id
        FROM pg_temp.rebuilt_employees JOIN projections.definitions d USING (workspace_id, employee_id)
        WHERE d.kind = 'user'
        """
    )
    return {"employee_id": "rebuilt_employees", "user_id": "rebuilt_users"}


def _employees(batch: Batch) -> dict[str, int]:
    sql = _COUNT_EMPLOYEES
    if batch.employees is not None:
        sql = "SELECT workspace_id, count(*) FROM pg_temp.rebuilt_employees WHERE workspace_id = ANY (%s) GROUP BY 1"
    return dict(batch.connection.execute(sql, [list(batch.runs)]).fetchall())
