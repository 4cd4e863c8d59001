"""Approval periods: the stretches of days that a timesheet statement is for (domain 3.4)."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from batch_jobs.rules.entities import ApprovalKind
from batch_jobs.rules.norms import FIRST_MONDAY
from batch_jobs.rules.versions import ONE_DAY

APPROVING: tuple[ApprovalKind, ...] = ("weekly", "biweekly", "monthly")
"""The kinds under which time is approved: all but `none`."""

_WEEKS = {"weekly": 1, "biweekly": 2}


class Period(NamedTuple):
    """Days from start to end, both included."""

    start: date
    end: date


def period(kind: ApprovalKind, day: date) -> Period | None:
    """The approval period that holds the day (domain 3.4); None for the kind `none`.

    `weekly`: Monday to Sunday, the week of ISO 8601. `biweekly`: 14 days counted from Monday 2024-01-01, in both
    directions. `monthly`: the calendar month. The first and last periods of the calendar (years 1 and 9999) are cut
    to it.
    """
    if kind == "none":
        return None
    if kind == "monthly":
        return Period(day.replace(day=1), _last_of_month(day))
    length = 7 * _WEEKS[kind]
    start = day.toordinal() - (day.toordinal() - FIRST_MONDAY.toordinal()) % length
    return Period(
        date.fromordinal(max(start, date.min.toordinal())),
        date.fromordinal(min(start + length - 1, date.max.toordinal())),
    )


def bounds(day: date) -> dict[str, date]:
    """First and last day of each kind's period that holds the day, as `<kind>_start` and `<kind>_end`: for queries."""
    found = {kind: held for kind in APPROVING if (held := period(kind, day))}
    return {f"{kind}_{end}": getattr(held, end) for kind, held in found.items() for end in Period._fields}


def next_period(kind: ApprovalKind, current: Period) -> Period | None:
    """The period that begins on the day after this one; None for the kind `none` and at the end of the calendar."""
    return period(kind, current.end + ONE_DAY) if current.end < date.max else None


def periods_between(kind: ApprovalKind, start: date, end: date) -> Iterator[Period]:
    """The whole periods that hold a day from start to end, both included; none for the kind `none`."""
    found = period(kind, start) if start <= end else None
    while found and found.start <= end:
        yield found
        found = next_period(kind, found)


def _last_of_month(day: date) -> date:
    if day.month == 12:
        return day.replace(day=31)
    return day.replace(month=day.month + 1, day=1) - ONE_DAY
