"""When a policy year's credits expire, and what of them is left by then (domain 3.5)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from batch_jobs.rules.accrual.plans import first_month
from batch_jobs.rules.accrual.policy_years import end_of_month, months, year_end
from batch_jobs.rules.policies import DanishVacationPlan, TimeOffPolicy
from batch_jobs.rules.versions import Versions


def expiry_day(policy: Versions[TimeOffPolicy], year_start: date) -> date | None:
    """The last day on which the credits of the policy year can be used; None: never, as far as the calendar goes.

    The Danish holiday year's expire on 31 December after it. Others expire as the policy says that is in force on the
    year's last day. A year that the Danish plan and another one share expires once, on the later day.
    """
    last_day = year_end(year_start)
    due_dates = (year_start, *(month.end for month in months(year_start)))
    plans = [plan for plan in (policy.on(day).accrual for day in due_dates) if plan is not None]
    is_danish = [isinstance(plan, DanishVacationPlan) for plan in plans if first_month(plan) == year_start.month]
    danish_day = date(last_day.year, 12, 31)
    if is_danish and all(is_danish):
        return danish_day
    months_later = policy.on(last_day).expires_after_months
    if months_later is None or last_day.year + months_later // 12 >= date.max.year:
        return None
    return max([end_of_month(last_day, months_later), *([danish_day] if any(is_danish) else [])])


class Credited(NamedTuple):
    """One `account.credited`: `amount` in the account's unit, negative for an adjustment down.

    `is_of_entry` where it names the forecast entry that it was made of.
    """

    day: date
    amount: int
    policy_id: str | None = None
    year_start: date | None = None
    expires_on: date | None = None
    is_of_entry: bool = False


class Used(NamedTuple):
    """Consumption that stands, on a day, in the account's unit."""

    day: date
    amount: int


class Expired(NamedTuple):
    """One `account.expired` already recorded: `day` is the day after the expiry day.

    `year_start` is None where no forecast entry tells whose year it was, as for one that was imported.
    """

    day: date
    amount: int
    policy_id: str
    year_start: date | None = None


def left_to_expire(
    credited: Iterable[Credited],
    used: Iterable[Used],
    expired: Iterable[Expired],
    *,
    policy_id: str,
    year_start: date,
    expiry_day: date,
) -> int:
    """What is left of a policy year's credits at the end of its expiry day; never negative.

    Usage dated up to the expiry day (consumption, and adjustments down) is taken first from the credits that expire
    first, then from the oldest, from those that never expire last. What expired before is gone, so that usage is not
    taken from it: it comes off the credits of its own policy year, whatever day they were once said to expire on. Where
    that year is not known, or holds no more, it comes off the policy's credits that had expired by then, from those
    that expired last.

    Args:
        credited: all credits and adjustments of the employee's account, in any order.
        used: its usage that stands, in any order.
        expired: what was recorded as expired from it. Entries must be materialised in order of their due dates.
        policy_id: whose credits.
        year_start: the first day of the policy year.
        expiry_day: the last day on which they could be used.
    """
    movements = list(credited)
    usage = sum(one.amount for one in used if one.day <= expiry_day)
    usage -= sum(one.amount for one in movements if one.amount < 0 and one.day <= expiry_day)
    credits = sorted((one for one in movements if one.amount > 0), key=_first_to_expire)
    left = [one.amount for one in credits]
    _take_gone(left, credits, expired)
    of_year = 0
    for credit, available in zip(credits, left, strict=True):
        taken = min(usage, available)
        usage -= taken
        if (credit.policy_id, credit.year_start) == (policy_id, year_start):
            of_year += available - taken
    return of_year


def _take_gone(left: list[int], credits: Sequence[Credited], expired: Iterable[Expired]) -> None:
    """Take what expired before from what is left of each credit: all of it whose year is known first."""
    gone = sorted(expired, key=lambda one: (one.day, one.policy_id, one.year_start or date.min, one.amount))
    still = [one.amount for one in gone]
    for is_its_own in (_of_its_year, _had_expired_by):
        for number, one in enumerate(gone):
            for index in reversed(range(len(credits))):
                if still[number] and credits[index].policy_id == one.policy_id and is_its_own(credits[index], one):
                    taken = min(still[number], left[index])
                    left[index] -= taken
                    still[number] -= taken


def _of_its_year(credit: Credited, gone: Expired) -> bool:
    return gone.year_start is not None and credit.year_start == gone.year_start


def _had_expired_by(credit: Credited, gone: Expired) -> bool:
    return credit.expires_on is not None and credit.expires_on < gone.day


def _first_to_expire(credit: Credited) -> tuple[date, date, str, date, int]:
    # The last three only make the order of credits alike in both days the same in every run.
    return (
        credit.expires_on or date.max,
        credit.day,
        credit.policy_id or "",
        credit.year_start or date.min,
        credit.amount,
    )
