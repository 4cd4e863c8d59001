"""Since when each employee is owed forecast entries: on the first of a month that is everybody, found at once."""

from collections.abc import Sequence

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

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
_OWED = """
    SELECT t.workspace_id, t.employee_id, a.due_date, (
        SELECT coalesce(bool_and(d."values" IS NULL), false) FROM definitions d
        WHERE d.workspace_id = t.workspace_id AND d.kind = 'employee' AND d.entity_id = t.employee_id
    )
    FROM touched_employees t CROSS JOIN LATERAL (
        SELECT a.due_date FROM accrual_forecast a
        WHERE a.workspace_id = t.workspace_id AND a.employee_id = t.employee_id AND a.materialized_at IS NULL
        ORDER BY a.due_date LIMIT 1
    ) a
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
        analyze(connection, "touched_employees")
        return Folded(replace_rows(connection, self.table, connection.execute(_OWED), of="touched_employees"))
