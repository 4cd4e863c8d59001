"""Events of absences and of what they are charged to, in few words, as an import file holds them."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from batch_jobs_tests.builders import FIRST_INSTANT, Event, event


def requested(
    absence_id: str,
    start: date,
    end: date | None = None,
    *,
    employee_id: str = "e-1",
    policy_id: str = "holiday",
    occurred_at: str = FIRST_INSTANT,
    **fields: Any,
) -> Event:
    """A request; without `end` open-ended, without `approval_required` it waits for an approval."""
    who = {"absence_id": absence_id, "employee_id": employee_id, "policy_id": policy_id}
    days = {"start_date": start, "end_date": end}
    return event("time_off.requested", who | days | fields, occurred_at=occurred_at)


def away(absence_id: str, start: date, end: date | None = None, **fields: Any) -> Event:
    """An absence that needs no approval."""
    return requested(absence_id, start, end, approval_required=False, **fields)


def sick(absence_id: str, start: date, **fields: Any) -> Event:
    """An open-ended absence under the policy `sickness`."""
    return away(absence_id, start, **{"policy_id": "sickness", **fields})


def decided(what: str, absence_id: str, *, employee_id: str = "e-1", **fields: Any) -> Event:
    """`time_off.approved`, `.rejected` or `.cancelled`."""
    reason = {"reason": "Christmas"} if what == "rejected" else {}
    return event(f"time_off.{what}", {"absence_id": absence_id, "employee_id": employee_id, **reason, **fields})


def interrupted(absence_id: str, day: date, *, employee_id: str = "e-1") -> Event:
    return event("time_off.interrupted", {"absence_id": absence_id, "employee_id": employee_id, "date": day})


def consumed(absence_id: str, start: date, end: date, days: Iterable[date] = (), **fields: Any) -> Event:
    """Full days of 444 minutes, from the account `days` and on the activity `free`."""
    taken = [{"date": day, "minutes": 444, "amount": 100} for day in days]
    payload = {"absence_id": absence_id, "employee_id": "e-1", "policy_id": "holiday", "account_id": "days"}
    span = {"activity_id": "free", "from_date": start, "to_date": end, "days": taken, "amount": 100 * len(taken)}
    return event("time_off.consumed", payload | span | fields)


def registered(absence_id: str, day: date, **fields: Any) -> Event:
    payload = {"absence_id": absence_id, "employee_id": "e-1", "activity_id": "ill", "date": day, "minutes": 444}
    return event("absence.registered", payload | fields)


def time_off_policy(policy_id: str, *, since: date | None = None, **fields: Any) -> Event:
    payload = {"policy_id": policy_id, "name": policy_id, "effective_date": since, **fields}
    return event("time_off_policy.defined", payload)


def account(account_id: str, unit: str = "days") -> Event:
    payload = {"account_id": account_id, "name": account_id, "kind": "time_off", "unit": unit}
    return event("time_account.defined", payload)


def activity(activity_id: str) -> Event:
    return event("activity.defined", {"activity_id": activity_id, "name": activity_id, "kind": "time_off"})


def policies() -> list[Event]:
    """`holiday` from an account in days, `overtime` from one in hours, `leave` from none, `sickness` open-ended."""
    return [
        account("days"),
        account("hours", "hours"),
        activity("free"),
        activity("ill"),
        time_off_policy("holiday", account_id="days", activity_id="free"),
        time_off_policy("overtime", account_id="hours"),
        time_off_policy("leave"),
        time_off_policy("sickness", activity_id="ill"),
    ]
