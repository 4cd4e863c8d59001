"""Catching projections up in tests as the engine does, and reading all that they then hold."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from batch_jobs import projections
from batch_jobs.engine.catch_up import CatchUpResult, catch_up, in_order
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests.builders import Event, import_all

Rows = list[dict[str, Any]]


def catch_up_all(database: Database, *workspaces: str, names: Sequence[str] | None = None) -> CatchUpResult:
    """Catch the projections (all, or these with what they read) of the workspaces up, `acme` if none is named."""
    ids = sorted(workspaces or ("acme",))
    with database.worker(ids) as connection:
        lock_workspaces(connection, ids)
        return catch_up(connection, in_order(projections.registry(), names), ids)


def take_in(database: Database, *events: Event) -> CatchUpResult:
    """Import events and catch their workspaces up."""
    return catch_up_all(database, *import_all(database, *events).heads)


def finish_run(database: Database, day: date, workspace_id: str = "acme") -> None:
    """Move the as-of date, as the end of a job run of that day does."""
    with database.worker([workspace_id]) as connection:
        connection.execute(
            "UPDATE batch_jobs.workspaces SET last_run_date = greatest(last_run_date, %s) WHERE workspace_id = %s",
            [day, workspace_id],
        )


def rows(database: Database, table: str, workspace_id: str = "acme") -> Rows:
    """The rows of one projection in the order of its key, without the workspace."""
    key = projections.registry()[table].table.key
    with database.worker([workspace_id]) as connection:
        cursor = connection.execute(f"SELECT * FROM projections.{table} ORDER BY {', '.join(key)}")
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names[1:], row[1:], strict=True)) for row in cursor]


def nameless(found: Rows, workspace_id: str) -> Rows:
    """The rows with no text that names the workspace, so that those of several can be compared."""
    named = f'workspace "{workspace_id}"'
    return [
        {
            name: value.replace(named, "the workspace") if isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in found
    ]


def everything(database: Database, workspace_id: str = "acme") -> dict[str, Rows]:
    """The rows of every projection, and the dead letters."""
    found = {name: nameless(rows(database, name, workspace_id), workspace_id) for name in projections.registry()}
    with database.worker([workspace_id]) as connection:
        letters = connection.execute(
            "SELECT projection, position, type, reason FROM batch_jobs.dead_letters ORDER BY projection, position"
        ).fetchall()
    found["dead_letters"] = [{"letter": letter} for letter in letters]
    return found


def column(database: Database, table: str, name: str, workspace_id: str = "acme") -> dict[str, Any]:
    """One column of a projection by the id that its key begins with."""
    first = projections.registry()[table].table.key[1]
    return {row[first]: row[name] for row in rows(database, table, workspace_id)}
