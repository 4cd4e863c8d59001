"""Taking entered and removed time into `time_entries`, and which weeks that touches. No sums: see `timesheet_weeks`."""

from batch_jobs.engine.projection import DeadLetter
from batch_jobs.engine.tables import Table, copy_rows, filling
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

TIME_ENTRIES = Table("time_entries", ("workspace_id", "entry_id"), ("employee_id", "date", "activity_id", "minutes"))

# 1 January of the year 1 is a Monday in the calendar that PostgreSQL and Python share.
MONDAY = "{0} - ({0} - DATE '0001-01-01') % 7"

_REMOVED = """
    CREATE TEMPORARY TABLE removed_entries (
        workspace_id text COLLATE "C", entry_id text COLLATE "C", PRIMARY KEY (workspace_id, entry_id)
    ) ON COMMIT DELETE ROWS
"""

# All that happened to the entries that are to be removed, from how they stand on.
_HISTORY = """
    WITH events AS (
        SELECT workspace_id, payload ->> 'entry_id' AS entry_id, position, payload ->> 'employee_id' AS employee_id,
            type = 'time.removed' AS is_removal
        FROM pending_events WHERE type IN ('time.entered', 'time.removed')
    ), touched AS (
        SELECT DISTINCT workspace_id, entry_id FROM events WHERE is_removal
    )
    SELECT t.workspace_id, t.entry_id, 0 AS position, t.employee_id, false
    FROM touched JOIN time_entries t USING (workspace_id, entry_id)
    UNION ALL
    SELECT e.workspace_id, e.entry_id, e.position, e.employee_id, e.is_removal
    FROM touched JOIN events e USING (workspace_id, entry_id)
    ORDER BY workspace_id, entry_id, position
"""

# What is replaced goes first, so that the load below need not look for conflicts: that takes a third of its time.
_REMOVE = f"""
    WITH gone AS (
        DELETE FROM time_entries t USING (
            SELECT workspace_id, payload ->> 'entry_id' AS entry_id FROM pending_events WHERE type = 'time.entered'
            UNION ALL
            SELECT workspace_id, entry_id FROM removed_entries
        ) e
        WHERE t.workspace_id = e.workspace_id AND t.entry_id = e.entry_id
        RETURNING t.workspace_id, t.employee_id, t.date
    )
    INSERT INTO affected_weeks
    SELECT DISTINCT workspace_id, employee_id, {MONDAY.format("date")} FROM gone
    ON CONFLICT DO NOTHING
"""

# The fields are taken out before the sort: it need not carry whole payloads.
_WRITE = f"""
    WITH entered AS MATERIALIZED (
        SELECT workspace_id, payload ->> 'entry_id' AS entry_id, position, payload ->> 'employee_id' AS employee_id,
            (payload ->> 'date')::date AS date, payload ->> 'activity_id' AS activity_id,
            (payload ->> 'minutes')::integer AS minutes
        FROM pending_events WHERE type = 'time.entered'
    ), written AS (
        INSERT INTO time_entries (workspace_id, entry_id, employee_id, date, activity_id, minutes)
        SELECT DISTINCT ON (workspace_id, entry_id COLLATE "C")
            workspace_id, entry_id, employee_id, date, activity_id, minutes
        FROM entered e
        WHERE NOT EXISTS (
            SELECT FROM removed_entries r WHERE r.workspace_id = e.workspace_id AND r.entry_id = e.entry_id
        )
        ORDER BY workspace_id, entry_id COLLATE "C", position DESC
        RETURNING workspace_id, employee_id, date
    )
    INSERT INTO affected_weeks
    SELECT DISTINCT workspace_id, employee_id, {MONDAY.format("date")} FROM written
    ON CONFLICT DO NOTHING
"""

_Key = tuple[str, str]


def take_in(connection: Transaction) -> list[DeadLetter]:
    """Write the pending entries over those that stand, and add the weeks they were and are in to `affected_weeks`.

    Args:
        connection: a transaction with `pending_events` and `affected_weeks (workspace_id, employee_id, monday)`.

    Returns:
        Removals of entries that do not stand, or of somebody else's: they change nothing.
    """
    temporary_table(connection, "removed_entries", _REMOVED)
    removed, letters = _removals(connection)
    copy_rows(connection, "removed_entries", ("workspace_id", "entry_id"), removed)
    connection.execute(_REMOVE)
    with filling(connection, TIME_ENTRIES):
        connection.execute(_WRITE)
    return letters


def _removals(connection: Transaction) -> tuple[list[_Key], list[DeadLetter]]:
    """The entries that do not stand in the end, and the removals that can not be."""
    owners: dict[_Key, str | None] = {}
    letters = []
    for workspace_id, entry_id, position, employee_id, is_removal in connection.execute(_HISTORY):
        key = workspace_id, entry_id
        if not is_removal:
            owners[key] = employee_id
        elif owners.get(key) == employee_id:
            owners[key] = None
        else:
            letters.append(DeadLetter(workspace_id, position, _refusal(entry_id, employee_id, owners.get(key))))
    return [key for key, owner in owners.items() if owner is None], letters


def _refusal(entry_id: str, employee_id: str, owner: str | None) -> str:
    if owner is None:
        return f'time entry "{entry_id}" is not recorded, or was removed before; import its time.entered first'
    return f'time entry "{entry_id}" belongs to employee "{owner}"; the removal names "{employee_id}"'
