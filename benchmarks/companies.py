"""Workspaces to import: settings, people and hours, as an application would record them. No history of jobs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from batch_jobs.rules.entities import ApprovalKind

APPROVAL_PERIODS: tuple[ApprovalKind, ...] = ("weekly", "biweekly", "monthly")
UNITS = 10
ENTRIES = 2
_NORM = [[444, 444, 444, 444, 444, 0, 0]]


def write_file(file: Path, workspaces: list[str], *, employees: int, timezone: str) -> int:
    """Write an import file of these workspaces. Returns its number of lines.

    Everybody is on terms with approval, so that a statement is due for each.
    """
    lines = 0
    with file.open("w") as out:
        for workspace_id in workspaces:
            for number, (event_type, payload) in enumerate(_events(workspace_id, employees, timezone)):
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


def _events(workspace_id: str, employees: int, timezone: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "workspace.created", {"name": workspace_id.title(), "timezone": timezone, "default_holiday_calendar_id": "dk"}
    yield "holiday_calendar.defined", {"calendar_id": "dk", "name": "Denmark", "country": "DK"}
    for period in APPROVAL_PERIODS:
        yield (
            "employment_terms.defined",
            {"terms_id": f"t-{period}", "name": period.title(), "approval_period": period, "norm": _NORM},
        )
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


def _person(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    employee_id = f"e-{number}"
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
