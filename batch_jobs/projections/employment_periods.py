"""The days of each employment with the values in force on them, one row per version that is ever in force."""

from collections.abc import Sequence

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.projections.affected_employees import EVENT_TYPES, affected, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.store.database import Transaction


class EmploymentPeriods(Projection):
    """Rows that are true for each of their days: cut where calendar or approval period change inside a version."""

    name = "employment_periods"
    description = "The days of each employment with the values in force on them."
    event_types = EVENT_TYPES - {"user.defined", "user.invitation_expired"}
    after = ("definitions",)
    table = Table(
        "employment_periods",
        ("workspace_id", "employee_id", "employment_id", "valid_from"),
        (
            "valid_to",
            "start_date",
            "end_date",
            "terms_id",
            "org_unit_id",
            "manager_id",
            "holiday_calendar_id",
            "approval_period",
            "has_overlap",
            "employee_is_defined",
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Recompute the employees whom the events affect. See `Projection.fold`."""
        find_affected(connection)
        employees = affected(connection)
        rows: list[tuple[object, ...]] = []
        for workspace_id, (workforce, removed) in workforces_of(connection, employees).items():
            for employee_id in employees[workspace_id]:
                if employee_id not in removed:
                    is_defined = employee_id in workforce.definitions.employees
                    rows += [
                        (workspace_id, employee_id, period.employment_id, period.valid_from, *period[3:], is_defined)
                        for period in workforce.employment_periods(employee_id)
                    ]
        return Folded(replace_rows(connection, self.table, rows, of="affected_employees"))
