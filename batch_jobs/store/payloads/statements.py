"""Payloads of timesheet statements, from the start of a period to its approval."""

from typing import ClassVar

from pydantic import Field

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Day, Id, MadeId, Text


class StatementPeriodStarted(Payload):
    """An employee owes a statement for a period, both days included."""

    type: ClassVar[str] = "statement.period_started"

    statement_id: MadeId
    employee_id: Id
    terms_id: Id
    period_start: Day
    period_end: Day


class StatementReady(Payload):
    """The deadline has come; the manager is in the envelope's `targets`."""

    type: ClassVar[str] = "statement.ready"

    statement_id: MadeId
    employee_id: Id


class StatementOverdue(Payload):
    """The deadline has passed; the manager is in the envelope's `targets`."""

    type: ClassVar[str] = "statement.overdue"

    statement_id: MadeId
    employee_id: Id


class StatementSubmitted(Payload):
    """Handed in to the employees who must sign; with none of them it is approved at once."""

    type: ClassVar[str] = "statement.submitted"

    statement_id: MadeId
    employee_id: Id
    approvers: tuple[Id, ...] = Field(strict=False)
    note: Text | None = None


class StatementApproved(Payload):
    """One approver, an employee, has signed."""

    type: ClassVar[str] = "statement.approved"

    statement_id: MadeId
    employee_id: Id
    by: Id


class StatementReopened(Payload):
    """Given back for correction."""

    type: ClassVar[str] = "statement.reopened"

    statement_id: MadeId
    employee_id: Id
    by: Id
    note: Text
