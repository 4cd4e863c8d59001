"""Employees by name, e-mail, job title and the org units they are in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import ClassVar

from batch_jobs.engine.projection import Window, passed_days
from batch_jobs.projections.affected_employees import PERSONAL_EVENTS, add_affected_by_date, find_affected
from batch_jobs.search.entities_in_force import find_changed, in_force
from batch_jobs.search.index import Document, Index
from batch_jobs.store.database import Transaction

# Whoever a changed unit concerns has it in the path of the directory, which is folded before: however the tree looked
# before, the first changed unit on somebody's way up is reached by units that have not changed.
_AFFECTED = """
    INSERT INTO affected_documents
    SELECT workspace_id, employee_id FROM affected_employees
    UNION
    SELECT d.workspace_id, d.employee_id
    FROM (
        SELECT workspace_id, array_agg(entity_id) AS units FROM changed_entities
        WHERE kind = 'org_unit' GROUP BY workspace_id
    ) c JOIN employee_directory d ON d.workspace_id = c.workspace_id AND d.org_path && c.units::text[]
"""
_PEOPLE = """
    SELECT a.workspace_id, a.entity_id, d.name, d.preferred_name, d.email, d.job_title, d.org_path
    FROM affected_documents a
    JOIN employee_directory d ON d.workspace_id = a.workspace_id AND d.employee_id = a.entity_id
"""


class Employees(Index):
    """Those in the directory, also who has left or has not begun. Org units are the one they belong to and all above
    it, by their names of the as-of date.
    """

    name = "employees"
    description = "Search index of employees: name, preferred name, e-mail, job title, names of their org units."
    event_types = (PERSONAL_EVENTS - {"user.defined"}) | {"org_unit.defined"}
    after = ("definitions", "employee_directory")
    follows_as_of = True
    fields: ClassVar[Mapping[str, str]] = {
        "name": "A",
        "preferred_name": "B",
        "email": "C",
        "job_title": "C",
        "org_units": "D",
    }
    entities = "SELECT workspace_id, employee_id FROM employee_directory WHERE workspace_id = ANY (%(workspaces)s)"

    def find_affected(self, connection: Transaction, windows: Sequence[Window]) -> None:
        """See `Index.find_affected`."""
        find_affected(connection, settings=())
        add_affected_by_date(connection, passed_days(windows))
        find_changed(connection, windows, ["org_unit"])
        connection.execute(_AFFECTED)

    def documents(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterator[Document]:
        """See `Index.documents`."""
        people = connection.execute(_PEOPLE).fetchall()
        concerned = {workspace_id for workspace_id, *_ in people}
        units = in_force(connection, "org_unit", {name: day for name, day in as_of.items() if name in concerned})
        names_on: dict[tuple[str, ...], list[str]] = {}
        for workspace_id, employee_id, name, preferred_name, email, job_title, org_path in people:
            way_up = (workspace_id, *org_path)
            if way_up not in names_on:
                found = (units.get((workspace_id, unit_id)) for unit_id in org_path)
                names_on[way_up] = [unit["name"] for unit in found if unit]
            yield Document(workspace_id, employee_id, (name, preferred_name, email, job_title, names_on[way_up]))
