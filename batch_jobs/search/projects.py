"""Projects by name, description and manager."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import ClassVar

from batch_jobs.engine.projection import Window
from batch_jobs.search.entities_in_force import entities_of, find_changed, in_force, types_of
from batch_jobs.search.index import Document, Index
from batch_jobs.store.database import Transaction

_AFFECTED = """
    INSERT INTO affected_documents
    SELECT workspace_id, entity_id FROM changed_entities WHERE kind = 'project'
    UNION
    SELECT d.workspace_id, d.entity_id FROM definitions d JOIN changed_entities c
      ON c.workspace_id = d.workspace_id AND c.kind = 'employee' AND c.entity_id = d."values" ->> 'manager_id'
    WHERE d.kind = 'project'
"""
_MANAGERS = """
    SELECT d.workspace_id, d.employee_id, d.name
    FROM unnest(%s::text[], %s::text[]) AS m(workspace_id, employee_id)
    JOIN employee_directory d USING (workspace_id, employee_id)
"""


class Projects(Index):
    """All that are defined, whatever their status. A manager who is not in the directory has no name."""

    name = "projects"
    description = "Search index of projects: name, description, name of the manager."
    event_types = types_of({"project", "employee"})
    after = ("definitions", "employee_directory")
    follows_as_of = True
    fields: ClassVar[Mapping[str, str]] = {"name": "A", "description": "C", "manager": "B"}
    entities = entities_of("project")

    def find_affected(self, connection: Transaction, windows: Sequence[Window]) -> None:
        """See `Index.find_affected`."""
        find_changed(connection, windows, ["project", "employee"])
        connection.execute(_AFFECTED)

    def documents(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterator[Document]:
        """See `Index.documents`."""
        affected = connection.execute("SELECT DISTINCT workspace_id FROM affected_documents").fetchall()
        concerned = {workspace_id: as_of[workspace_id] for (workspace_id,) in affected}
        projects = in_force(connection, "project", concerned, every=False)
        named = {(key[0], project["manager_id"]) for key, project in projects.items() if project.get("manager_id")}
        rows = connection.execute(_MANAGERS, [[key[0] for key in named], [key[1] for key in named]])
        managers = {(workspace_id, employee_id): name for workspace_id, employee_id, name in rows}
        for (workspace_id, project_id), project in projects.items():
            manager = managers.get((workspace_id, project.get("manager_id") or ""))
            yield Document(workspace_id, project_id, (project["name"], project.get("description"), manager))
