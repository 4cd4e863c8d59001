"""One file a projection: its table, its version, its fold. No Dagster."""

from functools import cache

from batch_jobs.engine.projection import Projection


@cache
def registry() -> dict[str, Projection]:
    """All projections by name, in the order in which they are folded."""
    from batch_jobs.projections.definitions import Definitions
    from batch_jobs.projections.employee_directory import EmployeeDirectory
    from batch_jobs.projections.employment_periods import EmploymentPeriods
    from batch_jobs.projections.timesheet_statements import TimesheetStatements

    known: list[Projection] = [Definitions(), EmploymentPeriods(), EmployeeDirectory(), TimesheetStatements()]
    return {projection.name: projection for projection in known}
