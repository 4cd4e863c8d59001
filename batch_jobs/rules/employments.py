"""Which employment counts on a day, and whether its employee is active, pending or ended (domain 3.1)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from batch_jobs.rules.entities import Employment
from batch_jobs.rules.versions import ONE_DAY, Versions, earlier

Status: TypeAlias = Literal["active", "pending", "ended"]


class Coverage(NamedTuple):
    """Days, both ends included, that one version of an employment covers while it is in force. `end` None: no end."""

    start: date
    end: date | None
    employment: Employment

    def touches(self, start: date, end: date | None) -> bool:
        """Whether a day is covered from start to end, both included."""
        return (end is None or self.start <= end) and (self.end is None or start <= self.end)


def coverage(employee_id: str, versions: Versions[Employment]) -> list[Coverage]:
    """The days of the employee that each version ever covers, ascending and disjoint.

    A version covers the days on which it is in force, cut to its own start and end. One whose days are all outside
    covers none, and neither does one that gives the employment to another employee.
    """
    covered = []
    for in_force_from, in_force_to, employment in versions:
        start = max(in_force_from, employment.start_date)
        end = earlier(in_force_to, employment.end_date)
        if employment.employee_id == employee_id and (end is None or start <= end):
            covered.append(Coverage(start, end, employment))
    return covered


def current_employments(covered: Sequence[Coverage]) -> Versions[Employment | None]:
    """The current employment of every day: the covering one that started last, ties by the greatest id (domain 3.1).

    Ids compare by code point, as PostgreSQL does with `COLLATE "C"`.
    """

    def current_on(day: date) -> Employment | None:
        covering = [span.employment for span in covered if span.touches(day, day)]
        return max(covering, key=_precedence, default=None)

    starts = {span.start for span in covered}
    days_after = {span.end + ONE_DAY for span in covered if span.end is not None and span.end < date.max}
    return Versions.piecewise(starts | days_after, current_on)


def status(in_force: Iterable[Employment], day: date) -> Status:
    """`active`, `pending` or `ended` on the day, given the employments' versions in force on that day (domain 3.1).

    Someone without any employment is `ended`.
    """
    found: Status = "ended"
    for employment in in_force:
        if employment.covers(day):
            return "active"
        if employment.start_date > day:
            found = "pending"
    return found


def next_or_last(in_force: Iterable[Employment], day: date) -> Employment | None:
    """The employment to show for someone without a current one: the next to start, else the last to end.

    Ties are broken as for the current employment. Domain 4 says "last" without a measure; the last day counts,
    since the last to end is the one that was current on the employee's last day.
    """
    versions = list(in_force)
    upcoming = [employment for employment in versions if employment.start_date > day]
    if upcoming:
        soonest = min(employment.start_date for employment in upcoming)
        return max((employment for employment in upcoming if employment.start_date == soonest), key=_precedence)
    return max(
        versions, key=lambda employment: (employment.end_date or date.max, *_precedence(employment)), default=None
    )


def _precedence(employment: Employment) -> tuple[date, str]:
    return employment.start_date, employment.employment_id
