"""The timesheet statements with their states, and who was told of the latest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.statements import Statement, apply
from batch_jobs.store.database import Transaction

TELLING = ("statement.ready", "statement.overdue")

_EVENTS = """
    SELECT workspace_id, position, payload ->> 'statement_id', targets, type, payload, occurred_at FROM pending_events
    WHERE type LIKE 'statement.%' ORDER BY workspace_id, position
"""

_CURRENT = """
    SELECT workspace_id, state_since, told, statement_id, employee_id, terms_id, period_start, period_end, state,
        submitted_at, approvers, approved_by
    FROM timesheet_statements JOIN (
        SELECT DISTINCT workspace_id, payload ->> 'statement_id' AS statement_id FROM pending_events
        WHERE type LIKE 'statement.%'
    ) touched USING (workspace_id, statement_id)
"""


class _Event(NamedTuple):
    """What of an event the rule reads."""

    type: str
    payload: Mapping[str, Any]
    occurred_at: datetime


class _Row(NamedTuple):
    """A statement with what the rule does not know."""

    statement: Statement
    state_since: datetime
    told: Sequence[str]


class TimesheetStatements(Projection):
    """The state machine of domain 3.7; an event that it does not allow becomes a dead letter.

    `state_since` is the `occurred_at` of the event that gave the state; `told` the targets of the latest
    `statement.ready` or `statement.overdue`.
    """

    name = "timesheet_statements"
    description = "Timesheet statements with their states, approvers and signatures."
    event_types = frozenset(
        f"statement.{what}" for what in ("period_started", "ready", "overdue", "submitted", "approved", "reopened")
    )
    table = Table(
        "timesheet_statements",
        ("workspace_id", "statement_id"),
        (
            "employee_id",
            "terms_id",
            "period_start",
            "period_end",
            "state",
            "submitted_at",
            "approvers",
            "approved_by",
            "state_since",
            "told",
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Apply the events to the statements they name, in order. See `Projection.fold`."""
        found = {
            (workspace_id, values[0]): _Row(_statement(*values), state_since, told)
            for workspace_id, state_since, told, *values in connection.execute(_CURRENT)
        }
        letters = []
        for workspace_id, position, statement_id, targets, *rest in connection.execute(_EVENTS):
            key, event = (workspace_id, statement_id), _Event(*rest)
            try:
                found[key] = _after(found.get(key), event, targets)
            except TransitionError as error:
                letters.append(DeadLetter(workspace_id, position, str(error)))
        rows = (
            (workspace_id, *row.statement[:-2], *map(list, row.statement[-2:]), row.state_since, row.told)
            for (workspace_id, _), row in found.items()
        )
        return Folded(replace_rows(connection, self.table, rows), letters)


def _after(before: _Row | None, event: _Event, targets: Sequence[str]) -> _Row:
    statement = apply(before.statement if before else None, event)
    if before is None:
        return _Row(statement, event.occurred_at, [])
    # A signature that is not the last one leaves the state, and so its instant, as they are.
    since = before.state_since if statement.state == before.statement.state else event.occurred_at
    return _Row(statement, since, targets if event.type in TELLING else before.told)


def _statement(*values: Any) -> Statement:
    *plain, approvers, approved_by = values
    return Statement._make((*plain, tuple(approvers), tuple(approved_by)))
