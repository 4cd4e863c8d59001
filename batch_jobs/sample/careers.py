"""How people get on: promotions, and successors of those who lead a team. Versions from a day on (domain 3.0)."""

from datetime import date, timedelta

from batch_jobs.sample.people import Person, Unit
from batch_jobs.sample.workplace import Workplace, weekday_from

_PROMOTED = 0.05
_ONE_DAY = timedelta(days=1)


class Careers:
    """Plans promotions and one succession; all happens by the agenda."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        chance = workplace.chance("careers")
        if workplace.company.chapter not in ("ordinary", "suspended"):
            return
        days = (workplace.until - workplace.first).days
        for person in workplace.people[1:]:
            if chance.random() < _PROMOTED and not person.leaves_on and person.start < workplace.first:
                day = weekday_from(workplace.first + timedelta(days=chance.randrange(10, max(11, days - 10))))
                workplace.agenda.add(day, self._promote, person)
        self._plan_succession(workplace.first + timedelta(days=chance.randrange(150, 240)))

    def _promote(self, person: Person) -> None:
        """From the first of the month on, entered some days later."""
        today = self._workplace.today
        title = self._workplace.company.country.senior_title.format(person.title)
        self._workplace.employ(15 * 60, person, {"job_title": title}, effective=today.replace(day=1))

    def _plan_succession(self, about: date) -> None:
        """The head of a team leaves at the end of a month, and someone of the team steps in."""
        workplace = self._workplace
        for unit in workplace.units:
            head, successors = unit.head, self._successors(unit)
            if head and head.number > 3 and not head.leaves_on and successors:
                head.leaves_on = about.replace(day=1) - _ONE_DAY
                head.notice_on = head.leaves_on - timedelta(days=45)
                workplace.agenda.add(head.leaves_on, self._succeed, unit, successors[0])
                return

    def _successors(self, unit: Unit) -> list[Person]:
        return [
            person
            for person in self._workplace.people
            if person.unit is unit
            and person is not unit.head
            and not person.leaves_on
            and person.start < self._workplace.first
        ]

    def _succeed(self, unit: Unit, successor: Person) -> None:
        """On the last day of the one who leaves, in force from the next."""
        workplace, former = self._workplace, unit.head
        if former:
            former.manager = former.chief()
        first_day = workplace.today + _ONE_DAY
        team = [person for person in workplace.people if person.chief() is former]
        for led in [one for one in workplace.units if one.head is former]:
            led.head = successor
            standing = workplace.defined["org_unit", led.unit_id]
            workplace.define(1000, "org_unit", {**standing, "head_id": successor.employee_id}, effective=first_day)
        title = former.title if former else successor.title
        successor.manager = None
        workplace.employ(1002, successor, {"job_title": title, "manager_id": None}, effective=first_day)
        for person in team:
            if person.end and person.end < first_day:
                # For someone who has left, the manager of their last day counts.
                person.manager = former
            elif person.manager is former:
                person.manager = successor
                if person.known:
                    workplace.employ(1004, person, {"manager_id": successor.employee_id}, effective=first_day)
