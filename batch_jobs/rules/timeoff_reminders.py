"""Reminders of coming time off: which absences belong together, when one is due, what it says (domain 6.1)."""

from collections.abc import Container, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from batch_jobs.rules.absences import Absence
from batch_jobs.rules.charges import charge
from batch_jobs.rules.versions import ONE_DAY
from batch_jobs.rules.workforce import Workforce

AHEAD = timedelta(days=14)
LOOK_BACK = timedelta(days=30)
TIME_OFF = "time off"
"""What a reminder calls time off that not just one account pays for."""


class Block(NamedTuple):
    """Absences with only non-working days between them, by start. `start` and `end` are their first and last day."""

    start: date
    end: date
    absences: tuple[Absence, ...]


class Reminder(NamedTuple):
    """What a reminder says. `account` is the account's name, or `TIME_OFF`."""

    absence_ids: tuple[str, ...]
    start: date
    end: date
    working_days: int
    account: str


def blocks(workforce: Workforce, employee_id: str, absences: Iterable[Absence], run_date: date) -> list[Block]:
    """The employee's approved, unstarted, full-day, closed absences as blocks, by start.

    Raises:
        UndefinedReferenceError: terms or work-time policy are not defined.
        UnknownCalendarError: a holiday calendar's country or subdivision is not known.
    """
    found: list[Block] = []
    for absence, end in sorted(_plain(absences, run_date), key=lambda one: (one[0].start_date, one[0].absence_id)):
        last = found[-1] if found else None
        day_before = absence.start_date - ONE_DAY
        if last and (last.end >= day_before or not workforce.working_days(employee_id, last.end + ONE_DAY, day_before)):
            found[-1] = Block(last.start, max(last.end, end), (*last.absences, absence))
        else:
            found.append(Block(absence.start_date, end, (absence,)))
    return found


def is_due(workforce: Workforce, employee_id: str, block: Block, run_date: date) -> bool:
    """Whether the reminder of the block is due on the run date.

    It is from the last working day before the block on, 14 days before its start at the earliest; when none of the 30
    days before the start is a working day, from those 14 days on. Raises as `blocks`.
    """
    if not run_date < block.start or block.start - run_date > AHEAD:
        return False
    look_back = min(LOOK_BACK, block.start - date.min)
    before = workforce.working_days(employee_id, block.start - look_back, block.start - ONE_DAY)
    return not before or before[-1] <= run_date


def reminder(workforce: Workforce, employee_id: str, block: Block, reminded: Container[str]) -> Reminder | None:
    """What the reminder of the block says about those absences that no earlier one named; None when there are none.

    Its dedup key is made of the first of `absence_ids`. The account is that of each absence's policy on its first day.

    Args:
        workforce: with the kinds of `POLICY_KINDS` among its definitions.
        employee_id: whose block.
        block: of `blocks`.
        reminded: ids of the absences that earlier reminders named.

    Raises:
        UndefinedReferenceError: a policy, account, activity, terms or work-time policy are not defined.
        UnknownCalendarError: a holiday calendar's country or subdivision is not known.
    """
    new = [absence for absence in block.absences if absence.absence_id not in reminded]
    if not new:
        return None
    end = max(absence.end_date or block.end for absence in new)
    days = workforce.working_days(employee_id, new[0].start_date, end)
    charges = [charge(workforce.definitions, absence.policy_id, absence.start_date) for absence in new]
    account = charges[0].account
    shared = all(other.account and account and other.account.account_id == account.account_id for other in charges)
    return Reminder(
        tuple(absence.absence_id for absence in new),
        new[0].start_date,
        end,
        sum(any(absence.stands_on(day) for absence in new) for day in days),
        account.name if account and shared else TIME_OFF,
    )


def _plain(absences: Iterable[Absence], run_date: date) -> Iterator[tuple[Absence, date]]:
    for absence in absences:
        end = absence.end_date
        if absence.state != "approved" or absence.open_ended or not absence.full_days or end is None:
            continue
        if run_date < absence.start_date <= end:
            yield absence, end
