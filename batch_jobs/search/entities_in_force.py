"""Which entities events or the passing of days change, and what is in force of them on the as-of dates."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from batch_jobs.engine.projection import Window, passed_days
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES
from batch_jobs.store.temporary import temporary_table

_TABLE = """
    CREATE TEMPORARY TABLE changed_entities (
        workspace_id text COLLATE "C", kind text COLLATE "C", entity_id text COLLATE "C",
        PRIMARY KEY (workspace_id, kind, entity_id)
    ) ON COMMIT DELETE ROWS
"""

# A version takes effect without an event when the as-of date passes its day.
_FILL = """
    INSERT INTO changed_entities
    SELECT e.workspace_id, k.kind, e.payload ->> k.id_field
    FROM unnest(%(types)s::text[], %(kinds)s::text[], %(id_fields)s::text[]) AS k(type, kind, id_field)
    JOIN pending_events e USING (type)
    UNION
    SELECT d.workspace_id, d.kind, d.entity_id
    FROM unnest(%(workspaces)s::text[], %(before)s::date[], %(now)s::date[]) AS m(workspace_id, before, now)
    JOIN definitions d ON d.workspace_id = m.workspace_id AND d.kind = ANY (%(kinds)s)
      AND d.valid_from > least(m.before, m.now) AND d.valid_from <= greatest(m.before, m.now)
"""

# Of the versions that have begun the last, else the first that will (domain 3.0). Someone removed has none.
_IN_FORCE = """
    SELECT DISTINCT ON (d.workspace_id, d.entity_id) d.workspace_id, d.entity_id, d."values"
    FROM unnest(%(workspaces)s::text[], %(as_of)s::date[]) AS w(workspace_id, as_of)
    JOIN definitions d USING (workspace_id)
    WHERE d.kind = %(kind)s AND d."values" IS NOT NULL
      AND (%(every)s OR (d.workspace_id, d.entity_id) IN (SELECT workspace_id, entity_id FROM affected_documents))
    ORDER BY d.workspace_id, d.entity_id, d.valid_from > w.as_of, abs(d.valid_from - w.as_of)
"""


def entities_of(kind: str) -> str:
    """Query of the entities of a kind, as `Index.entities`."""
    return f"""
        SELECT DISTINCT workspace_id, entity_id FROM definitions
        WHERE workspace_id = ANY (%(workspaces)s) AND kind = '{kind}' AND "values" IS NOT NULL
    """


def types_of(kinds: Collection[str]) -> frozenset[str]:
    """The types of the events that say something of entities of these kinds."""
    removed = {"employee.removed"} if "employee" in kinds else set()
    return frozenset({f"{kind}.defined" for kind in kinds} | removed)


def find_changed(connection: Transaction, windows: Sequence[Window], kinds: Collection[str]) -> None:
    """Begin the temporary relation `changed_entities` (workspace_id, kind, entity_id).

    Args:
        connection: the transaction of a fold, in which `definitions` is up to date.
        windows: of the fold.
        kinds: of the entities.
    """
    temporary_table(connection, "changed_entities", _TABLE)
    sources = {**DEFINED_ENTITIES, "employee.removed": ("employee", "employee_id")}
    types = sorted(types_of(kinds))
    passed = passed_days(windows)
    connection.execute(
        _FILL,
        {
            "types": types,
            "kinds": [sources[name][0] for name in types],
            "id_fields": [sources[name][1] for name in types],
            "workspaces": [workspace_id for workspace_id, _, _ in passed],
            "before": [before for _, before, _ in passed],
            "now": [now for _, _, now in passed],
        },
    )


def in_force(
    connection: Transaction, kind: str, as_of: Mapping[str, date], *, every: bool = True
) -> dict[tuple[str, str], dict[str, Any]]:
    """The payloads in force of the entities of a kind, by workspace and id.

    Args:
        connection: as above.
        kind: of the entities.
        as_of: the day by workspace; others are left out.
        every: all of them, or those in `affected_documents`.
    """
    rows = connection.execute(
        _IN_FORCE, {"kind": kind, "workspaces": list(as_of), "as_of": list(as_of.values()), "every": every}
    ).fetchall()
    return {(workspace_id, entity_id): values for workspace_id, entity_id, values in rows}
