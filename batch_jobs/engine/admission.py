"""What the engine lets in: workspaces that jobs may run in, run dates that have come. The rest is refused in words."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from batch_jobs.engine.job_runs import Target, storable
from batch_jobs.engine.local_time import today
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs.store.workspaces import unknown_workspace

# East of Greenwich the first day of the calendar begins before there is one.
FIRST_DAY = date(1, 1, 2)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


ACTIVE_ONLY: Collection[str] = frozenset({"active"})


def zones_of(
    database: Database, workspaces: Iterable[str] | None = None, *, statuses: Collection[str] = ACTIVE_ONLY
) -> dict[str, str]:
    """The time zones of those among these workspaces (None: of all) that have one of the statuses, by id, sorted."""
    wanted = None if workspaces is None else list(workspaces)
    with database.reader() as connection:
        rows = connection.execute(
            """
            SELECT workspace_id, coalesce(timezone, 'UTC') FROM batch_jobs.workspaces
            WHERE status = ANY (%(statuses)s) AND (%(wanted)s::text[] IS NULL OR workspace_id = ANY (%(wanted)s))
            ORDER BY workspace_id
            """,
            {"wanted": wanted, "statuses": sorted(statuses)},
        )
        return dict(rows.fetchall())


def admit_workspaces(
    database: Database, workspaces: Iterable[str], *, statuses: Collection[str] = ACTIVE_ONLY
) -> dict[str, str]:
    """The time zone of each of these workspaces.

    Raises:
        BadInputError: one of them is not known, or has none of the statuses; the text names it.
    """
    # What the database can not even be asked for is not known either.
    wanted = sorted(set(map(storable, workspaces)))
    zones = zones_of(database, wanted, statuses=statuses)
    for name in wanted:
        if name not in zones:
            raise _refused(database, name, statuses)
    return zones


def refusal(name: str, status: str, statuses: Collection[str]) -> str:
    """Why no job of those that run in workspaces of `statuses` runs in this one."""
    if set(statuses) == set(ACTIVE_ONLY):
        return f'workspace "{name}" is {status}; jobs run in active workspaces only'
    return f'workspace "{name}" is {status}; this job runs in {" and ".join(sorted(statuses))} workspaces only'


def future_notes(targets: Iterable[Target], zones: Mapping[str, str], now: datetime) -> dict[Target, str]:
    """What is to be said of those targets whose run date is after their workspace's own today."""
    return {
        (name, day): f"run date {day} is after today, {own}: what was written has to be undone by hand"
        for name, day in targets
        if day > (own := today(now, zones[name]))
    }


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


def read_day(text: str, *, name: str = "date") -> date:
    """The run date that a text names, as YYYY-MM-DD and in no other form of ISO 8601.

    Args:
        text: as somebody typed it.
        name: what an error calls it.

    Raises:
        BadInputError: it names none, or one before the calendar.
    """
    try:
        if _DAY.fullmatch(text):
            found = date.fromisoformat(text)
            admit_days([found])
            return found
        problem = "expected YYYY-MM-DD"
    except ValueError as error:
        problem = f"{error}; expected a day that exists, as YYYY-MM-DD"
    raise BadInputError(f'{name} "{text}": {problem}, such as 2026-11-23')


def _refused(database: Database, name: str, statuses: Collection[str]) -> BadInputError:
    with database.reader() as connection:
        row = connection.execute("SELECT status FROM batch_jobs.workspaces WHERE workspace_id = %s", [name]).fetchone()
    if row is None:
        return unknown_workspace(database, name)
    if row[0] == "undefined":
        return BadInputError(f'workspace "{name}" has no workspace.created event; import it first')
    return BadInputError(refusal(name, row[0], statuses))
