"""The entries that will be credited or looked at for expiry, and those that were."""

from collections.abc import Sequence

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, changed_rows, is_empty_beside, upsert_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

_FORECASTS = """
    CREATE TEMPORARY TABLE new_forecasts (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", policy_id text COLLATE "C", position bigint,
        computed_from date, entries jsonb, PRIMARY KEY (workspace_id, employee_id, policy_id, position)
    ) ON COMMIT DELETE ROWS
"""
_READ_FORECASTS = """
    INSERT INTO new_forecasts
    SELECT workspace_id, payload ->> 'employee_id', payload ->> 'policy_id', position,
        (payload ->> 'computed_from')::date, payload -> 'entries'
    FROM pending_events WHERE type = 'accrual.forecast_computed'
"""

_MATERIALIZED = """
    CREATE TEMPORARY TABLE newly_materialized (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", entry_id text COLLATE "C", position bigint,
        PRIMARY KEY (workspace_id, employee_id, entry_id)
    ) ON COMMIT DELETE ROWS
"""
# The first of several credits of one entry is the one that materialised it.
_NEWLY_MATERIALIZED = """
    SELECT workspace_id, payload ->> 'employee_id', payload ->> 'entry_id', min(position) FROM pending_events
    WHERE type IN ('account.credited', 'account.expired') AND payload ->> 'entry_id' IS NOT NULL
    GROUP BY 1, 2, 3
"""
_READ_MATERIALIZED = f"INSERT INTO newly_materialized {_NEWLY_MATERIALIZED}"
_REMEMBER = "SELECT workspace_id, employee_id, entry_id, position FROM newly_materialized"

_ENTRIES = """
    CREATE TEMPORARY TABLE new_forecast_entries (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", entry_id text COLLATE "C",
        policy_id text COLLATE "C", kind text, due_date date, amount integer, year_start date,
        materialized_at bigint, stands boolean, PRIMARY KEY (workspace_id, employee_id, entry_id)
    ) ON COMMIT DELETE ROWS
"""
# Each entry as its last forecast has it, of those before it was materialised. It stands unless a later one of them
# left it out.
_NEW_ENTRIES = """
    SELECT l.workspace_id, l.employee_id, l.entry_id, l.policy_id, l.kind, l.due_date, l.amount, l.year_start,
        l.materialized_at, NOT EXISTS (
            SELECT FROM new_forecasts f
            WHERE (f.workspace_id, f.employee_id, f.policy_id) = (l.workspace_id, l.employee_id, l.policy_id)
              AND f.position > l.position AND f.computed_from <= l.due_date
              AND (l.materialized_at IS NULL OR f.position < l.materialized_at)
        )
    FROM (
        SELECT DISTINCT ON (f.workspace_id, f.employee_id, e.entry_id)
            f.workspace_id, f.employee_id, e.entry_id, f.policy_id, f.position, e.kind, e.due_date, e.amount,
            e.year_start, m.position AS materialized_at
        FROM new_forecasts f CROSS JOIN LATERAL ROWS FROM (
            jsonb_to_recordset(f.entries) AS (entry_id text, kind text, due_date date, amount integer, year_start date)
        ) WITH ORDINALITY AS e
        LEFT JOIN materialized_entries m
          ON (m.workspace_id, m.employee_id, m.entry_id) = (f.workspace_id, f.employee_id, e.entry_id)
        WHERE m.position IS NULL OR f.position < m.position
        ORDER BY f.workspace_id, f.employee_id, e.entry_id, f.position DESC, e.ordinality DESC
    ) l
"""
_READ_ENTRIES = f"INSERT INTO new_forecast_entries {_NEW_ENTRIES}"

_REMOVE = """
    DELETE FROM accrual_forecast o USING (
        SELECT o.workspace_id, o.employee_id, o.entry_id
        FROM new_forecasts f JOIN accrual_forecast o
          ON (o.workspace_id, o.employee_id, o.policy_id) = (f.workspace_id, f.employee_id, f.policy_id)
        LEFT JOIN materialized_entries m
          ON (m.workspace_id, m.employee_id, m.entry_id) = (o.workspace_id, o.employee_id, o.entry_id)
        WHERE o.materialized_at IS NULL AND f.computed_from <= o.due_date
          AND (m.position IS NULL OR f.position < m.position)
        UNION
        SELECT workspace_id, employee_id, entry_id FROM new_forecast_entries WHERE NOT stands
    ) gone
    WHERE (o.workspace_id, o.employee_id, o.entry_id) = (gone.workspace_id, gone.employee_id, gone.entry_id)
      AND NOT EXISTS (
          SELECT FROM new_forecast_entries n
          WHERE (n.workspace_id, n.employee_id, n.entry_id) = (o.workspace_id, o.employee_id, o.entry_id) AND n.stands
      )
    RETURNING o.workspace_id
"""
_COLUMNS = "workspace_id, employee_id, entry_id, policy_id, kind, due_date, amount, materialized_at, year_start"
_STANDING = f"SELECT {_COLUMNS} FROM new_forecast_entries WHERE stands"
_FIRST = f"""
    SELECT {_COLUMNS} FROM ({_NEW_ENTRIES}) AS e
    (workspace_id, employee_id, entry_id, policy_id, kind, due_date, amount, year_start, materialized_at, stands)
    WHERE stands
"""
# What was credited before is marked, or was never taken in: an entry without a mark is marked by its first credit.
_MARK = """
    UPDATE accrual_forecast o SET materialized_at = m.position FROM newly_materialized m
    WHERE (o.workspace_id, o.employee_id, o.entry_id) = (m.workspace_id, m.employee_id, m.entry_id)
      AND o.materialized_at IS NULL
    RETURNING o.workspace_id
"""


class AccrualForecast(Projection):
    """A forecast replaces the entries due from its `computed_from` on. What was materialised by then stays as it was,
    and so does what is owed from before; an entry that was credited before any forecast had it is never owed.
    """

    name = "accrual_forecast"
    description = "What time-off policies will credit and let expire, and what of it has been materialised."
    event_types = frozenset({"accrual.forecast_computed", "account.credited", "account.expired"})
    table = Table(
        "accrual_forecast",
        ("workspace_id", "employee_id", "entry_id"),
        ("policy_id", "kind", "due_date", "amount", "materialized_at", "year_start"),
    )
    further_tables = (Table("materialized_entries", ("workspace_id", "employee_id", "entry_id"), ("position",)),)

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """See `Projection.fold`."""
        (materialized,) = self.further_tables
        is_first = is_empty_beside(connection, self.table) and is_empty_beside(connection, materialized)
        temporary_table(connection, "new_forecasts", _FORECASTS)
        connection.execute(_READ_FORECASTS)
        analyze(connection, "new_forecasts")
        if is_first:
            # Nothing stands that could be removed, or was forecast without the mark that it now gets.
            upsert_rows(connection, materialized, _NEWLY_MATERIALIZED)
            analyze(connection, materialized.name)
            return Folded(upsert_rows(connection, self.table, _FIRST))
        temporary_table(connection, "new_forecast_entries", _ENTRIES)
        temporary_table(connection, "newly_materialized", _MATERIALIZED)
        connection.execute(_READ_MATERIALIZED)
        analyze(connection, "newly_materialized")
        upsert_rows(connection, materialized, _REMEMBER, update="NOTHING")
        connection.execute(_READ_ENTRIES)
        analyze(connection, "new_forecast_entries")
        removed = changed_rows(connection, _REMOVE)
        written = upsert_rows(connection, self.table, _STANDING)
        return Folded(removed + written + changed_rows(connection, _MARK))
