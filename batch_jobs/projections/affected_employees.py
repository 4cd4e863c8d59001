"""Whose rows a set of pending events may change: the people they name, or everybody where a setting changed."""

from collections.abc import Collection
from datetime import date

from batch_jobs.engine.projection import load_once
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

PERSONAL_EVENTS = frozenset({"employee.defined", "employee.removed", "employment.defined", "user.defined"})
SETTING_EVENTS = frozenset(
    {"org_unit.defined", "employment_terms.defined", "holiday_calendar.defined", "workspace.created"}
)
POLICY_EVENTS = frozenset(
    f"{kind}.defined"
    for kind in ("time_off_policy", "allowance_policy", "time_account", "activity", "work_time_policy")
)
EVENT_TYPES = PERSONAL_EVENTS | SETTING_EVENTS | {"user.invitation_expired"}

_TABLE = """
    CREATE TEMPORARY TABLE affected_employees (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""

_NAMED_TABLE = """
    CREATE TEMPORARY TABLE named_employees (workspace_id text COLLATE "C", employee_id text COLLATE "C")
    ON COMMIT DELETE ROWS
"""

# An employment may have moved from one employee to another: the version that said so may be gone from `definitions`.
_NAME = """
    INSERT INTO named_employees
    SELECT e.workspace_id, e.payload ->> 'employee_id' FROM pending_events e
    WHERE e.type = ANY (%(personal)s) AND e.payload ->> 'employee_id' IS NOT NULL
    UNION
    SELECT e.workspace_id, o.employee_id FROM pending_events e JOIN employment_owners o
      ON o.workspace_id = e.workspace_id AND o.employment_id = e.payload ->> 'employment_id'
    WHERE e.type = 'employment.defined'
"""
_BY_EVENT = """
    INSERT INTO affected_employees
    SELECT workspace_id, employee_id FROM named_employees
    UNION
    SELECT d.workspace_id, d.employee_id FROM definitions d
    WHERE d.kind IN ('employee', 'employment') AND d.workspace_id IN (
        SELECT workspace_id FROM pending_events WHERE type = ANY (%(settings)s)
    )
    ON CONFLICT DO NOTHING
"""

# What holds from a day on takes effect without an event when the as-of date passes that day: for everybody whom any
# version of the entity names, and for all when the tree of org units changes.
_BY_DATE = """
    INSERT INTO affected_employees
    WITH passed AS (
        SELECT workspace_id, least(before, now) AS low, greatest(before, now) AS high
        FROM unnest(%(workspaces)s::text[], %(before)s::date[], %(now)s::date[]) AS m(workspace_id, before, now)
    ), begun AS (
        SELECT DISTINCT d.workspace_id, d.kind, d.entity_id FROM passed p JOIN definitions d
          ON d.workspace_id = p.workspace_id AND d.valid_from > p.low AND d.valid_from <= p.high
    )
    SELECT d.workspace_id, d.employee_id FROM begun b JOIN definitions d USING (workspace_id, kind, entity_id)
    WHERE d.employee_id IS NOT NULL
    UNION
    SELECT d.workspace_id, d.employee_id FROM definitions d
    WHERE d.kind = 'employee' AND d.workspace_id IN (SELECT workspace_id FROM begun WHERE kind = 'org_unit')
    UNION
    SELECT d.workspace_id, d.employee_id FROM passed p JOIN definitions d
      ON d.workspace_id = p.workspace_id AND d.kind = 'employment' AND (
        ((d."values" ->> 'start_date')::date > p.low AND (d."values" ->> 'start_date')::date <= p.high)
        OR ((d."values" ->> 'end_date')::date >= p.low AND (d."values" ->> 'end_date')::date < p.high)
      )
    ON CONFLICT DO NOTHING
"""


def find_affected(connection: Transaction, *, settings: Collection[str] = SETTING_EVENTS) -> None:
    """Begin the temporary relation `affected_employees` (workspace_id, employee_id) with those the events affect.

    Args:
        connection: a transaction with `pending_events`, in which `definitions` is up to date.
        settings: types of the events that affect everybody of their workspace.
    """
    load_once("named_employees", lambda: _name(connection))
    temporary_table(connection, "affected_employees", _TABLE)
    connection.execute(_BY_EVENT, {"settings": list(settings)})


def _name(connection: Transaction) -> None:
    temporary_table(connection, "named_employees", _NAMED_TABLE)
    connection.execute(_NAME, {"personal": list(PERSONAL_EVENTS)})
    analyze(connection, "named_employees")


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
