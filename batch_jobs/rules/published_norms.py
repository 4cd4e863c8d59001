"""Norms as they are published: expected minutes week by week, thirteen weeks ahead (domain 6.1)."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from batch_jobs.rules.calendars import Holiday
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.versions import ONE_DAY
from batch_jobs.rules.work_schedules import WorkSchedule
from batch_jobs.rules.workforce import Workforce

WEEKS = 13
_WEEK, _SUNDAY = timedelta(weeks=1), timedelta(days=6)
# Of the last week that is whole: the calendar of Python ends on Friday 31 December 9999.
_LAST_MONDAY = date(9999, 12, 20)
FORMULA = 1
"""Goes up when the same inputs shall give other weeks, so that all are looked at again."""
_UNDEFINED = "not defined"


class PublishedWeek(NamedTuple):
    """The expected minutes of one week, Monday first, and the dates and names of its holidays."""

    monday: date
    minutes: tuple[int, ...]
    holidays: tuple[tuple[date, str], ...]


class Basis(NamedTuple):
    """What all weeks of an employee depend on, whatever the run date.

    Attributes:
        fingerprint: over the norm and the calendar in force on every day, and the edition of the public holidays.
        problem: why the norm of their last days can not be told, None where it can. Days before them that are followed
            by others do not matter.
    """

    fingerprint: str
    problem: str | None


class Publication(NamedTuple):
    """One `norm.published`: it moves the cursor to `through_week`, a Monday, also without any week."""

    through_week: date
    fingerprint: str
    weeks: tuple[PublishedWeek, ...]


def window(run_date: date) -> list[date]:
    """The Mondays of the 13 weeks of ISO 8601 that begin with the week of the run date; fewer at the end of time."""
    monday = min(run_date - timedelta(days=run_date.weekday()), _LAST_MONDAY)
    return [monday + number * _WEEK for number in range(min(WEEKS, (_LAST_MONDAY - monday) // _WEEK + 1))]


class NormPublisher:
    """What to publish for the employees of one workspace. Weeks under one schedule are computed once."""

    def __init__(self, workforce: Workforce) -> None:
        self._workforce = workforce
        self._weeks: dict[tuple[WorkSchedule, date], PublishedWeek] = {}
        self._stretches: dict[tuple[WorkSchedule, date, date], tuple[PublishedWeek, ...]] = {}
        self._described: dict[WorkSchedule, str] = {}

    def week(self, employee_id: str, monday: date) -> PublishedWeek:
        """The employee's week; 0 minutes and no holidays on days without employment.

        Raises:
            UndefinedReferenceError: terms or work-time policy are not defined.
            UnknownCalendarError: a holiday calendar's country or subdivision is not known.
        """
        sunday = monday + _SUNDAY
        stretches = list(self._workforce.schedules(employee_id, monday, sunday))
        if len(stretches) == 1 and stretches[0][:2] == (monday, sunday):
            key = (stretches[0][2], monday)
            if key not in self._weeks:
                schedule = key[0]
                holidays = _named(schedule.holidays_between(monday, sunday))
                self._weeks[key] = PublishedWeek(monday, schedule.minutes_between(monday, sunday), holidays)
            return self._weeks[key]
        minutes = self._workforce.minutes_between(employee_id, monday, sunday)
        return PublishedWeek(monday, tuple(minutes), _named(self._workforce.holidays(employee_id, monday, sunday)))

    def weeks(self, employee_id: str, first: date, last: date) -> tuple[PublishedWeek, ...]:
        """The employee's weeks from one Monday to another, both included. Raises as `week`."""
        stretches = list(self._workforce.schedules(employee_id, first, last + _SUNDAY))
        mondays = [first + number * _WEEK for number in range((last - first) // _WEEK + 1)]
        if len(stretches) == 1 and stretches[0][:2] == (first, last + _SUNDAY):
            key = (stretches[0][2], first, last)
            if key not in self._stretches:
                self._stretches[key] = tuple(self.week(employee_id, monday) for monday in mondays)
            return self._stretches[key]
        return tuple(self.week(employee_id, monday) for monday in mondays)

    def basis(self, employee_id: str) -> Basis:
        """What the employee's weeks depend on. Days whose norm can not be told are described as such."""
        parts: list[tuple[str, str, str]] = []
        problem = None
        for first, last, found in self._workforce.schedules_or_errors(employee_id, date.min, date.max):
            problem = str(found) if isinstance(found, UndefinedReferenceError) else None
            described = _UNDEFINED if isinstance(found, UndefinedReferenceError) else self._describe(found)
            if parts and parts[-1][2] == described and date.fromisoformat(parts[-1][1]) + ONE_DAY == first:
                parts[-1] = (parts[-1][0], str(last), described)
            else:
                parts.append((str(first), str(last), described))
        return Basis(sha256(f"{FORMULA}|{json.dumps(parts)}".encode()).hexdigest(), problem)

    def fingerprint(self, employee_id: str) -> str:
        """The fingerprint of `basis`."""
        return self.basis(employee_id).fingerprint

    def publication(
        self,
        employee_id: str,
        run_date: date,
        *,
        through_week: date | None,
        fingerprint: str | None,
        published: Mapping[date, PublishedWeek],
        force: bool = False,
    ) -> Publication | None:
        """What to publish on the run date; None when the cursor is at the end of the window and nothing changed.

        The weeks after the cursor, or all of the window when the fingerprint is another one, without those that stand
        published just so. The cursor goes to the window's last week, also backwards, so that weeks published beyond
        it under another fingerprint are looked at again. Days outside of the weeks in question do not matter.

        Args:
            employee_id: whose weeks.
            run_date: with whose week the window begins.
            through_week: the cursor, None when nothing was ever published.
            fingerprint: of the last publication.
            published: the weeks that stand published, by Monday.
            force: publish every week of the window, whatever stands.

        Raises:
            UndefinedReferenceError: as `week`.
            UnknownCalendarError: as `week`.
        """
        mondays, now = window(run_date), self.fingerprint(employee_id)
        if not force and now == fingerprint and through_week is not None:
            mondays = [monday for monday in mondays if monday > through_week]
            if not mondays:
                return None
        weeks = self.weeks(employee_id, mondays[0], mondays[-1])
        if published and not force:
            weeks = tuple(week for week in weeks if week != published.get(week.monday))
        return Publication(mondays[-1], now, weeks)

    def _describe(self, schedule: WorkSchedule) -> str:
        if schedule not in self._described:
            calendar = schedule.calendar
            country = f"{calendar.country}/{calendar.subdivision}/{_edition()}" if calendar and calendar.country else ""
            custom = [(str(day.date), day.name, str(day.fraction)) for day in calendar.custom_days] if calendar else []
            self._described[schedule] = json.dumps([schedule.norm, country, custom])
        return self._described[schedule]


def _named(holidays: Mapping[date, Holiday]) -> tuple[tuple[date, str], ...]:
    return tuple((day, holiday.name) for day, holiday in holidays.items())


@cache
def _edition() -> str:
    """The version of the `holidays` library: another one may know other holidays."""
    from importlib.metadata import version

    return version("holidays")
