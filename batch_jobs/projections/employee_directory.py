"""The directory: who is there and how they stand on the workspace's as-of date."""

from collections.abc import Iterator, Sequence
from datetime import date

from batch_jobs.engine.projection import Folded, Projection, Window, passed_days
from batch_jobs.engine.tables import Table, changed_rows, replace_rows
from batch_jobs.projections.affected_employees import EVENT_TYPES, add_affected_by_date, affected, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

# A user may have moved to another employee, or to none.
_BY_USER = """
    INSERT INTO affected_employees
    SELECT e.workspace_id, d.employee_id FROM pending_events e JOIN employee_directory d
      ON d.workspace_id = e.workspace_id AND d.user_id = e.payload ->> 'user_id'
    WHERE e.type IN ('user.defined', 'user.invitation_expired')
    ON CONFLICT DO NOTHING
"""

# Second pass: whether someone manages an active employee is known when all rows are written. Only the managers
# that changed rows name, before or after, can have changed.
_CHANGED_MANAGERS = """
    CREATE TEMPORARY TABLE changed_managers (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""
_MANAGERS_BEFORE = """
    INSERT INTO changed_managers
    SELECT DISTINCT d.workspace_id, d.manager_id
    FROM employee_directory d JOIN affected_employees USING (workspace_id, employee_id)
    WHERE d.manager_id IS NOT NULL
"""
_MANAGERS_AFTER = """
    INSERT INTO changed_managers
    SELECT workspace_id, employee_id FROM affected_employees
    UNION
    SELECT d.workspace_id, d.manager_id
    FROM employee_directory d JOIN affected_employees USING (workspace_id, employee_id)
    WHERE d.manager_id IS NOT NULL
    ON CONFLICT DO NOTHING
"""
_MARK_MANAGERS = """
    WITH facts AS (
        SELECT c.workspace_id, c.employee_id, EXISTS (
            SELECT FROM employee_directory e
            WHERE e.workspace_id = c.workspace_id AND e.manager_id = c.employee_id AND e.status = 'active'
        ) AS is_manager
        FROM changed_managers c
    )
    UPDATE employee_directory d SET is_manager = f.is_manager FROM facts f
    WHERE d.workspace_id = f.workspace_id AND d.employee_id = f.employee_id AND d.is_manager <> f.is_manager
    RETURNING d.workspace_id
"""


class EmployeeDirectory(Projection):
    """One row per employee who is defined and not removed; pending ones show their next employment, ended ones their
    last. The user is the employee's active one, of several the smallest id; without an active one the smallest id.
    """

    name = "employee_directory"
    description = "Employees with status, job, org unit and manager, as of the latest finished run date."
    version = 2
    event_types = EVENT_TYPES
    after = ("definitions",)
    follows_as_of = True
    table = Table(
        "employee_directory",
        ("workspace_id", "employee_id"),
        (
            "name",
            "preferred_name",
            "email",
            "user_id",
            "status",
            "employment_id",
            "job_title",
            "org_unit_id",
            "org_path",
            "manager_id",
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Recompute the employees whom the events or the passing of days affect. See `Projection.fold`."""
        find_affected(connection)
        connection.execute(_BY_USER)
        add_affected_by_date(connection, passed_days(windows))
        temporary_table(connection, "changed_managers", _CHANGED_MANAGERS)
        connection.execute(_MANAGERS_BEFORE)
        employees = affected(connection)
        as_of = {window.workspace_id: window.as_of for window in windows}
        rows = [
            row
            for workspace_id, (workforce, _) in workforces_of(connection, employees).items()
            for row in _rows(workspace_id, workforce, employees[workspace_id], as_of[workspace_id])
        ]
        changes = replace_rows(connection, self.table, rows, of="affected_employees")
        connection.execute(_MANAGERS_AFTER)
        changes += changed_rows(connection, _MARK_MANAGERS)
        return Folded(changes)


def _rows(workspace_id: str, workforce: Workforce, employees: Sequence[str], day: date) -> Iterator[tuple[object, ...]]:
    for employee_id in employees:
        versions = workforce.definitions.employees.get(employee_id)
        if versions is None:
            continue
        employee = versions.on(day)
        user = workforce.user(employee_id, day)
        shown = workforce.shown_employment(employee_id, day)
        yield (
            workspace_id,
            employee_id,
            employee.name,
            employee.preferred_name,
            employee.email,
            user.user_id if user else None,
            workforce.status(employee_id, day),
            shown.employment_id if shown else None,
            shown.job_title if shown else None,
            shown.org_unit_id if shown else None,
            list(workforce.org_path(shown.org_unit_id, day)) if shown else [],
            workforce.manager_of(shown, day) if shown else None,
        )
