"""Workspaces to import: settings, people, hours and time off, as an application would record them; no job has run."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from batch_jobs.rules.entities import ApprovalKind

APPROVAL_PERIODS: tuple[ApprovalKind, ...] = ("weekly", "biweekly", "monthly")
UNITS = 10
ENTRIES = 2
_NORM = [[444, 444, 444, 444, 444, 0, 0]]
_POLICIES: tuple[dict[str, Any], ...] = (
    {"policy_id": "holiday", "name": "Holiday", "account_id": "holiday", "accrual": {"plugin": "danish_vacation"}},
    {
        "policy_id": "extra",
        "name": "Extra days",
        "account_id": "extra",
        "accrual": {"plugin": "monthly", "annual": 500},
        "expiration": {"months_after_year_end": 3},
    },
    {"policy_id": "leave", "name": "Leave"},
)
# Everybody takes a week off; who does when is spread evenly over as many days. One in fifty is on leave for long.
_ABSENCE_SPREAD = 100
_ON_LEAVE_OF = 50


def write_file(file: Path, workspaces: list[str], *, employees: int, timezone: str, today: date) -> int:
    """Write an import file of these workspaces. Returns its number of lines.

    Everybody has a user, two policies that accrue, a week of time off within 100 days from today on, and terms with
    approval, so that a statement is due for each.
    """
    lines = 0
    with file.open("w") as out:
        for workspace_id in workspaces:
            for number, (event_type, payload) in enumerate(_events(workspace_id, employees, timezone, today)):
                event: dict[str, Any] = {
                    "workspace_id": workspace_id,
                    "event_id": str(uuid5(NAMESPACE_OID, f"{workspace_id}|{number}")),
                    "type": event_type,
                    "version": 1,
                    "occurred_at": "2026-01-05T08:00:00+01:00",
                    "actor": "user:u-1",
                    "targets": [],
                    "payload": payload,
                }
                if "employee_id" in payload:
                    event["employee_id"] = payload["employee_id"]
                out.write(json.dumps(event) + "\n")
                lines += 1
    return lines


def _events(workspace_id: str, employees: int, timezone: str, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "workspace.created", {"name": workspace_id.title(), "timezone": timezone, "default_holiday_calendar_id": "dk"}
    yield "holiday_calendar.defined", {"calendar_id": "dk", "name": "Denmark", "country": "DK"}
    for period in APPROVAL_PERIODS:
        yield (
            "employment_terms.defined",
            {"terms_id": f"t-{period}", "name": period.title(), "approval_period": period, "norm": _NORM}
            | {"time_off_policy_ids": [policy["policy_id"] for policy in _POLICIES]},
        )
    yield "activity.defined", {"activity_id": "work", "name": "Work", "kind": "work"}
    yield "activity.defined", {"activity_id": "off", "name": "Time off", "kind": "time_off"}
    for policy in _POLICIES:
        if account_id := policy.get("account_id"):
            account = {"account_id": account_id, "name": policy["name"], "kind": "time_off", "unit": "days"}
            yield "time_account.defined", account
        yield "time_off_policy.defined", policy | {"activity_id": "off"}
    for unit in range(UNITS):
        yield (
            "org_unit.defined",
            {
                "org_unit_id": f"u-{unit}",
                "name": f"Unit {unit}",
                "parent_id": "u-0" if unit else None,
                "head_id": f"e-{unit}",
            },
        )
    for number in range(employees):
        yield from _person(number)
        yield from _time_off(number, today)


def _person(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    employee_id = f"e-{number}"
    yield (
        "user.defined",
        {"user_id": f"u-{number}", "email": f"{employee_id}@example.com", "employee_id": employee_id}
        | {"status": "active"},
    )
    yield (
        "employee.defined",
        {"employee_id": employee_id, "name": f"Søren Engelbrecht {number}", "email": f"{employee_id}@example.com"},
    )
    yield (
        "employment.defined",
        {
            "employment_id": f"{employee_id}/1",
            "employee_id": employee_id,
            "start_date": f"2024-{1 + number % 12:02}-01",
            "job_title": "Engineer",
            "org_unit_id": f"u-{number % UNITS}",
            "terms_id": f"t-{APPROVAL_PERIODS[number % len(APPROVAL_PERIODS)]}",
        },
    )
    for day in range(1, ENTRIES + 1):
        yield (
            "time.entered",
            {
                "entry_id": f"{employee_id}:{day}",
                "employee_id": employee_id,
                "date": f"2026-01-0{day}",
                "activity_id": "work",
                "minutes": 444,
            },
        )


def _time_off(number: int, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    absence_id, employee_id = f"a-{number}", f"e-{number}"
    start = today + timedelta(days=number % _ABSENCE_SPREAD)
    days = {"start_date": f"{start}"} | ({} if _is_on_leave(number) else {"end_date": f"{start + timedelta(days=6)}"})
    policy_id = "leave" if _is_on_leave(number) else "holiday"
    absence = {"absence_id": absence_id, "employee_id": employee_id}
    yield "time_off.requested", absence | {"policy_id": policy_id} | days
    # The last one of each ten is still to be answered.
    if number % 10 != 9:
        yield "time_off.approved", absence


def _is_on_leave(number: int) -> bool:
    return number % _ON_LEAVE_OF == 0
