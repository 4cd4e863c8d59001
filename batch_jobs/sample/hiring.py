"""How the workspace begins and how people come, get their user and leave: the first settings and people events."""

from collections import deque
from datetime import date, timedelta
from typing import Any

from batch_jobs.sample.people import Person, Unit
from batch_jobs.sample.settings import MAIN_CALENDAR
from batch_jobs.sample.workplace import Workplace

INVITATION_DAYS = 7
"""After this many days the purge takes an invitation back (domain 6.1)."""


class Hiring:
    """Enters settings and people, and keeps their users up to date."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._chance = workplace.chance("hiring")
        self._invited: deque[tuple[date, Person]] = deque()

    def begin(self) -> None:
        """The first day: the workspace and its settings, then its units and people; put down those to come."""
        workplace, company = self._workplace, self._workplace.company
        created = {
            "name": company.name,
            "timezone": company.timezone,
            "default_holiday_calendar_id": MAIN_CALENDAR,
            "locale": company.country.locale,
        }
        workplace.journal.record(8 * 60, "workspace.created", created, actor="user:u-1")
        if not workplace.people:
            # Someone is looking round, and has invited nobody yet.
            user = {"user_id": "u-1", "email": f"office@{company.workspace_id}.example", "status": "active"}
            workplace.journal.record(8 * 60 + 5, "user.defined", user, actor="user:u-1")
        for kind, payload in workplace.settings.definitions():
            workplace.define(8 * 60 + 10, kind, payload)
        for unit in workplace.units:
            workplace.define(8 * 60 + 40, "org_unit", unit_payload(unit))
        for person in workplace.people:
            workplace.agenda.add(person.hired_on, self._hire, person)

    def night(self) -> None:
        """The purge takes back invitations that nobody took up."""
        today = self._workplace.today
        while self._invited and (today - self._invited[0][0]).days > INVITATION_DAYS:
            _, person = self._invited.popleft()
            if not person.signed_in:
                parts = ("purge_expired_data", "user", person.user_id)
                payload = {"user_id": person.user_id}
                self._workplace.journal.record_job(parts[0], "user.invitation_expired", payload, *parts)

    def _hire(self, person: Person) -> None:
        workplace = self._workplace
        first_day = workplace.today == workplace.first
        # In the morning, and spread over it on the day when everyone is entered.
        minute = 9 * 60 + (person.number * 300 // len(workplace.people) if first_day else self._chance.randrange(120))
        employee: dict[str, Any] = {"employee_id": person.employee_id, "name": person.name, "email": person.email}
        if person.preferred_name:
            employee["preferred_name"] = person.preferred_name
        person.known = True
        workplace.define(minute, "employee", employee)
        self._employ(minute, person)
        self._account(person, minute)
        if person.leaves_on and person.notice_on:
            workplace.agenda.add(max(person.notice_on, workplace.today), self._give_notice, person)

    def _employ(self, minute: int, person: Person) -> None:
        workplace, past = self._workplace, self._chance.random()
        employment: dict[str, Any] = {
            "employment_id": f"{person.employee_id}/1",
            "employee_id": person.employee_id,
            "start_date": person.start.isoformat(),
            "job_title": person.title,
            "org_unit_id": person.unit.unit_id,
        }
        if person.manager:
            employment["manager_id"] = person.manager.employee_id
        employment["terms_id"] = person.terms_id
        years_here = (workplace.first - person.start).days // 365
        if years_here >= 2 and past < 0.05:
            # They have been here before, and came back.
            earlier = {
                **employment,
                "start_date": (person.start - timedelta(days=900)).isoformat(),
                "end_date": (person.start - timedelta(days=200)).isoformat(),
            }
            workplace.define(minute, "employment", earlier)
            employment["employment_id"] = f"{person.employee_id}/2"
        elif years_here >= 2 and past < 0.2:
            # They were promoted before the company came to the product.
            titles = {other.title for other in workplace.people if other.unit is person.unit}
            former = {**employment, "job_title": sorted(titles)[0]}
            workplace.define(minute, "employment", former)
            workplace.employ(minute, person, employment, effective=person.start + timedelta(days=500))
            return
        workplace.employ(minute, person, employment)

    def _account(self, person: Person, minute: int) -> None:
        workplace, today = self._workplace, self._workplace.today
        at_once = person.start <= today
        if person.user in ("active", "suspended"):
            if at_once:
                self._define_user(minute, person, "active")
            else:
                self._invite(minute, person)
                workplace.agenda.add(person.start, self._define_user, 8 * 60 + 20, person, "active")
        if person.user == "suspended":
            later = today + timedelta(days=self._chance.randrange(20, 200))
            workplace.agenda.add(later, self._define_user, 16 * 60, person, "suspended")
        elif person.user == "invited":
            later = max(today, workplace.until - timedelta(days=self._chance.randrange(16)))
            workplace.agenda.add(later, self._invite, 10 * 60 + person.number % 300, person)

    def _invite(self, minute: int, person: Person) -> None:
        self._invited.append((self._workplace.today, person))
        self._define_user(minute, person, "invited")

    def _define_user(self, minute: int, person: Person, status: str) -> None:
        workplace = self._workplace
        if person.end and person.end < workplace.today and status != "suspended":
            return
        user: dict[str, Any] = {
            "user_id": person.user_id,
            "email": person.email,
            "employee_id": person.employee_id,
            "status": status,
        }
        if status == "invited":
            user["invited_at"] = workplace.journal.stamp(minute)
        if person.number % 17 == 0:
            user["email_notifications"] = False
        # Some speak another of the product's languages than their workspace does.
        if person.number % 13 == 0:
            user["locale"] = "en"
        workplace.define(minute, "user", user)
        person.signed_in = status == "active"

    def _give_notice(self, person: Person) -> None:
        workplace = self._workplace
        last_day = person.leaves_on or workplace.today
        workplace.employ(11 * 60 + person.number % 240, person, {"end_date": last_day.isoformat()})
        if person.signed_in:
            workplace.agenda.add(last_day, self._leave, person)
        if person.number % 5 == 0:
            workplace.agenda.add(last_day + timedelta(days=30), self._remove, person)

    def _leave(self, person: Person) -> None:
        # At the end of the last day, after the last statement is handed in.
        self._define_user(18 * 60 + 30, person, "suspended")

    def _remove(self, person: Person) -> None:
        workplace = self._workplace
        payload = {"employee_id": person.employee_id}
        workplace.journal.record(14 * 60, "employee.removed", payload, actor=workplace.actor())


def unit_payload(unit: Unit) -> dict[str, Any]:
    """The definition of a unit as it stands."""
    payload: dict[str, Any] = {"org_unit_id": unit.unit_id, "name": unit.name}
    if unit.parent:
        payload["parent_id"] = unit.parent.unit_id
    if unit.head:
        payload["head_id"] = unit.head.employee_id
    if unit.calendar_id:
        payload["holiday_calendar_id"] = unit.calendar_id
    # Finance books by department.
    if unit.parent and not unit.parent.parent:
        payload["gl_code"] = f"{4000 + int(unit.unit_id[2:]) * 10}"
    return payload
