"""Absences as people and the application record them: requests, decisions, sickness and its end (domain 3.6)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from batch_jobs.sample.absence_plans import Plan, plan_absences
from batch_jobs.sample.balances import Balances
from batch_jobs.sample.countries.country import Payload
from batch_jobs.sample.people import Person
from batch_jobs.sample.tonight import plans_for_tonight
from batch_jobs.sample.workplace import Workplace, days_between

_ONE_DAY = timedelta(days=1)


@dataclass(slots=True, eq=False)
class Absence:
    """An approved absence as it stands: `consumed` holds what was taken for which day."""

    absence_id: str
    person: Person
    policy: Payload
    start: date
    end: date | None
    fraction: float
    open_ended: bool
    consumed_to: date | None
    consumed: list[tuple[date, int]]


class Absences:
    """Lets people be away, and holds what the jobs of the night look at.

    Attributes:
        closed: approved absences with an end, not fully consumed, in the order of approval.
        ongoing: open-ended ones that go on.
    """

    def __init__(self, workplace: Workplace, balances: Balances) -> None:
        self._workplace = workplace
        self._balances = balances
        self._chance = workplace.chance("absences")
        self._fixed = plans_for_tonight(workplace)
        self._planned: set[Person] = set()
        self._count = 0
        self.closed: dict[Absence, None] = {}
        self.ongoing: dict[Absence, None] = {}

    def daytime(self) -> None:
        """Plan the absences of those who are new; what is planned then happens by the agenda."""
        agenda = self._workplace.agenda
        for person in self._workplace.people:
            if person.known and person.schedules and person not in self._planned:
                self._planned.add(person)
                fixed = self._fixed.get(person, [])
                for plan in plan_absences(self._workplace, person, self._chance, fixed):
                    agenda.add(plan.requested_on, self._request, person, plan)

    def _request(self, person: Person, plan: Plan) -> None:
        self._count += 1
        absence_id = f"a-{self._count}"
        payload: dict[str, Any] = {
            "absence_id": absence_id,
            "employee_id": person.employee_id,
            "policy_id": plan.policy_id,
            "start_date": plan.start.isoformat(),
        }
        if plan.end:
            payload["end_date"] = plan.end.isoformat()
        if plan.fraction < 1:
            payload["fraction"] = plan.fraction
        if plan.end is None:
            payload["approval_required"] = False
        minute = (420 if plan.end is None else 600) + person.number % 50
        self._workplace.journal.record(minute, "time_off.requested", payload, actor=self._workplace.actor(person))
        absence = Absence(
            absence_id,
            person,
            self._workplace.settings.policies[plan.policy_id],
            plan.start,
            plan.end,
            plan.fraction,
            plan.end is None,
            None,
            [],
        )
        if plan.end is None:
            self._begin_sickness(minute, absence, plan)
        elif plan.decided_on:
            decided_on = max(plan.decided_on, self._workplace.today)
            self._workplace.agenda.add(decided_on, self._decide, absence, plan)

    def _begin_sickness(self, minute: int, absence: Absence, plan: Plan) -> None:
        person = absence.person
        person.sick = True
        person.spans.append((absence.start, None))
        person.turn += 1
        self.ongoing[absence] = None
        minutes = person.minutes(absence.start)
        if minutes and "activity_id" in absence.policy:
            # The first day is the application's (domain 6.1).
            activity_id, day = absence.policy["activity_id"], absence.start.isoformat()
            payload = {
                "absence_id": absence.absence_id,
                "employee_id": person.employee_id,
                "activity_id": activity_id,
                "date": day,
                "minutes": minutes,
            }
            self._workplace.journal.record_registration(minute, payload, person.employee_id, activity_id, day)
        if plan.back_on:
            self._workplace.agenda.add(plan.back_on, self._interrupt, absence)

    def _decide(self, absence: Absence, plan: Plan) -> None:
        person, chief = absence.person, absence.person.chief()
        minute = 660 + person.number % 60
        payload = {"absence_id": absence.absence_id, "employee_id": person.employee_id}
        actor = self._workplace.actor(chief)
        if plan.outcome == "rejected":
            reasons = self._workplace.company.country.rejections
            payload["reason"] = reasons[person.number % len(reasons)]
            self._workplace.journal.record(minute, "time_off.rejected", payload, actor=actor)
            return
        self._workplace.journal.record(minute, "time_off.approved", payload, actor=actor)
        self._approve(absence)
        if plan.cancelled_on:
            cancelled_on = max(plan.cancelled_on, self._workplace.today + _ONE_DAY)
            self._workplace.agenda.add(cancelled_on, self._cancel, absence)
        elif plan.back_on:
            self._workplace.agenda.add(plan.back_on, self._interrupt, absence)

    def _approve(self, absence: Absence) -> None:
        person, end = absence.person, absence.end or absence.start
        self.closed[absence] = None
        for day in days_between(absence.start, end):
            person.away[day] = absence.fraction
        if absence.fraction == 1:
            person.spans = [
                span for span in person.spans if span[1] is None or span[1] > absence.start - 150 * _ONE_DAY
            ]
            person.spans.append((absence.start, end))
            person.turn += 1

    def _cancel(self, absence: Absence) -> None:
        payload = {"absence_id": absence.absence_id, "employee_id": absence.person.employee_id}
        actor = self._workplace.actor(absence.person)
        self._workplace.journal.record(500, "time_off.cancelled", payload, actor=actor)
        self._end(absence, absence.start)

    def _interrupt(self, absence: Absence) -> None:
        today = self._workplace.today
        payload = {
            "absence_id": absence.absence_id,
            "employee_id": absence.person.employee_id,
            "date": today.isoformat(),
        }
        # Before a sickness that begins on the same day is reported.
        minute = 410 + absence.person.number % 10
        self._workplace.journal.record(minute, "time_off.interrupted", payload, actor=self._workplace.actor())
        self._end(absence, today)

    def _end(self, absence: Absence, first_day_back: date) -> None:
        """The absence ends before a day: what was planned or taken from that day on is given back (domain 3.6)."""
        person, last_day = absence.person, first_day_back - _ONE_DAY
        if absence.fraction == 1:
            person.spans.remove((absence.start, absence.end))
            if last_day >= absence.start:
                person.spans.append((absence.start, last_day))
            person.turn += 1
        if absence.open_ended:
            person.sick = False
            del self.ongoing[absence]
            return
        for day in days_between(first_day_back, absence.end or last_day):
            person.away.pop(day, None)
        account_id = absence.policy.get("account_id")
        for day, amount in absence.consumed:
            if day >= first_day_back and account_id:
                self._balances.use(person, account_id, day, -amount)
        absence.end = last_day
        if absence in self.closed and (last_day < absence.start or (absence.consumed_to or date.min) >= last_day):
            del self.closed[absence]
