"""The timesheet statements with their states."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.statements import Statement, apply
from batch_jobs.store.database import Transaction

_EVENTS = """
    SELECT workspace_id, position, payload ->> 'statement_id', type, payload, occurred_at FROM pending_events
    WHERE type LIKE 'statement.%' ORDER BY workspace_id, position
"""

_CURRENT = """
    SELECT workspace_id, statement_id, employee_id, terms_id, period_start, period_end, state, submitted_at,
        approvers, approved_by
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


class TimesheetStatements(Projection):
    """The state machine of domain 3.7; an event that it does not allow becomes a dead letter."""

    name = "timesheet_statements"
    description = "Timesheet statements with their states, approvers and signatures."
    event_types = frozenset(
        f"statement.{what}" for what in ("period_started", "ready", "overdue", "submitted", "approved", "reopened")
    )
    table = Table(
        "timesheet_statements",
        ("workspace_id", "statement_id"),
        ("employee_id", "terms_id", "period_start", "period_end", "state", "submitted_at", "approvers", "approved_by"),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Apply the events to the statements they name, in order. See `Projection.fold`."""
        statements = {
            (workspace_id, statement_id): Statement._make((statement_id, *values, tuple(approvers), tuple(approved_by)))
            for workspace_id, statement_id, *values, approvers, approved_by in connection.execute(_CURRENT)
        }
        letters = []
        for workspace_id, position, statement_id, *event in connection.execute(_EVENTS):
            key = workspace_id, statement_id
            try:
                statements[key] = apply(statements.get(key), _Event(*event))
            except TransitionError as error:
                letters.append(DeadLetter(workspace_id, position, str(error)))
        rows = (
            (workspace_id, *statement[:-2], list(statement.approvers), list(statement.approved_by))
            for (workspace_id, _), statement in statements.items()
        )
        return Folded(replace_rows(connection, self.table, rows), letters)
