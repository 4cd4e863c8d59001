"""Expected minutes published to the calendar, thirteen weeks ahead (domain 6.1)."""

from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from batch_jobs.rules.work_schedules import WorkSchedule
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace, days_between

_PUBLISH = "publish_timesheet_norms"
_WEEKS = 13
_WEEK, _SUNDAY = timedelta(weeks=1), timedelta(days=6)
# The company turned publication on two months ago.
_SINCE = timedelta(weeks=8)


class Norms:
    """`publish_timesheet_norms` of one workspace."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._published: dict[Person, tuple[date, str, int]] = {}
        self._weeks: dict[tuple[WorkSchedule, date], dict[str, Any]] = {}

    def night(self) -> None:
        """Publish what is new in the window for those employed today or later."""
        workplace, today = self._workplace, self._workplace.today
        if today <= workplace.until - _SINCE:
            return
        first_monday = today - timedelta(days=today.weekday())
        through = first_monday + (_WEEKS - 1) * _WEEK
        for person in workplace.people:
            if not person.known or person.schedules is None or (person.end and person.end < today):
                continue
            norms = [(first, schedule.norm) for first, _, schedule in person.schedules]
            inputs = f"{norms}|{person.unit.calendar_id}|{person.start}|{person.end}"
            before, known_inputs, position = self._published.get(person, (date.min, "", 0))
            if before < through or known_inputs != inputs:
                start = max(first_monday, before + _WEEK) if known_inputs == inputs else first_monday
                weeks = [self._week(person, monday) for monday in days_between(start, through)[::7]]
                position = self._publish(person, through, inputs, weeks, position)
                self._published[person] = (through, inputs, position)

    def _publish(self, person: Person, through: date, inputs: str, weeks: list[dict[str, Any]], position: int) -> int:
        fingerprint = sha256(inputs.encode()).hexdigest()[:32]
        payload = {
            "employee_id": person.employee_id,
            "through_week": through.isoformat(),
            "fingerprint": fingerprint,
            "weeks": weeks,
        }
        parts = (_PUBLISH, person.employee_id, through.isoformat(), fingerprint, str(position))
        return self._workplace.journal.record_job(_PUBLISH, "norm.published", payload, *parts)

    def _week(self, person: Person, monday: date) -> dict[str, Any]:
        assert person.schedules is not None
        sunday = monday + _SUNDAY
        schedule = person.schedules.on(monday)
        key = (schedule, monday)
        if key not in self._weeks:
            holidays = schedule.holidays_between(monday, sunday)
            self._weeks[key] = {
                "monday": monday.isoformat(),
                "minutes": list(schedule.minutes_between(monday, sunday)),
                "holidays": [{"date": day.isoformat(), "name": holiday.name} for day, holiday in holidays.items()],
            }
        is_there = person.start <= monday and (person.end is None or person.end >= sunday)
        if is_there and person.schedules.on(sunday) is schedule:
            return self._weeks[key]
        # They come, go or change their hours within this week, or are not there yet.
        return {**self._weeks[key], "minutes": [person.minutes(day) for day in days_between(monday, sunday)]}
