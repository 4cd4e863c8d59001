"""Companies with accruing policies, and what moves their accounts, in few words."""

from datetime import date
from typing import Any

from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import account, activity, time_off_policy
from batch_jobs_tests.builders import Event, event

MONTHLY = {"plugin": "monthly", "annual": 2500}
YEARLY = {"plugin": "yearly", "annual": 500}
DANISH = {"plugin": "danish_vacation"}


def company(accrual: dict[str, Any] | None, hired: date, end: date | None = None, **policy: Any) -> list[Event]:
    """Workspace `acme` with employee `e-1` on terms that carry the policy `holiday`, from the account `days`."""
    return [
        builders.workspace(),
        account("days"),
        activity("free"),
        time_off_policy("holiday", accrual=accrual, account_id="days", activity_id="free", **policy),
        carrying("holiday"),
        builders.employee("e-1"),
        builders.employment("e-1/1", hired, end),
    ]


def carrying(*policy_ids: str, **fields: Any) -> Event:
    """Terms `t-1` with these time-off policies."""
    return builders.terms(time_off_policy_ids=list(policy_ids), **fields)


def credited(amount: int, day: date, *, employee_id: str = "e-1", account_id: str = "days", **fields: Any) -> Event:
    payload = {"employee_id": employee_id, "account_id": account_id, "date": day, "amount": amount}
    return event("account.credited", {**payload, "source": "adjustment", **fields})


def expired(amount: int, day: date, entry_id: str, *, employee_id: str = "e-1", account_id: str = "days") -> Event:
    payload = {"employee_id": employee_id, "account_id": account_id, "date": day, "amount": amount}
    return event("account.expired", {**payload, "entry_id": entry_id, "policy_id": "holiday"})


def forecast(
    computed_from: date,
    due: dict[date, int],
    *,
    employee_id: str = "e-1",
    policy_id: str = "holiday",
    fingerprint: str = "f",
) -> Event:
    """A forecast with entries for these amounts by due date; an amount of 0 is an expiry."""
    entries = []
    for day, amount in due.items():
        kind = "accrual" if amount else "expiry"
        entry_id = f"{employee_id}:{policy_id}:{kind}:{day}"
        year = day.replace(month=1, day=1)
        entries.append({"entry_id": entry_id, "kind": kind, "due_date": day, "amount": amount, "year_start": year})
    horizon = date(computed_from.year + 2, computed_from.month, 1)
    payload = {"employee_id": employee_id, "policy_id": policy_id, "computed_from": computed_from}
    made = {"horizon_end": horizon, "fingerprint": fingerprint, "entries": entries}
    return event("accrual.forecast_computed", payload | made)
