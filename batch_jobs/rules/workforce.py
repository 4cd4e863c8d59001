"""One workspace's people and settings, asked about a day. Composes the rules of domain 3.0 to 3.4, adds none."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from batch_jobs.rules import approval_periods, employments
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.calendars import Holiday, holidays_between
from batch_jobs.rules.conditions import Conditions, ConditionsResolver
from batch_jobs.rules.definitions import Definitions
from batch_jobs.rules.employment_periods import EmploymentPeriod, employment_periods
from batch_jobs.rules.employments import Coverage, Status
from batch_jobs.rules.entities import Employment, EmploymentTerms, HolidayCalendar, Norm, User
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.org_tree import OrgTree, manager_of
from batch_jobs.rules.versions import Versions
from batch_jobs.rules.work_schedules import WorkSchedule, available_days


class Workforce:
    """Answers from one workspace's definitions, each computed once and kept while the object lives.

    Every answer is for an employee id, known or not: someone without employments is `ended` and expected nowhere.
    Removed employees are answered for as well, since what happened stays; who is left is in `definitions.employees`.
    It may hold a part of the employees with all of the other kinds; `unit_employees` then sees the part.

    Attributes:
        definitions: what it was built from.
        org_tree: the workspace's org units.
    """

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.org_tree = OrgTree(definitions.org_units)
        self._resolver = ConditionsResolver(definitions, self.org_tree)
        self._current: dict[str, Versions[Employment | None]] = {}
        self._employments: defaultdict[str, dict[str, Versions[Employment]]] = defaultdict(dict)
        for employment_id, employment in definitions.employments.items():
            for version in employment.values():
                self._employments[version.employee_id][employment_id] = employment
        self._users: defaultdict[str, dict[str, Versions[User]]] = defaultdict(dict)
        for user_id, user in definitions.users.items():
            for known_as in user.values():
                if known_as.employee_id:
                    self._users[known_as.employee_id][user_id] = user

    # People (domain 3.1)

    def coverage(self, employee_id: str) -> list[Coverage]:
        """The days that each version of each employment covers, current or not."""
        held = self._employments.get(employee_id, {})
        return [span for versions in held.values() for span in employments.coverage(employee_id, versions)]

    def current_employments(self, employee_id: str) -> Versions[Employment | None]:
        """The current employment of every day, None where there is none."""
        if employee_id not in self._current:
            self._current[employee_id] = employments.current_employments(self.coverage(employee_id))
        return self._current[employee_id]

    def current_employment(self, employee_id: str, day: date) -> Employment | None:
        """The covering employment that started last, ties by the greatest id."""
        return self.current_employments(employee_id).on(day)

    def status(self, employee_id: str, day: date) -> Status:
        """`active`, `pending` or `ended`, by the versions in force on the day."""
        return employments.status(self._in_force(employee_id, day), day)

    def shown_employment(self, employee_id: str, day: date) -> Employment | None:
        """The employment that the directory shows: the current one, for pending the next, for ended the last."""
        current = self.current_employment(employee_id, day)
        return current or employments.next_or_last(self._in_force(employee_id, day), day)

    def last_covered_day(self, employee_id: str, day: date) -> date | None:
        """The day itself or the last one before it that an employment covers; None when there is none."""
        days = [
            last for _, last, employment in self.current_employments(employee_id).between(date.min, day) if employment
        ]
        return days[-1] if days else None

    def manager(self, employee_id: str, day: date) -> str | None:
        """Who manages the employee by their current employment; nobody without one. Never the employee themself."""
        current = self.current_employment(employee_id, day)
        return self.manager_of(current, day) if current else None

    def manager_of(self, employment: Employment, day: date) -> str | None:
        """Who manages by this employment, current or not, in the org tree of the day."""
        return manager_of(employment, self.org_tree.way_up(employment.org_unit_id).on(day))

    def active_user(self, employee_id: str, day: date) -> User | None:
        """The employee's user with status `active`, of several the one with the smallest id (domain 6)."""
        user = self.user(employee_id, day)
        return user if user and user.status == "active" else None

    def user(self, employee_id: str, day: date) -> User | None:
        """The user that stands for the employee: an active one before others, of several the smallest id."""
        linked = (versions.on(day) for versions in self._users.get(employee_id, {}).values())
        known = [user for user in linked if user.employee_id == employee_id]
        return min(known, key=lambda user: (user.status != "active", user.user_id), default=None)

    # Org units (domain 3.1)

    def org_path(self, unit_id: str | None, day: date) -> tuple[str, ...]:
        """The ids from the root down to the unit, each once; empty for a unit that is not defined."""
        return self.org_tree.path(unit_id, day)

    def descendants(self, unit_id: str, day: date) -> frozenset[str]:
        """The unit and all units below it; empty for a unit that is not defined."""
        return self.org_tree.descendants(unit_id, day)

    def unit_employees(self, unit_id: str, day: date) -> frozenset[str]:
        """The employees, not removed, whose current employment belongs to the unit or one below it (domain 6)."""
        units = self.descendants(unit_id, day)
        current = {employee_id: self.current_employment(employee_id, day) for employee_id in self.definitions.employees}
        return frozenset(who for who, employment in current.items() if employment and employment.org_unit_id in units)

    # Conditions of the current employment (domain 3.2, 3.3, 3.4). None: no employment on that day.

    def terms(self, employee_id: str, day: date) -> EmploymentTerms | None:
        """The terms in force. Raises UndefinedReferenceError when the employment's terms are not defined."""
        for _, _, employment, conditions in self._stretches(employee_id, day, day):
            if conditions.terms is None:
                raise _undefined(employment, conditions)
            return conditions.terms
        return None

    def approval_period(self, employee_id: str, day: date) -> Period | None:
        """The approval period that holds the day, None also on terms without approval. Raises as `terms`."""
        terms = self.terms(employee_id, day)
        return approval_periods.period(terms.approval_period, day) if terms else None

    def norm(self, employee_id: str, day: date) -> Norm | None:
        """The norm in force. Raises UndefinedReferenceError when terms or work-time policy are not defined."""
        return next((schedule.norm for _, _, schedule in self.schedules(employee_id, day, day)), None)

    def calendar(self, employee_id: str, day: date) -> HolidayCalendar | None:
        """The holiday calendar in force, None also when nothing names a defined one."""
        return next((found.calendar for _, _, _, found in self._stretches(employee_id, day, day)), None)

    def holidays(self, employee_id: str, start: date, end: date) -> dict[date, Holiday]:
        """The holidays of the employee from start to end, each by the calendar in force on it.

        Raises:
            UnknownCalendarError: a calendar's country or subdivision is not known.
        """
        found: dict[date, Holiday] = {}
        for first, last, _, conditions in self._stretches(employee_id, start, end):
            if conditions.calendar:
                found.update(holidays_between(conditions.calendar, first, last))
        return found

    # Expected work of the current employment (domain 3.3)

    def schedules(self, employee_id: str, start: date, end: date) -> Iterator[tuple[date, date, WorkSchedule]]:
        """The work schedules from start to end as `(first day, last day, schedule)`; nothing where not employed.

        Employees with equal norm and calendar get the same object, so that work on many days and many employees can be
        done once per schedule.

        Raises:
            UndefinedReferenceError: terms or work-time policy of an employment on those days are not defined.
        """
        for first, last, employment, conditions in self._stretches(employee_id, start, end):
            if conditions.schedule is None:
                raise _undefined(employment, conditions)
            yield first, last, conditions.schedule

    def schedules_or_errors(
        self, employee_id: str, start: date, end: date
    ) -> Iterator[tuple[date, date, WorkSchedule | UndefinedReferenceError]]:
        """As `schedules`, with what it would raise in place of a schedule that can not be told."""
        for first, last, employment, conditions in self._stretches(employee_id, start, end):
            yield first, last, conditions.schedule or _undefined(employment, conditions)

    def expected_minutes(self, employee_id: str, day: date) -> int:
        """The minutes expected on the day, 0 without employment.

        Raises:
            UndefinedReferenceError: as `schedules`.
            UnknownCalendarError: the calendar's country or subdivision is not known.
        """
        return next((schedule.minutes(day) for _, _, schedule in self.schedules(employee_id, day, day)), 0)

    def minutes_between(self, employee_id: str, start: date, end: date) -> list[int]:
        """The expected minutes of each day from start to end, both included. Raises as `expected_minutes`."""
        minutes: list[int] = []
        for first, last, schedule in self.schedules(employee_id, start, end):
            minutes += [0] * ((first - start).days - len(minutes))
            minutes += schedule.minutes_between(first, last)
        return minutes + [0] * ((end - start).days + 1 - len(minutes))

    def working_days(self, employee_id: str, start: date, end: date) -> list[date]:
        """The days from start to end with expected minutes. Raises as `expected_minutes`."""
        stretches = self.schedules(employee_id, start, end)
        return [day for first, last, schedule in stretches for day in schedule.working_days(first, last)]

    def available_days(
        self, employee_id: str, start: date, end: date, absences: Iterable[tuple[date, date | None]]
    ) -> list[date]:
        """The working days from start to end that no approved full-day absence covers. Raises as `expected_minutes`.

        Args:
            employee_id: whose days.
            start: first day.
            end: last day.
            absences: first and last day (None: open-ended) of the employee's approved full-day absences.
        """
        return available_days(self.working_days(employee_id, start, end), absences)

    # The projection `employment_periods` (domain 4)

    def employment_periods(self, employee_id: str) -> list[EmploymentPeriod]:
        """The employee's rows, by employment and day; also for someone removed, whom the projection leaves out."""
        covered = {
            employment_id: employments.coverage(employee_id, versions)
            for employment_id, versions in self._employments.get(employee_id, {}).items()
        }
        return employment_periods(covered, self._resolver.conditions)

    def _in_force(self, employee_id: str, day: date) -> list[Employment]:
        held = (versions.on(day) for versions in self._employments.get(employee_id, {}).values())
        return [employment for employment in held if employment.employee_id == employee_id]

    def _stretches(
        self, employee_id: str, start: date, end: date
    ) -> Iterator[tuple[date, date, Employment, Conditions]]:
        for first, last, employment in self.current_employments(employee_id).between(start, end):
            if employment:
                for begin, until, conditions in self._resolver.conditions(employment).between(first, last):
                    yield begin, until or end, employment, conditions


def _undefined(employment: Employment, conditions: Conditions) -> UndefinedReferenceError:
    return UndefinedReferenceError(f'employment "{employment.employment_id}": {conditions.missing}')
