"""Balances of time accounts: what events add to the sums, and what refunds take back (domain 3.6, 4)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

from batch_jobs.rules.absences import Absence


class Balance(NamedTuple):
    """Sums of one employee's account, in its unit. `planned` is not yet taken and no part of the balance."""

    credited: int = 0
    used: int = 0
    expired: int = 0
    planned: int = 0

    @property
    def balance(self) -> int:
        """What is left: credited − used − expired. Negative when overdrawn."""
        return self.credited - self.used - self.expired

    def plus(self, other: "Balance") -> "Balance":
        """Both together. Sums may be added in any order and grouping."""
        return Balance(*(one + more for one, more in zip(self, other, strict=True)))


class ConsumedAmount(NamedTuple):
    """One consumed day of an absence, as charged to its account."""

    account_id: str
    date: date
    amount: int


class BalanceEvent(Protocol):
    """What of an event the rule reads."""

    @property
    def type(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


def movement(event: BalanceEvent) -> tuple[tuple[str, str], Balance] | None:
    """What one event adds to which employee's account: `((employee_id, account_id), sums)`.

    An adjustment down lowers what was credited. Consumption without an account, and every other event, moves nothing.
    Consumption that `absences.apply` refuses must not be asked about: it changes nothing. What an absence gives back
    is told by `refunds`.
    """
    payload = event.payload
    if not payload.get("account_id"):
        return None
    key = payload["employee_id"], payload["account_id"]
    if event.type == "account.credited":
        return key, Balance(credited=payload["amount"])
    if event.type == "account.expired":
        return key, Balance(expired=payload["amount"])
    if event.type == "time_off.consumed":
        return key, Balance(used=payload["amount"])
    return None


def consumed_amounts(event: BalanceEvent) -> list[ConsumedAmount]:
    """The days of a `time_off.consumed`; none without an account."""
    account_id = event.payload.get("account_id")
    if event.type != "time_off.consumed" or not account_id:
        return []
    return [ConsumedAmount(account_id, date.fromisoformat(day["date"]), day["amount"]) for day in event.payload["days"]]


def refunds(consumed: Iterable[ConsumedAmount], before: Absence, after: Absence) -> dict[tuple[str, str], Balance]:
    """What an interruption or cancellation gives back, by employee and account: `used` of zero or less.

    Args:
        consumed: all days of the absence consumed so far, refunded or not.
        before: the absence before the event.
        after: the absence after it.
    """
    found: dict[tuple[str, str], Balance] = {}
    for account_id, day, amount in consumed:
        if before.stands_on(day) and not after.stands_on(day):
            key = before.employee_id, account_id
            found[key] = found.get(key, Balance()).plus(Balance(used=-amount))
    return found
