"""Events in few words, as the dicts that an import file holds one a line. Every field has a sensible default."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import uuid4

from batch_jobs.store.database import Database
from batch_jobs.store.events import Appended
from batch_jobs.store.transfer import import_events

Event = dict[str, Any]

OFFICE_HOURS = [[444, 444, 444, 444, 444, 0, 0]]
FIRST_INSTANT = "2026-01-01T08:00:00+00:00"


def event(
    event_type: str,
    payload: dict[str, Any] | None = None,
    *,
    workspace_id: str = "acme",
    event_id: str | None = None,
    occurred_at: str = FIRST_INSTANT,
    actor: str = "user:u-1",
    targets: Iterable[str] = (),
) -> Event:
    """One event. The id is a new one each time; dates in the payload may be `date`s."""
    return {
        "workspace_id": workspace_id,
        "event_id": event_id or str(uuid4()),
        "type": event_type,
        "version": 1,
        "occurred_at": occurred_at,
        "actor": actor,
        "targets": list(targets),
        "payload": payload or {},
    }


def of(workspace_id: str, *events: Event) -> list[Event]:
    """The same events with another workspace, under ids of their own."""
    return [{**one, "workspace_id": workspace_id, "event_id": str(uuid4())} for one in events]


def lines(*events: Event) -> list[bytes]:
    """The events as the lines of an import file."""
    return [json.dumps(one, default=date.isoformat).encode() + b"\n" for one in events]


def import_all(database: Database, *events: Event) -> Appended:
    """Import the events as one file."""
    return import_events(database, lines(*events))


def workspace(workspace_id: str = "acme", *, timezone: str = "UTC", **fields: Any) -> Event:
    payload = {"name": workspace_id.title(), "timezone": timezone, **fields}
    return event("workspace.created", payload, workspace_id=workspace_id)


def employee(employee_id: str, *, since: date | None = None, **fields: Any) -> Event:
    return _defined("employee", "employee_id", employee_id, since, {"name": employee_id, **fields})


def removed(employee_id: str) -> Event:
    return event("employee.removed", {"employee_id": employee_id})


def employment(
    employment_id: str,
    start: date = date(2025, 1, 1),
    end: date | None = None,
    *,
    since: date | None = None,
    **fields: Any,
) -> Event:
    """An employment of the employee whose id comes before the slash (`e-1/2`), on terms `t-1`."""
    payload: dict[str, Any] = {
        "employee_id": employment_id.split("/", maxsplit=1)[0],
        "start_date": start,
        "end_date": end,
        "terms_id": "t-1",
        **fields,
    }
    return _defined("employment", "employment_id", employment_id, since, payload)


def user(user_id: str, employee_id: str | None = None, *, since: date | None = None, **fields: Any) -> Event:
    payload = {"email": f"{user_id}@acme.example", "employee_id": employee_id, "status": "active", **fields}
    return _defined("user", "user_id", user_id, since, payload)


def invitation_expired(user_id: str) -> Event:
    return event("user.invitation_expired", {"user_id": user_id})


def terms(terms_id: str = "t-1", *, since: date | None = None, **fields: Any) -> Event:
    payload = {"name": terms_id, "approval_period": "monthly", "norm": OFFICE_HOURS, **fields}
    return _defined("employment_terms", "terms_id", terms_id, since, payload)


def unit(unit_id: str, parent_id: str | None = None, *, since: date | None = None, **fields: Any) -> Event:
    return _defined("org_unit", "org_unit_id", unit_id, since, {"name": unit_id, "parent_id": parent_id, **fields})


def calendar(calendar_id: str, *, since: date | None = None, **fields: Any) -> Event:
    return _defined("holiday_calendar", "calendar_id", calendar_id, since, {"name": calendar_id, **fields})


def policy(policy_id: str, *, since: date | None = None, **fields: Any) -> Event:
    return _defined("work_time_policy", "policy_id", policy_id, since, {"name": policy_id, **fields})


def time_entered(entry_id: str, employee_id: str = "e-1", **fields: Any) -> Event:
    payload = {"entry_id": entry_id, "employee_id": employee_id, "date": "2026-01-05", "activity_id": "a", **fields}
    return event("time.entered", {"minutes": 60, **payload})


def statement(what: str, employee_id: str, start: date, end: date, **fields: Any) -> Event:
    """A `statement.<what>` of the period; what its type needs beside the ids comes as fields."""
    payload: dict[str, Any] = {"statement_id": f"{employee_id}:{start}:{end}", "employee_id": employee_id}
    if what == "period_started":
        payload |= {"terms_id": "t-1", "period_start": start, "period_end": end}
    return event(f"statement.{what}", payload | fields)


def _defined(kind: str, id_field: str, entity_id: str, since: date | None, fields: dict[str, Any]) -> Event:
    return event(f"{kind}.defined", {id_field: entity_id, "effective_date": since, **fields})
