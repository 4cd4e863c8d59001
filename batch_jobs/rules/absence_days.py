"""The days of an absence: what is consumed when, what is registered, and what both take (domain 3.6, 6.1)."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple

from batch_jobs.rules.absences import Absence
from batch_jobs.rules.approval_periods import Period, period, periods_between
from batch_jobs.rules.charges import Charge, charge
from batch_jobs.rules.entities import ApprovalKind
from batch_jobs.rules.fractions import round_half_up
from batch_jobs.rules.policies import AccountUnit
from batch_jobs.rules.versions import ONE_DAY
from batch_jobs.rules.workforce import Workforce


class AbsentDay(NamedTuple):
    """A working day of an absence. `amount` in the unit of the account: centidays, minutes, or 0 without account."""

    date: date
    minutes: int
    amount: int


class Consumption(NamedTuple):
    """What consuming a chunk takes: `amount` is the sum over the days, in the unit of the charge's account."""

    chunk: Period
    charge: Charge
    days: tuple[AbsentDay, ...]
    amount: int


def approval_kind(workforce: Workforce, employee_id: str, run_date: date) -> ApprovalKind:
    """By which approval periods the employee's absences are consumed on the run date.

    Those of the employment current on it, when there is none those of the last before it, and `none` for someone who
    was never employed until then.

    Raises:
        UndefinedReferenceError: the employment's terms are not defined.
    """
    day = workforce.last_covered_day(employee_id, run_date)
    terms = workforce.terms(employee_id, day) if day else None
    return terms.approval_period if terms else "none"


def chunks(absence: Absence, run_date: date, kind: ApprovalKind) -> list[Period]:
    """The stretches to consume on the run date, in order, one for each approval period that they touch.

    A closed approved absence that has begun is consumed up to the end of the approval period that holds the run date;
    without approval the whole of it at once. However the run dates fall, and however `kind` changes between them, the
    chunks of an absence follow each other without gap or overlap.
    """
    left = absence.unconsumed()
    if left is None or absence.start_date > run_date:
        return []
    current = period(kind, run_date)
    if current is None:
        return [left]
    until = min(left.end, current.end)
    return [
        Period(max(left.start, found.start), min(until, found.end))
        for found in periods_between(kind, left.start, until)
    ]


def consume(workforce: Workforce, absence: Absence, chunk: Period) -> Consumption:
    """What consuming the chunk takes: its working days, charged as the policy says on the chunk's first day.

    A chunk without a working day takes nothing and is consumed all the same.

    Raises:
        UndefinedReferenceError: policy, account, activity, terms or work-time policy are not defined.
        UnknownCalendarError: a holiday calendar's country or subdivision is not known.
    """
    charged = charge(workforce.definitions, absence.policy_id, chunk.start)
    unit = charged.account.unit if charged.account else None
    of_each_day = _centidays(absence.fraction) if unit == "days" else 0
    expected = workforce.minutes_between(absence.employee_id, *chunk)
    days = tuple(
        AbsentDay(date.fromordinal(ordinal), minutes, minutes if unit == "hours" else of_each_day)
        for ordinal, (working, minutes) in enumerate(
            zip(expected, _absent_minutes(expected, absence.fraction), strict=True), chunk.start.toordinal()
        )
        if working > 0
    )
    return Consumption(chunk, charged, days, sum(day.amount for day in days))


def planned(workforce: Workforce, absence: Absence) -> tuple[str, int] | None:
    """The account and the amount that the unconsumed rest of an approved closed absence will take, in its unit.

    The policy and its account are those of the first unconsumed day. None: nothing is left, or no account pays.
    Raises as `consume`.
    """
    left = absence.unconsumed()
    account = charge(workforce.definitions, absence.policy_id, left.start).account if left else None
    if left is None or account is None:
        return None
    expected = workforce.minutes_between(absence.employee_id, *left)
    return account.account_id, _amount_of(expected, absence.fraction, account.unit)


def day_to_register(absence: Absence, run_date: date) -> date | None:
    """The day before the run date when the job registers it: it stands and is not the first, which the application did.

    Only open-ended absences are registered, also after their interruption.
    """
    if not absence.open_ended or run_date == date.min:
        return None
    day = run_date - ONE_DAY
    return day if absence.start_date < day and absence.stands_on(day) else None


def registered_minutes(workforce: Workforce, absence: Absence, day: date) -> int:
    """The minutes that the absence puts on the timesheet on the day; 0: there is nothing to register.

    Raises:
        UndefinedReferenceError: terms or work-time policy are not defined.
        UnknownCalendarError: the holiday calendar's country or subdivision is not known.
    """
    return floor(workforce.expected_minutes(absence.employee_id, day) * absence.fraction)


def _absent_minutes(expected: Sequence[int], fraction: Fraction) -> Sequence[int]:
    return expected if fraction == 1 else [floor(minutes * fraction) for minutes in expected]


def _amount_of(expected: Sequence[int], fraction: Fraction, unit: AccountUnit) -> int:
    if unit == "days":
        return _centidays(fraction) * (len(expected) - expected.count(0))
    return sum(_absent_minutes(expected, fraction))


def _centidays(fraction: Fraction) -> int:
    return round_half_up(100 * fraction)
