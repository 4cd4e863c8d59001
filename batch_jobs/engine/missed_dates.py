"""The run dates that the scheduler has missed, for jobs that catch up: which to look at, and how far all is done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from batch_jobs.store.database import Transaction

_CURSORS = "SELECT workspace_id, checked_date FROM batch_jobs.schedule_cursors WHERE job = %s"

_ADVANCE = """
    INSERT INTO batch_jobs.schedule_cursors (job, workspace_id, checked_date)
    SELECT %s, * FROM unnest(%s::text[], %s::date[]) AS n(workspace_id, checked_date) ORDER BY workspace_id
    ON CONFLICT (job, workspace_id) DO UPDATE SET checked_date = excluded.checked_date
    WHERE schedule_cursors.checked_date < excluded.checked_date
"""


def read_cursors(connection: Transaction, job: str) -> dict[str, date]:
    """For each workspace the newest run date up to which the scheduler has seen everything done."""
    return dict(connection.execute(_CURSORS, [job]).fetchall())


def advance_cursors(connection: Transaction, job: str, done: Mapping[str, date]) -> None:
    """Note up to which run date everything is done. A cursor never goes back."""
    if done:
        connection.execute(_ADVANCE, [job, list(done), list(done.values())])


def missed(this_day: date, cursor: date, *, days_back: int) -> list[date]:
    """The run dates after the cursor and before today, at most so many days back, oldest first."""
    first = max(cursor + timedelta(days=1), this_day - timedelta(days=days_back))
    return [first + timedelta(days=number) for number in range((this_day - first).days)]


def done_until(items: Iterable[tuple[str, date, bool]]) -> dict[str, date]:
    """The newest run date up to which all is over, for workspaces whose missed dates were looked at.

    Args:
        items: workspace, run date, and whether nothing is left to do for it; the newest date of each is today, which
            is not over before midnight.
    """
    by_workspace: defaultdict[str, list[tuple[date, bool]]] = defaultdict(list)
    for workspace_id, day, is_over in items:
        by_workspace[workspace_id].append((day, is_over))
    found = {}
    for workspace_id, days in by_workspace.items():
        for day, is_over in sorted(days)[:-1]:
            if not is_over:
                break
            found[workspace_id] = day
    return found
