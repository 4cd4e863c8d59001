"""When a timesheet statement is to be handed in, and from when on it is overdue (domain 6.1)."""

from collections.abc import Collection
from datetime import date

from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.workforce import Workforce

_LOOK_AHEAD = 366
# Nearly everyone has an available day within a week, so that the rest need not be looked at.
_WEEK = 7


def deadline(
    workforce: Workforce, employee_id: str, period: Period, absences: Collection[tuple[date, date | None]]
) -> date:
    """The last available day of the period (domain 3.3); its last day when none is available.

    Args:
        workforce: whose norms, calendars and employments count.
        employee_id: whose statement.
        period: of the statement.
        absences: first and last day (None: open-ended) of the employee's approved full-day absences.

    Raises:
        UndefinedReferenceError: terms or work-time policy are not defined.
        UnknownCalendarError: a holiday calendar's country or subdivision is not known.
    """
    near = max(period.start, _days_after(period.end, 1 - _WEEK))
    available = workforce.available_days(employee_id, near, period.end, absences)
    if not available and near > period.start:
        available = workforce.available_days(employee_id, period.start, _days_after(near, -1), absences)
    return available[-1] if available else period.end


def overdue_day(
    workforce: Workforce, employee_id: str, period: Period, absences: Collection[tuple[date, date | None]]
) -> date:
    """The first available day after the period; the day after it when none of the next 366 days is available.

    Arguments and errors as `deadline`.
    """
    if period.end == date.max:
        return period.end
    for first, last in ((1, _WEEK), (_WEEK + 1, _LOOK_AHEAD)):
        days = _days_after(period.end, first), _days_after(period.end, last)
        if available := workforce.available_days(employee_id, *days, absences):
            return available[0]
    return _days_after(period.end, 1)


def _days_after(day: date, days: int) -> date:
    """That many days later, or earlier when negative; the calendar's first or last day at its ends."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))
