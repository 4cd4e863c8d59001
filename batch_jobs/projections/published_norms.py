"""The weeks of expected minutes as they stand published, and how far each employee's publication has come."""

from collections.abc import Sequence

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, upsert_rows
from batch_jobs.store.database import Transaction

# Of two events that name one week the later one counts, and within an event the last.
_WEEKS = """
    SELECT DISTINCT ON (e.workspace_id, e.payload ->> 'employee_id', w.monday)
        e.workspace_id, e.payload ->> 'employee_id', w.monday, w.minutes, w.holidays
    FROM pending_events e CROSS JOIN LATERAL ROWS FROM (
        jsonb_to_recordset(e.payload -> 'weeks') AS (monday date, minutes integer[], holidays jsonb)
    ) WITH ORDINALITY AS w(monday, minutes, holidays, number)
    WHERE e.type = 'norm.published'
    ORDER BY e.workspace_id, e.payload ->> 'employee_id', w.monday, e.position DESC, w.number DESC
"""

_CURSORS = """
    SELECT DISTINCT ON (workspace_id, employee_id)
        workspace_id, employee_id, through_week, fingerprint, position,
        max(through_week) OVER (PARTITION BY workspace_id, employee_id)
    FROM (
        SELECT workspace_id, payload ->> 'employee_id' AS employee_id, position,
            (payload ->> 'through_week')::date AS through_week, payload ->> 'fingerprint' AS fingerprint
        FROM pending_events WHERE type = 'norm.published'
    ) published
    ORDER BY workspace_id, employee_id, position DESC
"""
_MOVE_CURSOR = """
    UPDATE SET through_week = excluded.through_week, fingerprint = excluded.fingerprint, position = excluded.position,
        furthest_week = greatest(published_norm_cursors.furthest_week, excluded.furthest_week)
"""


class PublishedNorms(Projection):
    """One row per employee and week that `norm.published` ever named, as named last, and a cursor per employee."""

    name = "published_norms"
    description = "Expected minutes and holidays of each week, as published to employees' calendars."
    event_types = frozenset({"norm.published"})
    table = Table("published_norms", ("workspace_id", "employee_id", "monday"), ("minutes", "holidays"))
    further_tables = (
        Table(
            "published_norm_cursors",
            ("workspace_id", "employee_id"),
            ("through_week", "fingerprint", "position", "furthest_week"),
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Write what the events publish over what stands. See `Projection.fold`."""
        (cursors,) = self.further_tables
        weeks = upsert_rows(connection, self.table, _WEEKS)
        return Folded(weeks + upsert_rows(connection, cursors, _CURSORS, update=_MOVE_CURSOR))
