"""Filling search indexes in tests as the engine does, searching them, and reading all that they hold."""

from datetime import date
from typing import Any

from batch_jobs import search
from batch_jobs.engine.catch_up import CatchUpResult, catch_up
from batch_jobs.installation import all_projections
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests.builders import Event, event, import_all


def catch_up_indexes(database: Database, *workspaces: str) -> CatchUpResult:
    """Catch everything of these workspaces up, `acme` if none is named."""
    ids = sorted(workspaces or ("acme",))
    with database.worker(ids) as connection:
        lock_workspaces(connection, ids)
        return catch_up(connection, list(all_projections().values()), ids)


def index_events(database: Database, *events: Event) -> CatchUpResult:
    """Import events and catch their workspaces up."""
    return catch_up_indexes(database, *import_all(database, *events).heads)


def ids(database: Database, words: str, index: str = "employees", *, workspace_id: str = "acme", **wishes: Any) -> Any:
    """The ids that a query finds, in order."""
    with database.worker([workspace_id]) as connection:
        return [found.entity_id for found in search.query(connection, index, words, **wishes)]


def documents(database: Database, workspace_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all indexes; words without what tells workspaces apart."""
    key = search.index.workspace_key(workspace_id)
    with database.worker([workspace_id]) as connection:
        return {
            name: connection.execute(
                "SELECT entity_id, title, shown, sort_key, replace(document::text, %s, '') "
                f"FROM search.{name} ORDER BY entity_id",
                [key],
            ).fetchall()
            for name in search.registry()
        }


def project(project_id: str, *, since: date | None = None, **fields: Any) -> Event:
    payload = {"project_id": project_id, "effective_date": since, "name": project_id, "status": "active", **fields}
    return event("project.defined", payload)


def activity(activity_id: str, parent_id: str | None = None, *, since: date | None = None, **fields: Any) -> Event:
    payload = {"activity_id": activity_id, "effective_date": since, "name": activity_id, "kind": "work", **fields}
    return event("activity.defined", {"parent_id": parent_id, **payload})
