"""What the parts of one workspace's story share: its people, its settings, its days, and how they write things down."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from random import Random
from typing import Any

from batch_jobs.rules.definitions import ALL_KINDS, Definitions
from batch_jobs.rules.entities import Workspace
from batch_jobs.rules.workforce import Workforce
from batch_jobs.sample.agenda import Agenda
from batch_jobs.sample.companies import Company
from batch_jobs.sample.countries.country import Payload
from batch_jobs.sample.journal import Journal
from batch_jobs.sample.people import Person, Unit
from batch_jobs.sample.settings import MAIN_CALENDAR, Settings
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES

_Row = tuple[str, str, date | None, Payload]

_OF_THE_RULES = ALL_KINDS
_ID_FIELDS = {entity.kind: entity.id_field for entity in DEFINED_ENTITIES.values()}


@dataclass
class Workplace:
    """One workspace on its present day.

    Attributes:
        first: day on which the company began to use the product.
        until: last day of the history.
        last_night: last day on which the jobs ran.
        people: everyone, also those to come, by number.
        agenda: what people and applications do in the course of a day.
        defined: the payload that stands of each (kind, id).
    """

    company: Company
    settings: Settings
    seed: str
    first: date
    until: date
    last_night: date
    journal: Journal = field(init=False)
    units: list[Unit] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    agenda: Agenda = field(default_factory=Agenda)
    defined: dict[tuple[str, str], Payload] = field(default_factory=dict)
    _rows: defaultdict[str | None, list[_Row]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.journal = Journal(self.company.workspace_id, self.company.timezone, self.chance("ids"))

    @property
    def today(self) -> date:
        """The day of the story."""
        return self.journal.day

    def chance(self, theme: str) -> Random:
        """The dice of one part of the story, so that no part's throws depend on another's."""
        return Random(f"{self.seed}/{self.company.workspace_id}/{theme}")  # noqa: S311 (a sample, no secret)

    def staff(self) -> list[Person]:
        """Those employed today, as far as the company knows."""
        today = self.today
        return [person for person in self.people if person.employed(today)]

    def actor(self, person: Person | None = None) -> str:
        """Who acts for the person: their own user, or the office when they have none."""
        if person and person.signed_in:
            return f"user:{person.user_id}"
        office = next((one for one in self.people[:3] if one.signed_in and one.employed(self.today)), None)
        return f"user:{office.user_id}" if office else "user:u-1"

    def workforce(self, people: Iterable[Person]) -> Workforce:
        """What the rules know of these people: all that has been defined of them, and the settings."""
        created = Workspace(self.company.name, self.company.timezone, MAIN_CALENDAR)
        rows = chain(self._rows[None], *(self._rows[person.employee_id] for person in people))
        return Workforce(Definitions.from_rows(self.company.workspace_id, created, rows))

    def define(self, minute: int, kind: str, payload: Payload, *, effective: date | None = None) -> None:
        """Enter a definition, for all days or from a day on."""
        self.stand(kind, payload, effective)
        dated = {**payload, "effective_date": effective.isoformat()} if effective else payload
        self.journal.record(minute, f"{kind}.defined", dated, actor=self.actor())

    def stand(self, kind: str, payload: Payload, effective: date | None) -> None:
        """Remember what stands of an entity, for all days or from a day on."""
        entity_id = payload[_ID_FIELDS[kind]]
        self.defined[kind, entity_id] = payload
        if kind in _OF_THE_RULES:
            self._rows[payload.get("employee_id")].append((kind, entity_id, effective, payload))

    def employ(self, minute: int, person: Person, changes: Mapping[str, Any], *, effective: date | None = None) -> None:
        """Enter a person's employment anew with some fields changed, None clears one; the story knows at once."""
        changed = {**person.employment, **changes}
        person.employment = {field: value for field, value in changed.items() if value is not None}
        if effective is None and person.versions:
            # Without a day it would replace the versions that stand, for all days.
            effective = self.today
        person.versions = effective is not None
        self.define(minute, "employment", person.employment, effective=effective)
        self.settle(person, since=effective)

    def settle(self, person: Person, *, since: date | None) -> None:
        """Bring what the story knows of a person in line with their employment, in force since a day or always."""
        employment = person.employment
        person.terms_id = employment["terms_id"]
        person.title = employment.get("job_title") or person.title
        person.approval = self.settings.approval(person.terms_id)
        person.work_by(self.settings.schedule(person.terms_id, person.unit.calendar_id), since)
        end_date = employment.get("end_date")
        person.end = date.fromisoformat(end_date) if end_date else None
        person.turn += 1


def days_between(start: date, end: date) -> list[date]:
    """The days from start to end, both included."""
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def monday_from(day: date) -> date:
    """The day itself when it is a Monday, else the next one."""
    return day + timedelta(days=-day.weekday() % 7)


def weekday_from(day: date) -> date:
    """The day itself when it is Monday to Friday, else the next Monday."""
    return day if day.weekday() < 5 else monday_from(day)
