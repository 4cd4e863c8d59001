"""Whose rows a set of pending events may change: the people they name, or everybody where a setting changed."""

from datetime import date

from batch_jobs.store.database import Transaction

PERSONAL_EVENTS = frozenset({"employee.defined", "employee.removed", "employment.defined", "user.defined"})
SETTING_EVENTS = frozenset(
    {"org_unit.defined", "employment_terms.defined", "holiday_calendar.defined", "workspace.created"}
)
EVENT_TYPES = PERSONAL_EVENTS | SETTING_EVENTS | {"user.invitation_expired"}

_TABLE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS affected_employees (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""

# An employment or a user may have moved from one employee to another, so those of its other versions count as well:
# the version before is gone from `definitions`, but the rows that it made are still there.
_BY_EVENT = """
    INSERT INTO affected_employees
    SELECT e.workspace_id, e.payload ->> 'employee_id' FROM pending_events e
    WHERE e.type = ANY (%(personal)s) AND e.payload ->> 'employee_id' IS NOT NULL
    UNION
    SELECT e.workspace_id, p.employee_id FROM pending_events e JOIN employment_periods p
      ON p.workspace_id = e.workspace_id AND p.employment_id = e.payload ->> 'employment_id'
    WHERE e.type = 'employment.defined'
    UNION
    SELECT e.workspace_id, d.employee_id FROM pending_events e JOIN employee_directory d
      ON d.workspace_id = e.workspace_id AND d.user_id = e.payload ->> 'user_id'
    WHERE e.type IN ('user.defined', 'user.invitation_expired')
    UNION
    SELECT d.workspace_id, d.employee_id FROM definitions d
    WHERE d.kind IN ('employee', 'employment') AND d.employee_id IS NOT NULL AND d.workspace_id IN (
        SELECT workspace_id FROM pending_events WHERE type = ANY (%(settings)s)
    )
    ON CONFLICT DO NOTHING
"""

# What holds from a day on takes effect without an event when the as-of date passes that day.
_BY_DATE = """
    INSERT INTO affected_employees
    WITH moved AS (
        SELECT * FROM unnest(%(workspaces)s::text[], %(before)s::date[], %(now)s::date[])
            AS m(workspace_id, before, now)
    ), passed AS (
        SELECT m.workspace_id, least(m.before, m.now) AS low, greatest(m.before, m.now) AS high FROM moved m
    ), begun AS (
        SELECT d.workspace_id, d.kind, d.employee_id FROM passed p JOIN definitions d
          ON d.workspace_id = p.workspace_id AND d.valid_from > p.low AND d.valid_from <= p.high
    )
    SELECT b.workspace_id, b.employee_id FROM begun b WHERE b.employee_id IS NOT NULL
    UNION
    SELECT d.workspace_id, d.employee_id FROM definitions d
    WHERE d.kind = 'employee' AND d.workspace_id IN (SELECT workspace_id FROM begun WHERE kind = 'org_unit')
    UNION
    SELECT e.workspace_id, e.employee_id FROM passed p JOIN employment_periods e ON e.workspace_id = p.workspace_id
      AND ((e.valid_from > p.low AND e.valid_from <= p.high) OR (e.valid_to >= p.low AND e.valid_to < p.high)
           OR (e.start_date > p.low AND e.start_date <= p.high) OR (e.end_date >= p.low AND e.end_date < p.high))
    ON CONFLICT DO NOTHING
"""


def find_affected(connection: Transaction) -> None:
    """Begin the temporary relation `affected_employees` (workspace_id, employee_id) with those the events affect."""
    connection.execute(_TABLE)
    connection.execute("TRUNCATE affected_employees")
    connection.execute(_BY_EVENT, {"personal": list(PERSONAL_EVENTS), "settings": list(SETTING_EVENTS)})


def add_affected_by_date(connection: Transaction, moved: list[tuple[str, date, date]]) -> None:
    """Add those whose facts change between two as-of dates.

    Args:
        connection: the transaction in which `find_affected` was called.
        moved: workspace id, as-of date before, as-of date now.
    """
    if moved:
        workspaces, before, now = map(list, zip(*moved, strict=True))
        connection.execute(_BY_DATE, {"workspaces": workspaces, "before": before, "now": now})


def affected(connection: Transaction) -> dict[str, list[str]]:
    """The affected employees by workspace."""
    found: dict[str, list[str]] = {}
    for workspace_id, employee_id in connection.execute(
        "SELECT workspace_id, employee_id FROM affected_employees ORDER BY workspace_id, employee_id"
    ):
        found.setdefault(workspace_id, []).append(employee_id)
    return found
