"""One full, valid event for each type, every field filled in: what an import file may hold."""

from copy import deepcopy
from typing import Any
from uuid import UUID

_WEEK = [444, 444, 444, 444, 444, 0, 0]

_PAYLOADS: dict[str, dict[str, Any]] = {
    "workspace.created": {
        "name": "Nordlys Design ApS",
        "timezone": "Europe/Copenhagen",
        "default_holiday_calendar_id": "cal-dk",
        "locale": "da",
    },
    "workspace.suspended": {},
    "workspace.resumed": {},
    "workspace.deleted": {},
    "user.defined": {
        "effective_date": "2026-01-01",
        "user_id": "u-12",
        "email": "soren.aagaard@nordlys.example",
        "employee_id": "e-12",
        "status": "invited",
        "invited_at": "2026-01-05T09:30:00.250000+01:00",
        "email_notifications": False,
        "locale": "fr",
    },
    "employee.defined": {
        "effective_date": "2026-01-01",
        "employee_id": "e-12",
        "name": "Søren Aagaard Łukasiewicz",
        "preferred_name": "Søren",
        "email": "soren.aagaard@nordlys.example",
    },
    "employee.removed": {"employee_id": "e-12"},
    "employment.defined": {
        "effective_date": "2026-03-01",
        "employment_id": "e-12/2",
        "employee_id": "e-12",
        "start_date": "2025-08-01",
        "end_date": "2027-07-31",
        "job_title": "Engineer",
        "org_unit_id": "ou-platform",
        "manager_id": "e-3",
        "terms_id": "t-full",
        "holiday_calendar_id": "cal-dk",
    },
    "org_unit.defined": {
        "effective_date": "2026-01-01",
        "org_unit_id": "ou-platform",
        "name": "Platform",
        "parent_id": "ou-engineering",
        "head_id": "e-3",
        "holiday_calendar_id": "cal-dk",
        "gl_code": "4100-20",
    },
    "employment_terms.defined": {
        "effective_date": "2026-01-01",
        "terms_id": "t-full",
        "name": "Full time, 37 hours",
        "approval_period": "biweekly",
        "norm": [_WEEK, [480, 480, 480, 480, 300, 0, 0]],
        "time_off_policy_ids": ["p-vacation", "p-sick"],
        "allowance_policy_ids": ["p-meal"],
        "work_time_policy_id": "w-flex",
        "holiday_calendar_id": "cal-dk",
    },
    "work_time_policy.defined": {
        "effective_date": "2026-01-01",
        "policy_id": "w-flex",
        "name": "Flexible hours",
        "norm": [_WEEK],
        "max_daily_minutes": 600,
        "max_weekly_minutes": 2880,
        "flex_tracking": True,
    },
    "holiday_calendar.defined": {
        "effective_date": "2026-01-01",
        "calendar_id": "cal-by",
        "name": "Bavaria",
        "country": "DE",
        "subdivision": "BY",
        "custom_days": [{"date": "2026-12-24", "name": "Heiligabend", "fraction": 0.5}],
    },
    "activity.defined": {
        "effective_date": "2026-01-01",
        "activity_id": "a-dev",
        "name": "Development",
        "kind": "work",
        "parent_id": "a-work",
    },
    "project.defined": {
        "effective_date": "2026-01-01",
        "project_id": "pr-7",
        "name": "Havneby",
        "description": "Web shop:\n\tnew checkout",
        "status": "on_hold",
        "manager_id": "e-3",
        "requires_approval": True,
        "start_date": "2026-01-05",
        "end_date": "2026-12-18",
    },
    "time_account.defined": {
        "effective_date": "2026-01-01",
        "account_id": "acc-vacation",
        "name": "Ferie",
        "kind": "time_off",
        "unit": "days",
    },
    "time_off_policy.defined": {
        "effective_date": "2026-01-01",
        "policy_id": "p-vacation",
        "name": "Vacation",
        "account_id": "acc-vacation",
        "activity_id": "a-vacation",
        "accrual": {
            "plugin": "monthly",
            "annual": 2500,
            "year_start_month": 9,
            "rounding": "difference_to_target",
            "prorate_employment": True,
            "prorate_hours": True,
            "full_time_weekly_minutes": 2100,
        },
        "expiration": {"months_after_year_end": 4},
    },
    "allowance_policy.defined": {
        "effective_date": "2026-01-01",
        "policy_id": "p-meal",
        "name": "Meals",
        "account_id": "acc-meal",
        "activity_id": "a-meal",
    },
    "change.scheduled": {
        "change_id": "ch-1",
        "entity": "employment",
        "entity_id": "e-12/2",
        "effective_date": "2026-12-01",
        "values": {"job_title": "Lead", "manager_id": None, "nested": [1, 0.5, {"key": "Ærø"}, True]},
    },
    "change.cancelled": {"change_id": "ch-1"},
    "change.applied": {"change_id": "ch-1"},
    "time_off.requested": {
        "absence_id": "ab-1",
        "employee_id": "e-12",
        "policy_id": "p-vacation",
        "start_date": "2026-12-21",
        "end_date": "2027-01-03",
        "fraction": 0.5,
        "approval_required": False,
    },
    "time_off.approved": {"absence_id": "ab-1", "employee_id": "e-12"},
    "time_off.rejected": {"absence_id": "ab-1", "employee_id": "e-12", "reason": "Release week.\nSorry!"},
    "time_off.cancelled": {"absence_id": "ab-1", "employee_id": "e-12"},
    "time_off.interrupted": {"absence_id": "ab-1", "employee_id": "e-12", "date": "2026-12-28"},
    "time_off.consumed": {
        "absence_id": "ab-1",
        "employee_id": "e-12",
        "policy_id": "p-vacation",
        "account_id": "acc-vacation",
        "activity_id": "a-vacation",
        "from_date": "2026-12-21",
        "to_date": "2026-12-22",
        "days": [
            {"date": "2026-12-21", "minutes": 444, "amount": 100},
            {"date": "2026-12-22", "minutes": 444, "amount": 100},
        ],
        "amount": 200,
    },
    "absence.registered": {
        "absence_id": "ab-2",
        "employee_id": "e-12",
        "activity_id": "a-sick",
        "date": "2026-11-20",
        "minutes": 444,
    },
    "accrual.forecast_computed": {
        "employee_id": "e-12",
        "policy_id": "p-vacation",
        "computed_from": "2026-11-23",
        "horizon_end": "2028-11-22",
        "fingerprint": "6f1c0a",
        "entries": [
            {
                "entry_id": "e-12:p-vacation:accrual:2026-11-30",
                "kind": "accrual",
                "due_date": "2026-11-30",
                "amount": 208,
                "year_start": "2026-09-01",
            }
        ],
    },
    "account.credited": {
        "employee_id": "e-12",
        "account_id": "acc-vacation",
        "date": "2026-11-30",
        "amount": -150,
        "source": "adjustment",
        "policy_id": "p-vacation",
        "entry_id": "e-12:p-vacation:accrual:2026-11-30",
        "expires_on": "2027-12-31",
        "year_start": "2026-09-01",
    },
    "account.expired": {
        "employee_id": "e-12",
        "account_id": "acc-vacation",
        "date": "2027-01-01",
        "amount": 0,
        "entry_id": "e-12:p-vacation:expiry:2027-01-01",
        "policy_id": "p-vacation",
    },
    "time.entered": {
        "entry_id": "te-1",
        "employee_id": "e-12",
        "date": "2026-11-20",
        "activity_id": "a-dev",
        "project_id": "pr-7",
        "minutes": 222,
    },
    "time.removed": {"entry_id": "te-1", "employee_id": "e-12"},
    "statement.period_started": {
        "statement_id": "e-12:2026-11-16:2026-11-22",
        "employee_id": "e-12",
        "terms_id": "t-full",
        "period_start": "2026-11-16",
        "period_end": "2026-11-22",
    },
    "statement.ready": {"statement_id": "e-12:2026-11-16:2026-11-22", "employee_id": "e-12"},
    "statement.overdue": {"statement_id": "e-12:2026-11-16:2026-11-22", "employee_id": "e-12"},
    "statement.submitted": {
        "statement_id": "e-12:2026-11-16:2026-11-22",
        "employee_id": "e-12",
        "approvers": ["e-3", "e-4"],
        "note": "Overtime on Tuesday",
    },
    "statement.approved": {"statement_id": "e-12:2026-11-16:2026-11-22", "employee_id": "e-12", "by": "e-3"},
    "statement.reopened": {
        "statement_id": "e-12:2026-11-16:2026-11-22",
        "employee_id": "e-12",
        "by": "e-3",
        "note": "Tuesday is missing",
    },
    "norm.published": {
        "employee_id": "e-12",
        "through_week": "2026-12-21",
        "fingerprint": "6f1c0a",
        "weeks": [
            {
                "monday": "2026-12-21",
                "minutes": [444, 444, 444, 222, 0, 0, 0],
                "holidays": [{"date": "2026-12-25", "name": "Christmas Day"}],
            }
        ],
    },
    "notification.created": {
        "notification_id": "0b6cf0ac-6a1c-5f0e-8f0a-3a2f8d1f5c11",
        "user_id": "u-12",
        "kind": "timeoff_reminder",
        "channels": ["in_app", "email"],
        "data": {"absence_ids": ["ab-1"], "start_date": "2026-12-21", "working_days": 7, "account": None},
        "dedup_key": "timeoff_reminder:ab-1",
    },
    "notification.read": {"notification_id": "n-1", "user_id": "u-12"},
    "notification.dismissed": {"notification_id": "n-1", "user_id": "u-12"},
    "notification.purged": {"notification_id": "n-1", "user_id": "u-12"},
    "user.invitation_expired": {"user_id": "u-12"},
}

_TARGETS = {"statement.ready": ["e-3"], "statement.overdue": ["e-3"], "time_off.requested": ["e-3"]}


def _event(number: int, event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "workspace_id": "acme",
        "event_id": str(UUID(int=number, version=4)),
        "type": event_type,
        "version": 1,
        "occurred_at": "2026-11-02T08:00:00+01:00",
        "actor": "user:u-7",
        "targets": _TARGETS.get(event_type, []),
        "payload": payload,
    }
    if "employee_id" in payload:
        event["employee_id"] = payload["employee_id"]
    return event


EXAMPLES: dict[str, dict[str, Any]] = {
    event_type: _event(number, event_type, payload) for number, (event_type, payload) in enumerate(_PAYLOADS.items(), 1)
}


def example(event_type: str, **changes: Any) -> dict[str, Any]:
    """A copy of the example of a type, with some fields of its payload replaced."""
    event = deepcopy(EXAMPLES[event_type])
    event["payload"].update(changes)
    return event
