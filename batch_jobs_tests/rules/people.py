"""Short ways to write definitions down in tests, as the rows that `Definitions.from_rows` reads."""

from datetime import date
from typing import Any

from batch_jobs.rules.definitions import Definitions
from batch_jobs.rules.entities import Workspace
from batch_jobs.rules.workforce import Workforce

Row = tuple[str, str, date | None, dict[str, Any]]
OFFICE_HOURS = [[444, 444, 444, 444, 444, 0, 0]]


def employee(employee_id: str) -> Row:
    return "employee", employee_id, None, {"employee_id": employee_id, "name": employee_id}


def employment(
    employment_id: str, start: date, end: date | None = None, *, since: date | None = None, **fields: Any
) -> Row:
    """An employment of the employee whose id comes before the slash: `e-1/2`."""
    payload = {
        "employment_id": employment_id,
        "employee_id": employment_id.split("/", maxsplit=1)[0],
        "start_date": start.isoformat(),
        "end_date": end.isoformat() if end else None,
        "terms_id": "t-1",
    }
    return "employment", employment_id, since, payload | fields


def terms(terms_id: str, *, since: date | None = None, **fields: Any) -> Row:
    payload = {"terms_id": terms_id, "name": terms_id, "approval_period": "monthly", "norm": OFFICE_HOURS}
    return "employment_terms", terms_id, since, payload | fields


def policy(policy_id: str, *, since: date | None = None, **fields: Any) -> Row:
    return "work_time_policy", policy_id, since, {"policy_id": policy_id, "name": policy_id} | fields


def unit(unit_id: str, parent_id: str | None = None, *, since: date | None = None, **fields: Any) -> Row:
    return "org_unit", unit_id, since, {"org_unit_id": unit_id, "name": unit_id, "parent_id": parent_id} | fields


def calendar(calendar_id: str, *, since: date | None = None, **fields: Any) -> Row:
    return "holiday_calendar", calendar_id, since, {"calendar_id": calendar_id, "name": calendar_id} | fields


def user(user_id: str, employee_id: str | None, status: str = "active") -> Row:
    payload = {"user_id": user_id, "email": f"{user_id}@acme.example", "employee_id": employee_id, "status": status}
    return "user", user_id, None, payload


def time_off_policy(policy_id: str, *, since: date | None = None, **fields: Any) -> Row:
    return "time_off_policy", policy_id, since, {"policy_id": policy_id, "name": policy_id} | fields


def account(account_id: str, unit: str = "days", *, since: date | None = None, **fields: Any) -> Row:
    payload = {"account_id": account_id, "name": account_id, "kind": "time_off", "unit": unit}
    return "time_account", account_id, since, payload | fields


def activity(activity_id: str) -> Row:
    return "activity", activity_id, None, {"activity_id": activity_id, "name": activity_id, "kind": "time_off"}


def workforce(*rows: Row, default_calendar: str | None = None) -> Workforce:
    workspace = Workspace.from_payload(
        {"name": "Acme", "timezone": "Europe/Copenhagen", "default_holiday_calendar_id": default_calendar}
    )
    return Workforce(Definitions.from_rows("acme", workspace, rows))
