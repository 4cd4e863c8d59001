"""The changes that are planned for a day, and what became of them."""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from batch_jobs.engine.projection import DeadLetter, Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.scheduled_changes import state_after
from batch_jobs.store.database import Transaction

_EVENTS = """
    SELECT workspace_id, position, payload ->> 'change_id', type, payload ->> 'entity', payload ->> 'entity_id',
        (payload ->> 'effective_date')::date, payload -> 'values'
    FROM pending_events WHERE type LIKE 'change.%' ORDER BY workspace_id, position
"""

_CURRENT = """
    SELECT workspace_id, change_id, entity, entity_id, effective_date, "values", position, state
    FROM scheduled_changes JOIN (
        SELECT DISTINCT workspace_id, payload ->> 'change_id' AS change_id FROM pending_events
        WHERE type LIKE 'change.%'
    ) touched USING (workspace_id, change_id)
"""


class ScheduledChanges(Projection):
    """One row per change; scheduled again before it is applied it is replaced, and takes its new place in the order.

    `position` is that of its latest `change.scheduled`. An event that contradicts what happened before (a cancellation
    of an applied change, a change that nobody scheduled) becomes a dead letter.
    """

    name = "scheduled_changes"
    description = "Changes that are planned for a day: scheduled, cancelled or applied."
    event_types = frozenset({"change.scheduled", "change.cancelled", "change.applied"})
    table = Table(
        "scheduled_changes",
        ("workspace_id", "change_id"),
        ("entity", "entity_id", "effective_date", "values", "position", "state"),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Apply the events to the changes they name, in order. See `Projection.fold`."""
        found = {(row[0], row[1]): row[2:] for row in connection.execute(_CURRENT)}
        letters = []
        for workspace_id, position, change_id, event_type, *wish in connection.execute(_EVENTS):
            key = workspace_id, change_id
            before = found.get(key)
            try:
                state = state_after(before[-1] if before else None, event_type, change_id)
            except TransitionError as error:
                letters.append(DeadLetter(workspace_id, position, str(error)))
                continue
            if before is None or event_type == "change.scheduled":
                found[key] = (*wish, position, state)
            else:
                found[key] = (*before[:-1], state)
        rows = (
            (*key, entity, entity_id, effective_date, Jsonb(values), position, state)
            for key, (entity, entity_id, effective_date, values, position, state) in found.items()
        )
        return Folded(replace_rows(connection, self.table, rows), letters)
