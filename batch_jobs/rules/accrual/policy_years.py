"""Policy years: twelve calendar months from the first of a month on (domain 3.5)."""

from datetime import date

from batch_jobs.rules.approval_periods import Period, period


def year_start(day: date, first_month: int) -> date:
    """The first day of the policy year that holds the day, for years that begin with that month."""
    return date(day.year if day.month >= first_month else day.year - 1, first_month, 1)


def year_end(start: date) -> date:
    """The last day of the policy year that begins on that day."""
    return end_of_month(start, 11)


def months(start: date) -> tuple[Period, ...]:
    """The twelve months of the policy year that begins on that day."""
    ends = [end_of_month(start, number) for number in range(12)]
    return tuple(Period(end.replace(day=1), end) for end in ends)


def end_of_month(day: date, months_later: int) -> date:
    """The last day of the month that many months after the day's own."""
    years, month = divmod(day.month - 1 + months_later, 12)
    found = period("monthly", date(day.year + years, month + 1, 1))
    assert found is not None
    return found.end
