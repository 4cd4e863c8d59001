"""Changes scheduled for a day, cancelled, or applied by the job when their day has come (domain 3.0, 6.1)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace

_APPLY = "apply_scheduled_changes"


@dataclass(frozen=True, slots=True)
class Change:
    """A change to come. `person` is the one whose employment it is, as it stands when the change is scheduled."""

    entity: str
    entity_id: str
    effective_date: date
    values: dict[str, Any]
    scheduled_on: date
    cancelled_on: date | None = None
    person: Person | None = None


class Changes:
    """Schedules changes by the agenda, and applies them as `apply_scheduled_changes` does."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._scheduled: dict[str, Change] = {}
        self._count = 0
        if workplace.company.chapter in ("ordinary", "suspended") and workplace.people:
            for change in _plan(workplace, workplace.chance("changes")):
                workplace.agenda.add(change.scheduled_on, self._schedule, change)

    def night(self) -> None:
        """Apply what is due, in the order of the days and then of scheduling."""
        today = self._workplace.today
        due = [(change.effective_date, change_id) for change_id, change in self._scheduled.items()]
        for effective_date, change_id in sorted(due, key=lambda pair: pair[0]):
            if effective_date <= today:
                self._apply(change_id, self._scheduled[change_id])

    def _schedule(self, change: Change) -> None:
        workplace = self._workplace
        self._count += 1
        change_id = f"c-{self._count}"
        if change.person:
            change = replace(change, entity_id=change.person.employment["employment_id"])
        self._scheduled[change_id] = change
        payload = {
            "change_id": change_id,
            "entity": change.entity,
            "entity_id": change.entity_id,
            "effective_date": change.effective_date.isoformat(),
            "values": change.values,
        }
        workplace.journal.record(14 * 60 + self._count % 60, "change.scheduled", payload, actor=workplace.actor())
        if change.cancelled_on:
            workplace.agenda.add(change.cancelled_on, self._cancel, change_id)

    def _cancel(self, change_id: str) -> None:
        if self._scheduled.pop(change_id, None):
            workplace = self._workplace
            workplace.journal.record(
                15 * 60 + 40, "change.cancelled", {"change_id": change_id}, actor=workplace.actor()
            )

    def _apply(self, change_id: str, change: Change) -> None:
        workplace = self._workplace
        standing = workplace.defined.get((change.entity, change.entity_id))
        if standing is None:
            # A change of something that does not exist stays scheduled, and fails again every night.
            return
        del self._scheduled[change_id]
        changed = {**standing, **change.values}
        dated = {**changed, "effective_date": change.effective_date.isoformat()}
        workplace.stand(change.entity, changed, change.effective_date)
        workplace.journal.record_job(_APPLY, f"{change.entity}.defined", dated, _APPLY, change_id, "defined")
        workplace.journal.record_job(_APPLY, "change.applied", {"change_id": change_id}, _APPLY, change_id, "applied")
        if change.person:
            change.person.employment, change.person.versions = changed, True
            workplace.settle(change.person, since=change.effective_date)


def _plan(workplace: Workplace, chance: Random) -> list[Change]:
    first, until, company = workplace.first, workplace.until, workplace.company
    country, unit = company.country, workplace.units[-1]
    settled = [
        person for person in workplace.people[1:] if not person.leaves_on and person.start < first
    ] or workplace.people[:1]
    early, late = _first_of_month(first, 110), _first_of_month(first, 230)
    part_time, policy = country.contracts[2].terms_id, country.work_time_policies[0]
    allowance, extra = country.allowance_policies[0], workplace.settings.policies[country.leave.extra]

    def employment(person: Person, effective_date: date, notice: int, **values: Any) -> Change:
        scheduled_on = min(effective_date - timedelta(days=notice), until)
        return Change("employment", "", effective_date, values, scheduled_on, person=person)

    def other(entity: str, entity_id: str, effective_date: date, notice: int, **values: Any) -> Change:
        return Change(entity, entity_id, effective_date, values, min(effective_date - timedelta(days=notice), until))

    def title(person: Person) -> str:
        return country.senior_title.format(person.title)

    someone, renamed, cancelled = (chance.choice(settled) for _ in range(3))
    tomorrow, soon = until + timedelta(days=1), until + timedelta(days=30)
    changes = [
        employment(someone, early, 25, terms_id=part_time),
        other("employee", renamed.employee_id, early, 12, preferred_name=renamed.name.split()[0]),
        other("org_unit", unit.unit_id, late, 30, gl_code="4990"),
        other("work_time_policy", policy["policy_id"], late, 20, max_weekly_minutes=2700),
        other("allowance_policy", allowance["policy_id"], late, 20, name=f"{allowance['name']} {late.year}"),
        other("time_off_policy", extra["policy_id"], late, 20, name=f"{extra['name']} {late.year}"),
    ]
    changes.append(
        replace(employment(cancelled, late, 20, job_title=title(cancelled)), cancelled_on=late - timedelta(days=8))
    )
    if company.chapter == "ordinary":
        promoted, contract = chance.choice(settled), chance.choice(country.contracts)
        changes += [
            employment(promoted, tomorrow, 20, job_title=title(promoted)),
            employment(chance.choice(settled), soon, 31, terms_id=part_time),
            other("employment_terms", contract.terms_id, soon, 40, name=f"{contract.name}, {soon.year}"),
        ]
        if chance.random() < 0.6:
            # Entered on its very day, when the night's run is over.
            changes.append(other("org_unit", workplace.units[0].unit_id, until, 0, gl_code="4000"))
    if "change_of_nobody" in company.faults:
        changes.append(other("employment", "e-9999/1", until - timedelta(days=2), 10, job_title="?"))
    return changes


def _first_of_month(first: date, days: int) -> date:
    return (first + timedelta(days=days)).replace(day=1)
