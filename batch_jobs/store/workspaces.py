"""Which workspaces there are: those that the event log has."""

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database


def check_known(database: Database, workspace_id: str) -> None:
    """Make sure that the log has a workspace, whatever its status.

    Raises:
        BadInputError: it does not; the text has the names that come close.
    """
    with database.reader() as connection:
        known = connection.execute("SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s", [workspace_id]).rowcount
    if not known:
        raise unknown_workspace(database, workspace_id)


def unknown_workspace(database: Database, workspace_id: str) -> BadInputError:
    """The error for a workspace that the log does not have, with the names that come close."""
    from difflib import get_close_matches

    with database.reader() as connection:
        known = [row[0] for row in connection.execute("SELECT workspace_id FROM batch_jobs.workspaces").fetchall()]
    close = get_close_matches(workspace_id, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "import its events first"
    return BadInputError(f'workspace "{workspace_id}" is not known; {hint}')
