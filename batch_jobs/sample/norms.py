"""Expected minutes published to the calendar, thirteen weeks ahead (domain 6.1)."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from batch_jobs.rules.published_norms import NormPublisher, Publication, PublishedWeek, window
from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace

_PUBLISH = "publish_timesheet_norms"
# The company turned publication on two months ago.
_SINCE = timedelta(weeks=8)


@dataclass(slots=True)
class _Calendar:
    """What stands published of one person, and the position of the event that published it last."""

    inputs: object = None
    through_week: date | None = None
    fingerprint: str | None = None
    weeks: dict[date, PublishedWeek] = field(default_factory=dict)
    position: int = 0


class Norms:
    """`publish_timesheet_norms` of one workspace."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._calendars: dict[Person, _Calendar] = {}
        self._written: dict[PublishedWeek, dict[str, Any]] = {}

    def night(self) -> None:
        """Publish what is new in the window for those employed today or later."""
        workplace, today = self._workplace, self._workplace.today
        if today <= workplace.until - _SINCE:
            return
        last_week = window(today)[-1]
        candidates = []
        for person in workplace.people:
            if person.known and person.schedules and (person.end is None or person.end >= today):
                calendar = self._calendars.setdefault(person, _Calendar())
                # Building what the rules know of everyone takes long; with equal inputs nothing has changed.
                inputs = (person.start, person.end, person.terms_id)
                if calendar.inputs != inputs or calendar.through_week != last_week:
                    calendar.inputs = inputs
                    candidates.append((person, calendar))
        if not candidates:
            return
        publisher = NormPublisher(workplace.workforce(person for person, _ in candidates))
        for person, calendar in candidates:
            publication = publisher.publication(
                person.employee_id,
                today,
                through_week=calendar.through_week,
                fingerprint=calendar.fingerprint,
                published=calendar.weeks,
            )
            if publication:
                self._publish(person, calendar, publication)

    def _publish(self, person: Person, calendar: _Calendar, publication: Publication) -> None:
        through_week = publication.through_week.isoformat()
        payload = {
            "employee_id": person.employee_id,
            "through_week": through_week,
            "fingerprint": publication.fingerprint,
            "weeks": [self._week(week) for week in publication.weeks],
        }
        parts = (_PUBLISH, person.employee_id, through_week, publication.fingerprint, str(calendar.position))
        calendar.position = self._workplace.journal.record_job(_PUBLISH, "norm.published", payload, *parts)
        calendar.through_week, calendar.fingerprint = publication.through_week, publication.fingerprint
        calendar.weeks.update({week.monday: week for week in publication.weeks})

    def _week(self, week: PublishedWeek) -> dict[str, Any]:
        if week not in self._written:
            self._written[week] = {
                "monday": week.monday.isoformat(),
                "minutes": list(week.minutes),
                "holidays": [{"date": day.isoformat(), "name": name} for day, name in week.holidays],
            }
        return self._written[week]
