"""Absences as people and the application record them: requests, decisions, sickness and its end (domain 3.6)."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from batch_jobs.rules import absences
from batch_jobs.sample.absence_plans import Plan, plan_absences
from batch_jobs.sample.balances import Balances
from batch_jobs.sample.countries.country import Payload
from batch_jobs.sample.people import Person
from batch_jobs.sample.tonight import plans_for_tonight
from batch_jobs.sample.workplace import Workplace, days_between

_ONE_DAY = timedelta(days=1)
_FORGOTTEN = timedelta(days=150)


class _Event(NamedTuple):
    type: str
    payload: Payload


@dataclass(slots=True, eq=False)
class Leave:
    """Someone's absence: how it stands, its policy's payload, and what was taken from the account for which day."""

    person: Person
    policy: Payload
    standing: absences.Absence
    taken: list[tuple[date, int]] = field(default_factory=list)

    def move(self, event_type: str, payload: Payload) -> None:
        """Let an event change how it stands."""
        self.standing = absences.apply(self.standing, _Event(event_type, payload))


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
        self.closed: dict[Leave, None] = {}
        self.ongoing: dict[Leave, None] = {}

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
        standing = absences.apply(None, _Event("time_off.requested", payload))
        leave = Leave(person, self._workplace.settings.policies[plan.policy_id], standing)
        if plan.end is None:
            self._begin_sickness(minute, leave, plan)
        elif plan.decided_on:
            self._workplace.agenda.add(max(plan.decided_on, self._workplace.today), self._decide, leave, plan)

    def _begin_sickness(self, minute: int, leave: Leave, plan: Plan) -> None:
        person, start = leave.person, leave.standing.start_date
        person.sick = True
        person.spans.append((start, None))
        person.turn += 1
        self.ongoing[leave] = None
        minutes, activity_id = person.minutes(start), leave.policy.get("activity_id")
        if minutes and activity_id:
            # The first day is the application's (domain 6.1).
            payload = registration(leave, start, minutes)
            self._workplace.journal.record_registration(
                minute, payload, person.employee_id, activity_id, start.isoformat()
            )
        if plan.back_on:
            self._workplace.agenda.add(plan.back_on, self._interrupt, leave)

    def _decide(self, leave: Leave, plan: Plan) -> None:
        workplace, person = self._workplace, leave.person
        minute, actor = 660 + person.number % 60, workplace.actor(person.chief())
        if plan.outcome == "rejected":
            reasons = workplace.company.country.rejections
            self._move(leave, minute, "rejected", actor, reason=reasons[person.number % len(reasons)])
            return
        self._move(leave, minute, "approved", actor)
        start, end = plan.start, plan.end or plan.start
        self.closed[leave] = None
        for day in days_between(start, end):
            person.away[day] = plan.fraction
        if leave.standing.full_days:
            person.spans = [span for span in person.spans if span[1] is None or span[1] > start - _FORGOTTEN]
            person.spans.append((start, end))
            person.turn += 1
        if plan.cancelled_on:
            workplace.agenda.add(max(plan.cancelled_on, workplace.today + _ONE_DAY), self._cancel, leave)
        elif plan.back_on:
            workplace.agenda.add(plan.back_on, self._interrupt, leave)

    def _cancel(self, leave: Leave) -> None:
        start, end = leave.standing.start_date, leave.standing.end_date
        self._move(leave, 500, "cancelled", self._workplace.actor(leave.person))
        self._give_back(leave, start, end, start)

    def _interrupt(self, leave: Leave) -> None:
        """They are back today, or fall ill: before that sickness is reported."""
        today, end = self._workplace.today, leave.standing.end_date
        minute = 410 + leave.person.number % 10
        self._move(leave, minute, "interrupted", self._workplace.actor(), date=today.isoformat())
        self._give_back(leave, leave.standing.start_date, end, today)

    def _move(self, leave: Leave, minute: int, what: str, actor: str, **more: str) -> None:
        payload = {"absence_id": leave.standing.absence_id, "employee_id": leave.person.employee_id, **more}
        leave.move(f"time_off.{what}", payload)
        self._workplace.journal.record(minute, f"time_off.{what}", payload, actor=actor)

    def _give_back(self, leave: Leave, start: date, end: date | None, back_on: date) -> None:
        """From a day on, people are available again and accounts get back what was taken (domain 3.6)."""
        person, last_day = leave.person, back_on - _ONE_DAY
        if leave.standing.full_days:
            person.spans.remove((start, end))
            if last_day >= start:
                person.spans.append((start, last_day))
            person.turn += 1
        if leave.standing.open_ended:
            person.sick = False
            del self.ongoing[leave]
            return
        for day in days_between(back_on, end or last_day):
            person.away.pop(day, None)
        account_id = leave.policy.get("account_id")
        for day, amount in leave.taken:
            if day >= back_on and account_id:
                self._balances.use(person, account_id, day, -amount)
        if leave.standing.unconsumed() is None:
            self.closed.pop(leave, None)


def registration(leave: Leave, day: date, minutes: int) -> dict[str, Any]:
    """The payload of a day of an open-ended absence on the timesheet."""
    return {
        "absence_id": leave.standing.absence_id,
        "employee_id": leave.person.employee_id,
        "activity_id": leave.policy["activity_id"],
        "date": day.isoformat(),
        "minutes": minutes,
    }
