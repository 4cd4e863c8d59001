"""A norm under a holiday calendar: what employees who share both are expected to work, day by day (domain 3.3)."""

from collections.abc import Iterable
from datetime import date
from itertools import chain

from batch_jobs.rules.calendars import Holiday, holidays_between
from batch_jobs.rules.entities import HolidayCalendar, Norm
from batch_jobs.rules.norms import expected_minutes, norm_minutes


class WorkSchedule:
    """Expected minutes by day. Computed a calendar year at a time and kept: few schedules serve many employees.

    Attributes:
        norm: weeks of 7 minute counts.
        calendar: the version of the holiday calendar, or None for no holidays at all.
    """

    __slots__ = ("_years", "calendar", "norm")

    def __init__(self, norm: Norm, calendar: HolidayCalendar | None) -> None:
        self.norm = norm
        self.calendar = calendar
        self._years: dict[int, tuple[int, ...]] = {}

    def minutes(self, day: date) -> int:
        """The expected minutes of the day.

        Raises:
            UnknownCalendarError: the calendar's country or subdivision is not known.
        """
        return self._year(day.year)[day.toordinal() - date(day.year, 1, 1).toordinal()]

    def minutes_between(self, start: date, end: date) -> tuple[int, ...]:
        """The expected minutes of each day from start to end, both included. Raises as `minutes`."""
        if start > end:
            return ()
        offset = date(start.year, 1, 1).toordinal()
        years = [self._year(year) for year in range(start.year, end.year + 1)]
        days = years[0] if len(years) == 1 else tuple(chain.from_iterable(years))
        return days[start.toordinal() - offset : end.toordinal() - offset + 1]

    def working_days(self, start: date, end: date) -> list[date]:
        """The days from start to end with expected minutes. Raises as `minutes`."""
        minutes = self.minutes_between(start, end)
        return [date.fromordinal(ordinal) for ordinal, of_day in enumerate(minutes, start.toordinal()) if of_day > 0]

    def holidays_between(self, start: date, end: date) -> dict[date, Holiday]:
        """The calendar's holidays from start to end, both included. Raises as `minutes`."""
        return holidays_between(self.calendar, start, end) if self.calendar else {}

    def _year(self, year: int) -> tuple[int, ...]:
        if year not in self._years:
            first, last = date(year, 1, 1), date(year, 12, 31)
            minutes = norm_minutes(self.norm, first, last.toordinal() - first.toordinal() + 1)
            for day, holiday in self.holidays_between(first, last).items():
                index = day.toordinal() - first.toordinal()
                minutes[index] = expected_minutes(minutes[index], holiday.fraction)
            self._years[year] = tuple(minutes)
        return self._years[year]


def available_days(working_days: Iterable[date], absences: Iterable[tuple[date, date | None]]) -> list[date]:
    """The working days that no absence covers (domain 3.3).

    Args:
        working_days: days with expected minutes.
        absences: first and last day (None: open-ended) of the employee's approved full-day absences, whether planned,
            active or used; they may overlap.
    """
    spans = list(absences)
    return [day for day in working_days if not any(start <= day and (not end or day <= end) for start, end in spans)]
