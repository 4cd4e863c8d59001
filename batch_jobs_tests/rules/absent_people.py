"""Short ways to write the events of an absence down in tests."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from batch_jobs.rules.absences import Absence, apply


class Event(NamedTuple):
    type: str
    payload: Mapping[str, Any]


WHO = {"absence_id": "a-1", "employee_id": "e"}


def requested(start: date, end: date | None = None, **fields: Any) -> Event:
    days = {"start_date": start.isoformat(), "end_date": end.isoformat() if end else None}
    return Event("time_off.requested", WHO | {"policy_id": "holiday"} | days | fields)


APPROVED, CANCELLED = Event("time_off.approved", WHO), Event("time_off.cancelled", WHO)
REJECTED = Event("time_off.rejected", WHO | {"reason": "Christmas"})


def interrupted(day: date) -> Event:
    return Event("time_off.interrupted", WHO | {"date": day.isoformat()})


def consumed(start: date, end: date) -> Event:
    days = {"from_date": start.isoformat(), "to_date": end.isoformat(), "days": [], "amount": 0}
    return Event("time_off.consumed", WHO | {"policy_id": "holiday"} | days)


def after(events: Iterable[Event], absence: Absence | None = None) -> Absence:
    for event in events:
        absence = apply(absence, event)
    assert absence is not None
    return absence


def approved(start: date, end: date | None = None, **fields: Any) -> Absence:
    return after([requested(start, end, approval_required=False, **fields)])
