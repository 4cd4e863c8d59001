"""One workspace's events of one day, stamped and put in order. Knows the envelope (domain 2), no event type."""

from collections.abc import Iterator
from datetime import date, datetime, time
from random import Random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from batch_jobs.sample.countries.country import Payload
from batch_jobs.store.event_ids import deterministic_event_id

Event: TypeAlias = dict[str, Any]
"""One event as an import line holds it."""

_MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60))
_SECONDS = tuple(f"{second:02}" for second in range(60))
_START_OF_DAY = -1
# The clocks change before four in the morning; nothing but jobs happens before.
_CLOCKS_CHANGED = time(4)


class Journal:
    """Takes down what happens in a workspace and gives it back in order, a day at a time.

    Args:
        workspace_id: whose events they are.
        timezone: IANA name of the zone in which its days begin.
        ids: where the ids of events come from that no job wrote.
    """

    def __init__(self, workspace_id: str, timezone: str, ids: Random) -> None:
        self._workspace_id = workspace_id
        self._zone = ZoneInfo(timezone)
        self._ids = ids
        self._events: list[tuple[int, Event]] = []
        self._written = 0
        self.day = date.min

    def begin(self, day: date) -> None:
        """Open the page of a day."""
        self.day = day
        self._iso = day.isoformat()
        self._midnight = datetime.combine(day, time(), self._zone).isoformat()
        self._offset = datetime.combine(day, _CLOCKS_CHANGED, self._zone).isoformat()[19:]

    def stamp(self, minute: int, second: int = 0) -> str:
        """An instant of today, `minute` counted from midnight by the clock on the wall."""
        return f"{self._iso}{_MINUTES[minute]}{_SECONDS[second]}{self._offset}"

    def record(
        self, minute: int, event_type: str, payload: Payload, *, actor: str, targets: tuple[str, ...] = ()
    ) -> None:
        """Take down what a person or the application did at a minute of today."""
        digits = f"{self._ids.getrandbits(128):032x}"
        event_id = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
        self._add(minute, event_id, event_type, payload, (actor, targets))

    def record_registration(self, minute: int, payload: Payload, *parts: str) -> None:
        """Take down an `absence.registered` of the application, whose id is made as the job makes it (domain 6.1)."""
        event_id = str(deterministic_event_id(self._workspace_id, *parts))
        self._add(minute, event_id, "absence.registered", payload, ("app:absences", ()))

    def record_job(
        self, job: str, event_type: str, payload: Payload, *parts: str, targets: tuple[str, ...] = ()
    ) -> int:
        """Take down what a job decided for the run date today, before anything else of the day.

        Args:
            job: its name.
            event_type: as in domain 2.
            payload: likewise.
            parts: what the event's id is made of after the workspace's (domain 6.1).
            targets: other employees concerned.

        Returns:
            The position that the event gets in a log that holds nothing else.
        """
        event_id = str(deterministic_event_id(self._workspace_id, *parts))
        self._add(_START_OF_DAY, event_id, event_type, payload, (f"job:{job}", targets))
        return self._written + len(self._events)

    def end(self) -> Iterator[Event]:
        """Today's events in the order in which they happened, jobs first."""
        today, self._events = self._events, []
        today.sort(key=lambda entry: entry[0])
        self._written += len(today)
        previous, second = _START_OF_DAY, 0
        for minute, event in today:
            if minute == _START_OF_DAY:
                event["occurred_at"] = self._midnight
            else:
                second = min(second + 1, 59) if minute == previous else minute % 7
                event["occurred_at"] = self.stamp(minute, second)
                previous = minute
            yield event

    def _add(
        self, minute: int, event_id: str, event_type: str, payload: Payload, who: tuple[str, tuple[str, ...]]
    ) -> None:
        actor, targets = who
        event: Event = {
            "workspace_id": self._workspace_id,
            "event_id": event_id,
            "type": event_type,
            "version": 1,
            "occurred_at": "",
            "actor": actor,
        }
        if employee_id := payload.get("employee_id"):
            event["employee_id"] = employee_id
        if targets:
            event["targets"] = list(targets)
        event["payload"] = payload
        self._events.append((minute, event))
