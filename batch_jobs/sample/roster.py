"""Who works at a sample company, where, since when and until when. Plans people, records nothing."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, islice
from random import Random

from batch_jobs.sample.companies import Company
from batch_jobs.sample.countries.country import Department
from batch_jobs.sample.people import Person, Style, Unit, UserPlan
from batch_jobs.sample.settings import SECOND_CALENDAR
from batch_jobs.sample.spelling import slug
from batch_jobs.sample.workplace import Workplace, weekday_from

TEAM_SIZE = 8

_STYLES: tuple[Style, ...] = ("exact", "flexible", "flexible", "flexible", "long")
_USERS: tuple[tuple[UserPlan, float], ...] = (("active", 0.9), ("invited", 0.04), ("suspended", 0.02), ("none", 0.04))
# The first ones run the place: they are there all the time, and can sign in.
_OFFICE = 3


def people_the_company(workplace: Workplace, employees: int) -> None:
    """Give the company its units and people, past and future ones too: exactly `employees`."""
    if workplace.company.chapter == "signed_up" or not employees:
        return
    chance = workplace.chance("roster")
    root = Unit("o-1", workplace.company.name, None)
    workplace.units.append(root)
    teams = _team_of_each(workplace, root, employees - 1)
    mailboxes: set[str] = set()
    for number in range(1, employees + 1):
        department, unit = next(teams) if number > 1 else (None, root)
        person = _person(workplace, chance, number, department, unit)
        if person.email in mailboxes:
            person.email = person.email.replace("@", f".{number}@")
        mailboxes.add(person.email)
        if unit.head is None:
            unit.head = person
            if unit.parent and unit.parent.head is None:
                unit.parent.head = person
        workplace.people.append(person)
    _plan_lives(workplace, chance)


def closing_day(workplace: Workplace) -> date:
    """The last day of a company that winds down: the end of a month, some five months before the history's end."""
    return (workplace.until - timedelta(days=140)).replace(day=1) - timedelta(days=1)


def _team_of_each(workplace: Workplace, root: Unit, members: int) -> Iterator[tuple[Department, Unit]]:
    """For each person of a team, their department and team. Defines the units on the way."""
    departments: dict[str, Unit] = {}
    numbers = count(2)
    for position, (department, team_name) in enumerate(islice(_teams(workplace.company), -(-members // TEAM_SIZE))):
        if department.name not in departments:
            departments[department.name] = Unit(f"o-{next(numbers)}", department.name, root)
            workplace.units.append(departments[department.name])
        team = Unit(f"o-{next(numbers)}", team_name, departments[department.name])
        if workplace.company.second_site and position % 3 == 2:
            team.calendar_id = SECOND_CALENDAR
        workplace.units.append(team)
        yield from [(department, team)] * TEAM_SIZE


def _teams(company: Company) -> Iterator[tuple[Department, str]]:
    """Teams without end: every second one in the company's trade, numbered when the names are used up."""
    trade, others = company.trade.department, company.country.departments
    for turn in count():
        for department, number in ((trade, turn), (others[turn % len(others)], turn // len(others))):
            round_number, name = divmod(number, len(department.teams))
            suffix = f" {round_number + 1}" if round_number else ""
            yield department, department.teams[name] + suffix


def _person(workplace: Workplace, chance: Random, number: int, department: Department | None, unit: Unit) -> Person:
    country = workplace.company.country
    name, preferred_name = f"{chance.choice(country.given_names)} {chance.choice(country.family_names)}", None
    if chance.random() < 0.04:
        name, preferred_name = chance.choice(country.others)
    mailbox = slug(name, ".") or slug(preferred_name or "", ".") or "mail"
    is_head = unit.head is None
    contracts = country.contracts[:2] if is_head else country.contracts
    contract = chance.choices(contracts, [contract.share for contract in contracts])[0]
    title = country.top_title
    if department:
        title = department.titles[0] if is_head else chance.choice(department.titles[1:])
    office = number <= _OFFICE
    return Person(
        number=number,
        employee_id=f"e-{number}",
        name=name,
        preferred_name=preferred_name,
        email=f"{mailbox}@{workplace.company.workspace_id}.example",
        title=title,
        unit=unit,
        manager=unit.head if not is_head and chance.random() < 0.6 else None,
        terms_id=country.top_contract.terms_id if number == 1 else contract.terms_id,
        start=workplace.first - timedelta(days=30 + int(4000 * chance.random() ** 2)),
        hired_on=workplace.first,
        user="active"
        if office or is_head
        else chance.choices([plan for plan, _ in _USERS], [share for _, share in _USERS])[0],
        style=chance.choice(_STYLES),
        punctual=0.97 if chance.random() < 0.85 else 0.6,
    )


def _plan_lives(workplace: Workplace, chance: Random) -> None:
    """Decide who joins and who leaves in the course of the history."""
    until, heads = workplace.until, {unit.head for unit in workplace.units}
    closing = closing_day(workplace) if workplace.company.chapter == "wound_down" else None
    for person in workplace.people[_OFFICE:]:
        fate = chance.random()
        if person in heads or closing:
            continue
        if fate < 0.12:
            person.start = weekday_from(workplace.first + timedelta(days=chance.randrange(20, 350)))
            # Someone in six is entered after they began.
            entered_in = timedelta(days=chance.choice((-30, -21, -14, -14, -7, 2)))
            person.hired_on = max(workplace.first, person.start + entered_in)
        elif fate < 0.21:
            person.leaves_on = workplace.first + timedelta(days=chance.randrange(70, 390))
            if chance.random() < 0.7:
                person.leaves_on = person.leaves_on.replace(day=1) - timedelta(days=1)
            person.notice_on = person.leaves_on - timedelta(days=chance.choice((14, 30, 45)))
    if closing:
        for person in workplace.people:
            person.leaves_on, person.notice_on = closing, closing - timedelta(days=60)
        return
    newest = [person for person in workplace.people[_OFFICE:] if person not in heads][-3:]
    # Always someone without a statement: entered today; beginning tomorrow; beginning soon.
    plans = zip(newest, ((0, 0), (1, -9), (chance.randrange(6, 20), -6)), strict=False)
    for person, (starts_in, hired_in) in plans:
        person.start, person.hired_on = until + timedelta(days=starts_in), until + timedelta(days=hired_in)
        person.leaves_on = person.notice_on = None
