"""What the engine lets in: workspaces that jobs may run in, run dates that have come. The rest is refused in words."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.local_time import today
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import unknown_workspace

# East of Greenwich the first day of the calendar begins before there is one.
FIRST_DAY = date(1, 1, 2)


def active_zones(database: Database, workspaces: Iterable[str] | None = None) -> dict[str, str]:
    """The time zones of the active ones among these workspaces (None: of all), by id, sorted."""
    wanted = None if workspaces is None else list(workspaces)
    with database.reader() as connection:
        rows = connection.execute(
            """
            SELECT workspace_id, coalesce(timezone, 'UTC') FROM batch_jobs.workspaces
            WHERE status = 'active' AND (%(wanted)s::text[] IS NULL OR workspace_id = ANY (%(wanted)s))
            ORDER BY workspace_id
            """,
            {"wanted": wanted},
        )
        return dict(rows.fetchall())


def admit_workspaces(database: Database, workspaces: Iterable[str]) -> dict[str, str]:
    """The time zone of each of these workspaces.

    Raises:
        BadInputError: one of them is not known, or not active; the text names it.
    """
    wanted = sorted(set(workspaces))
    zones = active_zones(database, wanted)
    for name in wanted:
        if name not in zones:
            raise _not_active(database, name)
    return zones


def admit_dates(targets: Iterable[Target], zones: Mapping[str, str], now: datetime) -> None:
    """Make sure that no run date is after its workspace's own today.

    Raises:
        BadInputError: one is; the text names both dates.
    """
    for workspace_id, run_date in targets:
        if run_date > (own := today(now, zones[workspace_id])):
            raise BadInputError(
                f'run date {run_date} is after today, {own}, in workspace "{workspace_id}"; what is written for a '
                "future day has to be undone by hand: make it a dry run (--dry-run), or allow it (--allow-future)"
            )


def admit_days(run_dates: Iterable[date]) -> None:
    """Make sure that run dates begin within the calendar in every time zone.

    Raises:
        BadInputError: one does not; the text names it.
    """
    for run_date in run_dates:
        if run_date < FIRST_DAY:
            raise BadInputError(f"run date {run_date}: expected {FIRST_DAY} or a later day")


def _not_active(database: Database, name: str) -> BadInputError:
    with database.reader() as connection:
        row = connection.execute("SELECT status FROM batch_jobs.workspaces WHERE workspace_id = %s", [name]).fetchone()
    if row is None:
        return unknown_workspace(database, name)
    if row[0] == "undefined":
        return BadInputError(f'workspace "{name}" has no workspace.created event; import it first')
    return BadInputError(f'workspace "{name}" is {row[0]}; jobs run in active workspaces only')
