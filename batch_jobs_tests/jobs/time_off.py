"""Absences in few words, as events, for tests of jobs that look at them."""

from datetime import date
from typing import Any

from batch_jobs_tests import builders
from batch_jobs_tests.builders import Event


def off(absence_id: str, start: date, end: date | None = None, employee_id: str = "e-1", **fields: Any) -> Event:
    """A request that needs no approval unless the fields say so; under policy `holiday`."""
    payload = {
        "absence_id": absence_id,
        "employee_id": employee_id,
        "policy_id": "holiday",
        "start_date": start,
        "end_date": end,
        "approval_required": False,
        **fields,
    }
    return builders.event("time_off.requested", payload)


def said(what: str, absence_id: str, employee_id: str = "e-1", **fields: Any) -> Event:
    """A `time_off.<what>` of an absence."""
    return builders.event(f"time_off.{what}", {"absence_id": absence_id, "employee_id": employee_id, **fields})


def account(account_id: str, **fields: Any) -> Event:
    payload = {"account_id": account_id, "name": account_id, "kind": "time_off", "unit": "days", **fields}
    return builders.event("time_account.defined", payload)


def time_off_policy(policy_id: str, **fields: Any) -> Event:
    return builders.event("time_off_policy.defined", {"policy_id": policy_id, "name": policy_id, **fields})
