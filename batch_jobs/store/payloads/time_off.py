"""Payloads of absences: asked for, decided, ended, consumed, registered."""

from typing import ClassVar

from pydantic import Field

from batch_jobs.store.payloads.base import Part, Payload
from batch_jobs.store.payloads.fields import AbsenceFraction, Amount, Day, DayMinutes, Flag, Id, Text


class TimeOffRequested(Payload):
    """An absence from `start_date` on; without `end_date` it is open-ended."""

    type: ClassVar[str] = "time_off.requested"

    absence_id: Id
    employee_id: Id
    policy_id: Id
    start_date: Day
    end_date: Day | None = None
    fraction: AbsenceFraction = 1.0
    approval_required: Flag = True


class TimeOffApproved(Payload):
    """The request is granted."""

    type: ClassVar[str] = "time_off.approved"

    absence_id: Id
    employee_id: Id


class TimeOffRejected(Payload):
    """The request is refused."""

    type: ClassVar[str] = "time_off.rejected"

    absence_id: Id
    employee_id: Id
    reason: Text


class TimeOffCancelled(Payload):
    """The absence is taken back, all its days."""

    type: ClassVar[str] = "time_off.cancelled"

    absence_id: Id
    employee_id: Id


class TimeOffInterrupted(Payload):
    """The absence ends early: `date` is the first day no longer absent."""

    type: ClassVar[str] = "time_off.interrupted"

    absence_id: Id
    employee_id: Id
    date: Day


class ConsumedDay(Part):
    """One working day of an absence; `amount` in the account's unit."""

    date: Day
    minutes: DayMinutes
    amount: Amount


class TimeOffConsumed(Payload):
    """A part of an absence, first to last day, is taken from its account and enters the timesheet."""

    type: ClassVar[str] = "time_off.consumed"

    absence_id: Id
    employee_id: Id
    policy_id: Id
    account_id: Id | None = None
    activity_id: Id | None = None
    from_date: Day
    to_date: Day
    days: tuple[ConsumedDay, ...] = Field(strict=False)
    amount: Amount


class AbsenceRegistered(Payload):
    """One day of an open-ended absence enters the timesheet."""

    type: ClassVar[str] = "absence.registered"

    absence_id: Id
    employee_id: Id
    activity_id: Id
    date: Day
    minutes: DayMinutes
