"""What an employment gets from its terms, org unit and workspace: norm and holiday calendar (domain 3.2, 3.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from batch_jobs.rules.calendars import first_defined
from batch_jobs.rules.definitions import Definitions
from batch_jobs.rules.entities import Employment, EmploymentTerms, HolidayCalendar, Norm, OrgUnit
from batch_jobs.rules.norms import norm_in_force
from batch_jobs.rules.org_tree import OrgTree
from batch_jobs.rules.versions import Versions
from batch_jobs.rules.work_schedules import WorkSchedule


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of an employment while none of the definitions behind them changes.

    Attributes:
        terms: None when the employment's `terms_id` is not defined.
        calendar: None when nothing on the way names a defined calendar.
        schedule: norm and calendar; None when `missing` says what is not defined. Employments of a workspace with
            equal norm and calendar share the very same object.
        missing: the reference that is not defined, and the remedy, in words.
    """

    terms: EmploymentTerms | None
    calendar: HolidayCalendar | None
    schedule: WorkSchedule | None
    missing: str | None = None


class ConditionsResolver:
    """Finds the conditions of the employments of one workspace. Those alike in terms, unit and calendar share them."""

    def __init__(self, definitions: Definitions, org_tree: OrgTree) -> None:
        self._workspace_id = definitions.workspace_id
        self._default_calendar_id = definitions.workspace.default_holiday_calendar_id
        self._org_tree = org_tree
        self._terms = definitions.terms
        self._policies = definitions.work_time_policies
        self._calendars = definitions.holiday_calendars
        self._resolved: dict[tuple[str | None, str, str | None], Versions[Conditions]] = {}
        self._schedules: dict[tuple[Norm, HolidayCalendar | None], WorkSchedule] = {}

    def conditions(self, employment: Employment) -> Versions[Conditions]:
        """The conditions that this version of an employment has or would have on every day."""
        key = (employment.holiday_calendar_id, employment.terms_id, employment.org_unit_id)
        if key not in self._resolved:
            self._resolved[key] = Versions.piecewise(
                self._changes(employment), lambda day: self._conditions_on(employment, day)
            )
        return self._resolved[key]

    def _conditions_on(self, employment: Employment, day: date) -> Conditions:
        way_up = self._org_tree.way_up(employment.org_unit_id).on(day)
        terms = self._terms[employment.terms_id].on(day) if employment.terms_id in self._terms else None
        calendar_id = first_defined(self._candidates(employment, terms, way_up), self._calendars)
        calendar = self._calendars[calendar_id].on(day) if calendar_id else None
        if terms is None:
            return Conditions(None, calendar, None, self._missing("terms_id", employment.terms_id, "employment_terms"))
        policy_id = terms.work_time_policy_id
        if policy_id and policy_id not in self._policies:
            missing = f'terms "{terms.terms_id}": ' + self._missing(
                "work_time_policy_id", policy_id, "work_time_policy"
            )
            return Conditions(terms, calendar, None, missing)
        norm = norm_in_force(terms, self._policies[policy_id].on(day) if policy_id else None)
        schedule = self._schedules.setdefault((norm, calendar), WorkSchedule(norm, calendar))
        return Conditions(terms, calendar, schedule)

    def _candidates(
        self, employment: Employment, terms: EmploymentTerms | None, way_up: tuple[OrgUnit, ...]
    ) -> Iterator[str | None]:
        yield employment.holiday_calendar_id
        yield terms.holiday_calendar_id if terms else None
        for unit in way_up:
            yield unit.holiday_calendar_id
        yield self._default_calendar_id

    def _changes(self, employment: Employment) -> set[date]:
        """Every day on which a definition that may matter changes; days too many merge away again."""
        ways_up = self._org_tree.way_up(employment.org_unit_id)
        terms = self._terms.get(employment.terms_id)
        changes = set(ways_up.changes())
        calendar_ids = {employment.holiday_calendar_id, self._default_calendar_id}
        calendar_ids.update(unit.holiday_calendar_id for way_up in ways_up.values() for unit in way_up)
        if terms:
            changes.update(terms.changes())
            for version in terms.values():
                calendar_ids.add(version.holiday_calendar_id)
                if policy := self._policies.get(version.work_time_policy_id or ""):
                    changes.update(policy.changes())
        for calendar_id in calendar_ids:
            if calendar := self._calendars.get(calendar_id or ""):
                changes.update(calendar.changes())
        return changes

    def _missing(self, field: str, value: str, entity: str) -> str:
        return (
            f'{field} "{value}" is not defined in workspace "{self._workspace_id}"; import its {entity}.defined first'
        )
