"""Absences that give the coming night something to do, whatever the day of the year. Plans only."""

from collections.abc import Callable
from datetime import date, timedelta

from batch_jobs.sample.absence_plans import Plan
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace


def plans_for_tonight(workplace: Workplace) -> dict[Person, list[Plan]]:
    """By person: a holiday that begins, one entered too late, one to be reminded of, a sickness that goes on.

    Not every workspace has all of them, so that jobs differ in where they are due.
    """
    company, chance = workplace.company, workplace.chance("tonight")
    if company.chapter != "ordinary":
        return {}
    settled = [person for person in workplace.people[1:] if not person.leaves_on and person.start < workplace.first]
    people = iter(chance.sample(settled, len(settled)))
    until, leave = workplace.until, company.country.leave
    week = timedelta(days=6)
    tomorrow, last_month = until + timedelta(days=1), until - timedelta(days=25)
    candidates: list[Callable[[Person], Plan]] = [
        lambda _: Plan(leave.holiday, tomorrow, tomorrow + week, last_month, last_month + timedelta(days=3)),
        lambda _: Plan(leave.sick, until - timedelta(days=4), None, requested_on=until - timedelta(days=4)),
        # Decided today, or last night's reminder would have told them.
        lambda person: _soon(leave.holiday, _next_working_day(workplace, person, tomorrow), last_month, until),
        lambda _: Plan(leave.holiday, until, until + week, until, until),
        lambda _: Plan(leave.extra, tomorrow + week, tomorrow + week, until - timedelta(days=1)),
    ]
    if "unpaid_leave" in company.faults:
        start = until - timedelta(days=6)
        candidates.insert(0, lambda _: Plan(leave.unpaid, start, None, requested_on=start))
    plans: dict[Person, list[Plan]] = {}
    for position, candidate in enumerate(candidates):
        if position == 0 or chance.random() < 0.75:
            person = next(people, None)
            if person:
                plans[person] = [candidate(person)]
    return plans


def _soon(policy_id: str, start: date, requested_on: date, decided_on: date) -> Plan:
    return Plan(policy_id, start, start + timedelta(days=6), requested_on, decided_on)


def _next_working_day(workplace: Workplace, person: Person, day: date) -> date:
    schedule = workplace.settings.schedule(person.terms_id, person.unit.calendar_id)
    days = schedule.working_days(day + timedelta(days=1), day + timedelta(days=14)) if schedule else []
    return days[0] if days else day + timedelta(days=1)
