"""Since when each employee is owed forecast entries: on the first of a month that is everybody, found at once."""

from collections.abc import Sequence

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import RowChanges, Table
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

_TOUCHED = """
    CREATE TEMPORARY TABLE touched_employees (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""
_FIND_TOUCHED = """
    INSERT INTO touched_employees
    SELECT DISTINCT workspace_id, payload ->> 'employee_id' FROM pending_events
    WHERE type = ANY (%s) AND (type NOT LIKE 'account.%%' OR payload ->> 'entry_id' IS NOT NULL)
"""
# An employee who was removed and then defined from a day on has both versions, and is there.
_WRITE = """
    INSERT INTO accrual_owed AS o (workspace_id, employee_id, first_due_date, is_removed)
    SELECT workspace_id, employee_id, min(a.due_date), (
        SELECT coalesce(bool_and(d."values" IS NULL), false) FROM definitions d
        WHERE d.workspace_id = t.workspace_id AND d.kind = 'employee' AND d.entity_id = t.employee_id
    )
    FROM touched_employees t JOIN accrual_forecast a USING (workspace_id, employee_id)
    WHERE a.materialized_at IS NULL
    GROUP BY t.workspace_id, t.employee_id
    ON CONFLICT (workspace_id, employee_id)
    DO UPDATE SET first_due_date = excluded.first_due_date, is_removed = excluded.is_removed
    WHERE (o.first_due_date, o.is_removed) <> (excluded.first_due_date, excluded.is_removed)
"""
_REMOVE = """
    DELETE FROM accrual_owed o USING touched_employees t
    WHERE (o.workspace_id, o.employee_id) = (t.workspace_id, t.employee_id) AND NOT EXISTS (
        SELECT FROM accrual_forecast a
        WHERE (a.workspace_id, a.employee_id) = (o.workspace_id, o.employee_id) AND a.materialized_at IS NULL
    )
"""


class AccrualOwed(Projection):
    """A row for each employee with entries that are not materialised yet; removed ones get nothing new."""

    name = "accrual_owed"
    description = "The first day on which each employee has a forecast entry to be credited or to expire."
    event_types = frozenset(
        {
            "accrual.forecast_computed",
            "account.credited",
            "account.expired",
            "employee.defined",
            "employee.removed",
        }
    )
    after = ("definitions", "accrual_forecast")
    table = Table("accrual_owed", ("workspace_id", "employee_id"), ("first_due_date", "is_removed"))

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Look again at the employees whom the events name. See `Projection.fold`."""
        temporary_table(connection, "touched_employees", _TOUCHED)
        connection.execute(_FIND_TOUCHED, [list(self.event_types)])
        connection.execute("ANALYZE touched_employees")
        removed = connection.execute(_REMOVE).rowcount
        return Folded(RowChanges(written=connection.execute(_WRITE).rowcount, removed=removed))
