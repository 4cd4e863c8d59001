"""Time-off and allowance policies, accounts and activities as their `*.defined` events carry them: fields, no rules."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from batch_jobs.rules.entities import Payload

AccountUnit: TypeAlias = Literal["days", "hours"]
"""Amounts of an account in days are centidays, of one in hours minutes."""
Rounding: TypeAlias = Literal["difference_to_target", "difference_on_last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyPlan:
    """A twelfth of `annual` each month of a policy year. `annual` in the account's unit."""

    annual: int
    year_start_month: int = 1
    rounding: Rounding = "difference_on_last"
    prorate_employment: bool = False
    prorate_hours: bool = False
    full_time_weekly_minutes: int = 2220


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyPlan:
    """All of `annual` on the first or last day of a policy year. `annual` in the account's unit."""

    annual: int
    year_start_month: int = 1
    timing: Literal["year_start", "year_end"] = "year_end"
    prorate_employment: bool = False
    prorate_hours: bool = False
    full_time_weekly_minutes: int = 2220


@dataclass(frozen=True, slots=True)
class DanishVacationPlan:
    """The Danish holiday year, which leaves nothing to choose."""


AccrualPlan: TypeAlias = MonthlyPlan | YearlyPlan | DanishVacationPlan
_PLANS: dict[str, type[AccrualPlan]] = {
    "monthly": MonthlyPlan,
    "yearly": YearlyPlan,
    "danish_vacation": DanishVacationPlan,
}


@dataclass(frozen=True, slots=True)
class TimeOffPolicy:
    """`time_off_policy.defined`. `expires_after_months` is `months_after_year_end`; None: never."""

    policy_id: str
    name: str
    account_id: str | None = None
    activity_id: str | None = None
    accrual: AccrualPlan | None = None
    expires_after_months: int | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "TimeOffPolicy":
        expiration = payload.get("expiration")
        return cls(
            policy_id=payload["policy_id"],
            name=payload["name"],
            account_id=payload.get("account_id"),
            activity_id=payload.get("activity_id"),
            accrual=_plan(payload.get("accrual")),
            expires_after_months=expiration["months_after_year_end"] if expiration else None,
        )


@dataclass(frozen=True, slots=True)
class AllowancePolicy:
    """`allowance_policy.defined`."""

    policy_id: str
    name: str
    account_id: str | None = None
    activity_id: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "AllowancePolicy":
        return cls(
            policy_id=payload["policy_id"],
            name=payload["name"],
            account_id=payload.get("account_id"),
            activity_id=payload.get("activity_id"),
        )


@dataclass(frozen=True, slots=True)
class TimeAccount:
    """`time_account.defined`."""

    account_id: str
    name: str
    kind: Literal["time_off", "allowance"]
    unit: AccountUnit

    @classmethod
    def from_payload(cls, payload: Payload) -> "TimeAccount":
        return cls(account_id=payload["account_id"], name=payload["name"], kind=payload["kind"], unit=payload["unit"])


@dataclass(frozen=True, slots=True)
class Activity:
    """`activity.defined`."""

    activity_id: str
    name: str
    kind: Literal["work", "time_off", "non_work", "allowance"]
    parent_id: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "Activity":
        return cls(
            activity_id=payload["activity_id"],
            name=payload["name"],
            kind=payload["kind"],
            parent_id=payload.get("parent_id"),
        )


def _plan(accrual: Payload | None) -> AccrualPlan | None:
    if not accrual:
        return None
    return _PLANS[accrual["plugin"]](**{field: value for field, value in accrual.items() if field != "plugin"})
