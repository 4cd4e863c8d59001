"""The hours that people enter: near the norm, longer or shorter by person and day, split over projects."""

from random import Random
from typing import Any

from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace

_CORRECTED, _REMOVED, _SPLIT, _MEETING, _ON_CALL, _WEEKEND = 0.008, 0.003, 0.12, 0.01, 0.004, 0.004


class TimeEntries:
    """Enters each day's hours of those at work.

    Args:
        workplace: where.
        projects: ids of the projects that hours go to.
    """

    def __init__(self, workplace: Workplace, projects: list[str]) -> None:
        self._workplace = workplace
        self._chance = workplace.chance("time")
        self._projects = projects
        activities = workplace.company.country.activities
        self._by_kind = {activity["kind"]: activity["activity_id"] for activity in activities}

    def daytime(self) -> None:
        """Everyone's entries of today."""
        day = self._workplace.today
        self._iso = day.isoformat()
        for person in self._workplace.staff():
            if person.sick or not self._enters_hours(person):
                continue
            expected = person.minutes(day)
            if person.away and day in person.away:
                expected -= int(expected * person.away[day])
            if expected:
                self._work(person, expected)
            elif person.style == "long" and self._chance.random() < _WEEKEND and day not in person.away:
                self._work(person, 120)

    def _enters_hours(self, person: Person) -> bool:
        """Where nobody approves hours, only those who are paid by the hour enter them."""
        return person.schedules is not None and (person.approval != "none" or person.number % 3 == 0)

    def _work(self, person: Person, expected: int) -> None:
        roll = self._chance.random
        number, work = person.number, self._workplace.settings.work
        minutes = expected
        if person.style != "exact":
            # Flexible hours come in quarters and even out; long days rarely do.
            swing = int(roll() * 5) - 2 if person.style == "flexible" else int(roll() * 6) - 1
            minutes = max(30, expected + 15 * swing)
        project = self._projects[(number + (roll() < 0.15)) % len(self._projects)]
        activity = work[number % len(work)] if roll() < 0.85 else work[-1]
        minute = 915 + (number * 7) % 90 + int(roll() * 45)
        entry_id = f"t-{number}-{self._iso}"
        chance = roll()
        if chance < _SPLIT and minutes > 240:
            rest = 60 * (1 + int(roll() * 2))
            other = self._projects[(number + 3) % len(self._projects)]
            self._enter(minute, person, f"{entry_id}-2", rest, activity=work[0], project=other)
            minutes -= rest
        elif chance < _SPLIT + _MEETING:
            self._enter(minute, person, f"{entry_id}-2", 30, activity=self._by_kind["non_work"])
        elif chance < _SPLIT + _MEETING + _ON_CALL:
            self._enter(minute, person, f"{entry_id}-2", 120, activity=self._by_kind["allowance"])
        elif chance > 1 - _CORRECTED:
            # Entered with a slip, then once more.
            self._enter(minute - 20, person, entry_id, minutes + 60, activity=activity, project=project)
        elif chance > 1 - _CORRECTED - _REMOVED:
            self._enter(minute - 10, person, f"{entry_id}-2", minutes, activity=activity, project=project)
            removed = {"entry_id": f"{entry_id}-2", "employee_id": person.employee_id}
            self._workplace.journal.record(minute - 2, "time.removed", removed, actor=self._workplace.actor(person))
        self._enter(minute, person, entry_id, minutes, activity=activity, project=project)

    def _enter(
        self, minute: int, person: Person, entry_id: str, minutes: int, *, activity: str, project: str | None = None
    ) -> None:
        payload: dict[str, Any] = {
            "entry_id": entry_id,
            "employee_id": person.employee_id,
            "date": self._iso,
            "activity_id": activity,
        }
        if project:
            payload["project_id"] = project
        payload["minutes"] = minutes
        actor = f"user:{person.user_id}" if person.signed_in else self._workplace.actor()
        self._workplace.journal.record(minute, "time.entered", payload, actor=actor)


def define_projects(workplace: Workplace, chance: Random) -> list[str]:
    """Enter the company's projects, and give the ids of those that hours go to."""
    company, managers = workplace.company, [unit.head for unit in workplace.units if unit.head]
    names = [f"{project}, {client}" for client in company.country.clients for project in company.trade.projects]
    chance.shuffle(names)
    active: list[str] = []
    for number, name in enumerate(names[: 5 + len(workplace.people) // 6], 1):
        status = "active" if number <= 4 else chance.choice(("active", "active", "planned", "on_hold", "closed"))
        project: dict[str, Any] = {"project_id": f"p-{number}", "name": name, "status": status}
        if managers:
            project["manager_id"] = managers[number % len(managers)].employee_id
        if number % 3 == 0:
            project["description"] = f"{name} ({company.name})"
            project["requires_approval"] = True
        if status == "closed":
            project["end_date"] = workplace.first.isoformat()
        elif status == "active":
            project["start_date"] = workplace.first.replace(day=1).isoformat()
            active.append(project["project_id"])
        workplace.define(8 * 60 + 50, "project", project)
    return active
