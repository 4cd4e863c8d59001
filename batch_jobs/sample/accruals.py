"""The forecast entries of the sample's accrual plans (domain 3.5), for one unbroken employment on full amounts."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from math import floor
from typing import NamedTuple

from batch_jobs.rules.fractions import round_half_up
from batch_jobs.sample.countries.country import Payload

YEARS_BACK = 2
"""So many years after a policy year began its last entry, the expiry, is due in the sample's plans."""

_DANISH_MONTH, _DANISH_DAY, _DANISH_LAST = 208, 7, 212


class Entry(NamedTuple):
    """What becomes due under a policy. `amount` in the account's unit; `expires_on` of an accrual, if ever."""

    kind: str
    due_date: date
    amount: int
    year_start: date
    expires_on: date | None


def entries_between(policy: Payload, start: date, end: date | None, first: date, last: date) -> list[Entry]:
    """The entries due from `first` to `last`, for someone employed from `start` to `end`, in order of their due dates.

    Policies may use all plugins of domain 3.5, with `prorate_employment` on yearly ones; the sample's use no more.
    """
    if "accrual" not in policy:
        return []
    month = 9 if _is_danish(policy) else policy["accrual"].get("year_start_month", 1)
    found: list[Entry] = []
    for year in range(first.year - YEARS_BACK, last.year + 1):
        year_start = date(year, month, 1)
        of_year = list(_accruals(policy, year_start, start, end))
        found += of_year
        if of_year and of_year[0].expires_on:
            found.append(Entry("expiry", of_year[0].expires_on + timedelta(days=1), 0, year_start, None))
    return sorted((entry for entry in found if first <= entry.due_date <= last), key=lambda entry: entry.due_date)


def _is_danish(policy: Payload) -> bool:
    return bool(policy["accrual"]["plugin"] == "danish_vacation")


def _accruals(policy: Payload, year_start: date, start: date, end: date | None) -> Iterator[Entry]:
    accrual, months = policy["accrual"], _months(year_start)
    year_end = months[-1][1]
    expires_on = None
    if _is_danish(policy):
        expires_on = date(year_end.year, 12, 31)
    elif "expiration" in policy:
        expires_on = _months_later(year_end, policy["expiration"]["months_after_year_end"])
    if accrual["plugin"] == "yearly":
        covered = _covered(year_start, year_end, start, end)
        if covered:
            share = Fraction(covered, (year_end - year_start).days + 1) if accrual.get("prorate_employment") else 1
            due = year_start if accrual.get("timing") == "year_start" else year_end
            yield Entry("accrual", due, round_half_up(Fraction(accrual["annual"]) * share), year_start, expires_on)
        return
    sum_so_far, covered_months = 0, 0
    for first_day, last_day in months:
        covered = _covered(first_day, last_day, start, end)
        if not covered:
            continue
        whole = covered == (last_day - first_day).days + 1
        is_last = last_day == year_end
        covered_months += whole if _is_danish(policy) else 1
        if _is_danish(policy):
            amount = _DANISH_MONTH if whole else min(_DANISH_MONTH, _DANISH_DAY * covered)
            amount = _DANISH_LAST if is_last and covered_months == 12 else amount
        else:
            target = Fraction(accrual["annual"] * covered_months, 12)
            to_target = is_last or accrual.get("rounding") == "difference_to_target"
            amount = round_half_up(target) - sum_so_far if to_target else floor(Fraction(accrual["annual"], 12))
        sum_so_far += amount
        yield Entry("accrual", last_day, amount, year_start, expires_on)


@cache
def _months(year_start: date) -> list[tuple[date, date]]:
    firsts = [
        date(year_start.year + (year_start.month - 1 + number) // 12, (year_start.month - 1 + number) % 12 + 1, 1)
        for number in range(12)
    ]
    return [(first, first.replace(day=monthrange(first.year, first.month)[1])) for first in firsts]


def _months_later(day: date, months: int) -> date:
    """The last day of the month that many months after the day's."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, monthrange(day.year + years, month + 1)[1])


def _covered(first: date, last: date, start: date, end: date | None) -> int:
    """Days from first to last on which someone employed from start to end is there."""
    return max(0, (min(last, end or last) - max(first, start)).days + 1)
