"""Payloads of time accounts: what they are, what is forecast for them, what goes in and what expires."""

from typing import ClassVar, Literal

from pydantic import Field

from batch_jobs.store.payloads.base import EntityDefined, Part, Payload
from batch_jobs.store.payloads.fields import Amount, Day, Id, Key, MadeId, Name, SignedAmount


class TimeAccountDefined(EntityDefined):
    """An account of days (in centidays) or hours (in minutes). It keeps the kind and unit of its first definition: a
    later one with others changes nothing.
    """

    type: ClassVar[str] = "time_account.defined"
    id_field: ClassVar[str] = "account_id"

    account_id: Id
    name: Name
    kind: Literal["time_off", "allowance"]
    unit: Literal["days", "hours"]


class ForecastEntry(Part):
    """What will be credited, or looked at for expiry, on the due date; `amount` in the account's unit."""

    entry_id: MadeId
    kind: Literal["accrual", "expiry"]
    due_date: Day
    amount: Amount
    year_start: Day


class AccrualForecastComputed(Payload):
    """One employee's entries under one policy, in place of those due on or after `computed_from`."""

    type: ClassVar[str] = "accrual.forecast_computed"

    employee_id: Id
    policy_id: Id
    computed_from: Day
    horizon_end: Day
    fingerprint: Key
    entries: tuple[ForecastEntry, ...] = Field(strict=False)


class AccountCredited(Payload):
    """`amount` in the account's unit goes in; a negative one is an adjustment down."""

    type: ClassVar[str] = "account.credited"

    employee_id: Id
    account_id: Id
    date: Day
    amount: SignedAmount
    source: Literal["accrual", "adjustment"]
    policy_id: Id | None = None
    entry_id: MadeId | None = None
    expires_on: Day | None = None
    year_start: Day | None = None


class AccountExpired(Payload):
    """`amount` in the account's unit is taken away; 0 says that nothing was left."""

    type: ClassVar[str] = "account.expired"

    employee_id: Id
    account_id: Id
    date: Day
    amount: Amount
    entry_id: MadeId
    policy_id: Id
