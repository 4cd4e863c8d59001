"""The days on which a policy earns for an employee, and the hours they work then (domain 3.5)."""

from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.norms import mean_weekly_minutes
from batch_jobs.rules.versions import ONE_DAY
from batch_jobs.rules.workforce import Workforce

WeeklyMinutes: TypeAlias = Callable[[date], Fraction]
"""The mean weekly norm minutes of the employment current on a covered day."""
Hours: TypeAlias = tuple[tuple[date, date, Fraction], ...]
"""First day, last day and the mean weekly norm minutes of the employment current on them."""


class Covered(NamedTuple):
    """Covered days as stretches, both ends included, ascending and apart from each other."""

    stretches: tuple[Period, ...]

    @classmethod
    def joined(cls, stretches: Iterable[Period]) -> "Covered":
        """The days of all stretches, which may overlap and come in any order."""
        found: list[Period] = []
        for start, end in sorted(stretches):
            if found and (found[-1].end == date.max or start <= found[-1].end + ONE_DAY):
                found[-1] = Period(found[-1].start, max(found[-1].end, end))
            else:
                found.append(Period(start, end))
        return cls(tuple(found))

    def within(self, start: date, end: date) -> "Covered":
        """The covered days from start to end."""
        inside = [stretch for stretch in self.stretches if stretch.start <= end and stretch.end >= start]
        return Covered(tuple(Period(max(found.start, start), min(found.end, end)) for found in inside))

    def days(self) -> int:
        """How many days are covered."""
        return sum((end - start).days + 1 for start, end in self.stretches)

    def nearest(self, day: date) -> date:
        """The covered day nearest to a first or last day: none of the covered days lies on its other side."""
        first, last = self.stretches[0].start, self.stretches[-1].end
        return first if day < first else min(day, last)


def covered(workforce: Workforce, employee_id: str, policy_id: str) -> Covered:
    """The days that an employment covers whose terms, as in force on the day, carry the time-off policy.

    Any covering employment counts, not only the current one. Terms that are not defined carry nothing.
    """
    stretches: list[Period] = []
    for span in workforce.coverage(employee_id):
        terms = workforce.definitions.terms.get(span.employment.terms_id)
        if terms is not None:
            for first, last, in_force in terms.between(span.start, span.end):
                if policy_id in in_force.time_off_policy_ids:
                    stretches.append(Period(first, last or date.max))
    return Covered.joined(stretches)


def hours(workforce: Workforce, employee_id: str, start: date, end: date) -> Hours:
    """The mean weekly norm minutes of the current employment from start to end; nothing where there is none.

    Raises:
        UndefinedReferenceError: terms or work-time policy of an employment on those days are not defined.
    """
    found: list[tuple[date, date, Fraction]] = []
    for first, last, schedule in workforce.schedules(employee_id, start, end):
        minutes = mean_weekly_minutes(schedule.norm)
        if found and found[-1][2] == minutes and found[-1][1] + ONE_DAY == first:
            found[-1] = (found[-1][0], last, minutes)
        else:
            found.append((first, last, minutes))
    return tuple(found)


def weekly_minutes(of: Hours) -> WeeklyMinutes:
    """Looks a covered day up in the hours."""

    def on(day: date) -> Fraction:
        return next(minutes for first, last, minutes in of if first <= day <= last)

    return on


def hours_factor(minutes: Fraction, full_time_weekly_minutes: int) -> Fraction:
    """The part of full time that the weekly minutes are, at most 1."""
    return min(Fraction(1), minutes / full_time_weekly_minutes)
