"""Notifications to users: sent by jobs, read or not, purged in the end (domain 6.1)."""

from collections import deque
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace
from batch_jobs.store.event_ids import deterministic_event_id

RETENTION_DAYS = 90

_PURGE = "purge_expired_data"
_BOTH = ("in_app", "email")


class Messages:
    """Sends notifications and lets people read them."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._chance = workplace.chance("messages")
        self._read: deque[tuple[date, str, str]] = deque()

    def send(
        self,
        job: str,
        person: Person,
        kind: str,
        data: Mapping[str, Any],
        *parts: str,
        channels: tuple[str, ...] = _BOTH,
    ) -> bool:
        """Notify a person as a job does; `parts` go into the dedup key. False when they have no active user."""
        if not person.signed_in:
            return False
        workplace = self._workplace
        dedup_key = ":".join((kind, *parts))
        event_id = str(deterministic_event_id(workplace.company.workspace_id, job, "notification", dedup_key))
        payload = {
            "notification_id": event_id,
            "user_id": person.user_id,
            "kind": kind,
            "channels": list(channels),
            "data": dict(data),
            "dedup_key": dedup_key,
        }
        workplace.journal.record_job(job, "notification.created", payload, job, "notification", dedup_key)
        roll = self._chance.random()
        # E-mail alone has nothing to click on.
        if "in_app" in channels and roll < 0.6:
            seen_on = workplace.today + timedelta(days=int(roll * 10) % 3)
            what = "notification.dismissed" if roll < 0.06 else "notification.read"
            workplace.agenda.add(seen_on, self._see, what, event_id, person)
        return True

    def night(self) -> None:
        """The purge takes away what was read long ago."""
        today = self._workplace.today
        while self._read and (today - self._read[0][0]).days > RETENTION_DAYS:
            _, notification_id, user_id = self._read.popleft()
            payload = {"notification_id": notification_id, "user_id": user_id}
            parts = (_PURGE, "notification", notification_id)
            self._workplace.journal.record_job(_PURGE, "notification.purged", payload, *parts)

    def _see(self, what: str, notification_id: str, person: Person) -> None:
        if not person.signed_in:
            return
        payload = {"notification_id": notification_id, "user_id": person.user_id}
        minute = 8 * 60 + (person.number * 13) % 240
        self._workplace.journal.record(minute, what, payload, actor=f"user:{person.user_id}")
        self._read.append((self._workplace.today, notification_id, person.user_id))
