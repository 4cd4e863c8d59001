"""Import and export of events as JSON lines: streamed, all or nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from batch_jobs.store.database import Database, limit_idle
from batch_jobs.store.envelope import EventRecord, event_reader
from batch_jobs.store.events import Appended, append_staged, stage, widen_scope_to_stage
from batch_jobs.store.workspaces import check_known

PROGRESS_EVERY = 50_000
EXPORT_BATCH = 5_000


def import_events(
    database: Database, lines: Iterable[bytes], *, progress: Callable[[int], None] | None = None
) -> Appended:
    """Append the events of a file, or nothing of it. Memory does not grow with the file.

    Args:
        database: where to.
        lines: the file, opened in binary mode.
        progress: told how many lines have been read, now and then.

    Raises:
        BadInputError: a line is no valid event, or repeats an event id with another content; nothing was written.
    """
    with database.worker([]) as connection:
        stage(connection, _numbered(lines, progress))
        widen_scope_to_stage(connection)
        connection.execute("ANALYZE staged_events")
        limit_idle(connection)
        return append_staged(connection)


def export_events(database: Database, workspace_id: str, out: BinaryIO) -> int:
    """Write all events of a workspace as JSON lines, in the order of their positions. Returns how many.

    Raises:
        BadInputError: there is no such workspace.
    """
    count = 0
    check_known(database, workspace_id)
    with database.worker([workspace_id]) as connection, connection.cursor(name="export") as cursor:
        cursor.itersize = EXPORT_BATCH
        cursor.execute(
            """
                SELECT workspace_id, event_id, type, version, occurred_at, actor, employee_id, targets, payload::text
                FROM batch_jobs.events WHERE workspace_id = %s ORDER BY position
                """,
            [workspace_id],
        )
        for row in cursor:
            out.write(EventRecord(*row).to_line().encode() + b"\n")
            count += 1
    return count


def _numbered(lines: Iterable[bytes], progress: Callable[[int], None] | None) -> Iterator[tuple[int, EventRecord]]:
    """The events of a file with the numbers of their lines, empty lines counted."""
    number = 0

    def counted() -> Iterator[bytes]:
        nonlocal number
        for line in lines:
            number += 1
            yield line
            if progress and number % PROGRESS_EVERY == 0:
                progress(number)

    for record in event_reader().read_lines(counted()):
        yield number, record
