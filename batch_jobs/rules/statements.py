"""The states of a timesheet statement and the events that move it between them (domain 3.7)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from batch_jobs.rules.errors import TransitionError

StatementState: TypeAlias = Literal["pending", "ready", "overdue", "submitted", "approved", "reopened"]


class Statement(NamedTuple):
    """A timesheet statement, in the columns of the projection `timesheet_statements` (domain 4).

    `submitted_at` is the instant of the submission that stands; `approvers` are those who must sign it, each once, and
    `approved_by` those who have, in the order of their signatures.
    """

    statement_id: str
    employee_id: str
    terms_id: str
    period_start: date
    period_end: date
    state: StatementState = "pending"
    submitted_at: datetime | None = None
    approvers: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()


class StatementEvent(Protocol):
    """What of an event the rule reads. `occurred_at` has an offset."""

    @property
    def type(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def occurred_at(self) -> datetime: ...


def apply(statement: Statement | None, event: StatementEvent) -> Statement:
    """The statement after the event (domain 3.7). Pure: the statement given stays as it is.

    A second signature by the same approver changes nothing, also when theirs was the last one missing. An event that
    names another employee than the statement's is refused.

    Args:
        statement: as it stands, or None when no such statement was started.
        event: one of the `statement.*` events.

    Raises:
        TransitionError: the statement's state does not allow the event, or the one who signs is no approver.
    """
    payload = event.payload
    if event.type == "statement.period_started":
        return _start(statement, payload)
    if event.type not in _TRANSITIONS:
        raise TransitionError(f'"{event.type}" is no event of a statement')
    if statement is None:
        raise TransitionError(
            f'statement "{payload["statement_id"]}" was never started; import its statement.period_started first'
        )
    allowed, step = _TRANSITIONS[event.type]
    if statement.state not in allowed:
        raise TransitionError(
            f'statement "{statement.statement_id}" is {statement.state}; '
            f"{event.type} is allowed only when it is {' or '.join(allowed)}"
        )
    if payload["employee_id"] != statement.employee_id:
        raise TransitionError(
            f'statement "{statement.statement_id}" belongs to employee "{statement.employee_id}", '
            f'not to "{payload["employee_id"]}"'
        )
    return step(statement, event)


def _start(statement: Statement | None, payload: Mapping[str, Any]) -> Statement:
    if statement is not None:
        raise TransitionError(
            f'statement "{statement.statement_id}" was started already; its state is {statement.state}'
        )
    return Statement(
        payload["statement_id"],
        payload["employee_id"],
        payload["terms_id"],
        date.fromisoformat(payload["period_start"]),
        date.fromisoformat(payload["period_end"]),
    )


def _become_ready(statement: Statement, _: StatementEvent) -> Statement:
    return statement._replace(state="ready")


def _become_overdue(statement: Statement, _: StatementEvent) -> Statement:
    return statement._replace(state="overdue")


def _submit(statement: Statement, event: StatementEvent) -> Statement:
    approvers = tuple(dict.fromkeys(event.payload["approvers"]))
    return statement._replace(
        state="submitted" if approvers else "approved",
        submitted_at=event.occurred_at,
        approvers=approvers,
        approved_by=(),
    )


def _approve(statement: Statement, event: StatementEvent) -> Statement:
    approver = event.payload["by"]
    if approver not in statement.approvers:
        raise TransitionError(
            f'statement "{statement.statement_id}": "{approver}" is no approver of it; '
            f"its approvers are: {', '.join(statement.approvers) or 'none'}"
        )
    if approver in statement.approved_by:
        return statement
    approved_by = (*statement.approved_by, approver)
    everyone_signed = len(approved_by) == len(statement.approvers)
    return statement._replace(state="approved" if everyone_signed else "submitted", approved_by=approved_by)


def _reopen(statement: Statement, _: StatementEvent) -> Statement:
    return statement._replace(state="reopened", submitted_at=None, approvers=(), approved_by=())


_Step: TypeAlias = Callable[[Statement, StatementEvent], Statement]

# The states from which each event is allowed. `approved` allows a signature only because every approver has signed by
# then, so that it repeats one or is refused as a stranger's.
_TRANSITIONS: Mapping[str, tuple[tuple[StatementState, ...], _Step]] = {
    "statement.ready": (("pending",), _become_ready),
    "statement.overdue": (("ready",), _become_overdue),
    "statement.submitted": (("ready", "overdue", "reopened"), _submit),
    "statement.approved": (("submitted", "approved"), _approve),
    "statement.reopened": (("submitted", "approved"), _reopen),
}
