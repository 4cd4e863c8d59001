"""Activities by their own name and those of the activities above them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from batch_jobs.engine.projection import Window
from batch_jobs.search.entities_in_force import entities_of, find_changed, in_force, types_of
from batch_jobs.search.index import Document, Index
from batch_jobs.store.database import Transaction

# All that any version has put below a changed one. UNION ends where a cycle closes.
_AFFECTED = """
    INSERT INTO affected_documents
    WITH RECURSIVE below (workspace_id, entity_id) AS (
        SELECT workspace_id, entity_id FROM changed_entities
        UNION
        SELECT d.workspace_id, d.entity_id FROM below b JOIN definitions d
          ON d.workspace_id = b.workspace_id AND d.kind = 'activity' AND d."values" ->> 'parent_id' = b.entity_id
    )
    SELECT workspace_id, entity_id FROM below
"""


class Activities(Index):
    """All that are defined. `parents` are the names above an activity, nearest first; in a cycle each once."""

    name = "activities"
    description = "Search index of activities: name, names of the activities above."
    event_types = types_of({"activity"})
    after = ("definitions",)
    follows_as_of = True
    fields: ClassVar[Mapping[str, str]] = {"name": "A", "parents": "B"}
    entities = entities_of("activity")

    def find_affected(self, connection: Transaction, windows: Sequence[Window]) -> None:
        """See `Index.find_affected`."""
        find_changed(connection, windows, ["activity"])
        connection.execute(_AFFECTED)

    def documents(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterator[Document]:
        """See `Index.documents`."""
        affected = connection.execute("SELECT workspace_id, entity_id FROM affected_documents").fetchall()
        activities = in_force(connection, "activity", {row[0]: as_of[row[0]] for row in affected})
        for workspace_id, activity_id in affected:
            if activity := activities.get((workspace_id, activity_id)):
                parents = list(_parents(activities, workspace_id, activity_id))
                yield Document(workspace_id, activity_id, (activity["name"], parents))


def _parents(activities: Mapping[tuple[str, str], Mapping[str, Any]], workspace_id: str, own_id: str) -> Iterator[str]:
    visited = {own_id}
    parent_id = activities[workspace_id, own_id].get("parent_id")
    while parent_id and parent_id not in visited and (workspace_id, parent_id) in activities:
        visited.add(parent_id)
        parent = activities[workspace_id, parent_id]
        yield parent["name"]
        parent_id = parent.get("parent_id")
