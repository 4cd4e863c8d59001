"""What goes on in the database: workspaces' time zones, workers, projections, dead letters."""

from collections import Counter
from importlib.metadata import version
from zoneinfo import ZoneInfoNotFoundError, available_timezones

from batch_jobs.doctor.finding import Finding, counted, judged
from batch_jobs.engine.catch_up import behind
from batch_jobs.engine.stale import stale
from batch_jobs.installation import all_projections, make_engine
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction

NAMED = 5
REBUILD = "batch-jobs run recover_failed_migration --no-dry-run"


def examine(database: Database, settings: Settings) -> list[Finding]:
    """Check what jobs and people left behind."""
    overdue = _overdue(database, settings)
    with database.owner() as connection:
        return [
            overdue,
            _time_zones(connection),
            _workers(connection, settings.worker_lost_after),
            _projections(connection),
            _versions(connection),
            _dead_letters(connection),
            _orchestrator(connection),
        ]


def _overdue(database: Database, settings: Settings) -> Finding:
    try:
        found = make_engine(database, settings).overdue()
    except ZoneInfoNotFoundError:
        return Finding("scheduler", "ok", "what is overdue can not be told while a time zone is not known")
    first = found[0] if found else None
    numbers = Counter(one.job for one in found)
    named = [f"{job} in {counted(number, 'workspace')}" for job, number in sorted(numbers.items())]
    return judged(
        "scheduler",
        first is None,
        f"due for more than an hour without a run: {_some(named)}; the first since {first.since:%Y-%m-%d %H:%M} UTC in "
        f'"{first.workspace_id}"'
        if first
        else "nothing has been due for more than an hour without a run",
        "see that `batch-jobs up` runs, with no schedule or sensor switched off; `batch-jobs due` tells what is due",
    )


def _time_zones(connection: Transaction) -> Finding:
    rows = connection.execute(
        "SELECT workspace_id, timezone FROM batch_jobs.workspaces WHERE timezone IS NOT NULL ORDER BY workspace_id"
    ).fetchall()
    known = available_timezones()
    unknown = [f"{workspace_id}: {zone}" for workspace_id, zone in rows if zone not in known]
    return judged(
        "time zones",
        not unknown,
        f"not known here: {_some(unknown)}"
        if unknown
        else f"{len({zone for _, zone in rows})} in use, tzdata {version('tzdata')}",
        "update the package tzdata, or correct the zone by a workspace.created event",
    )


def _workers(connection: Transaction, lost_after: int) -> Finding:
    row = connection.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE w.heartbeat_at IS NULL
            OR w.heartbeat_at < clock_timestamp() - make_interval(secs => %s))
        FROM batch_jobs.job_runs r LEFT JOIN batch_jobs.workers w ON w.worker_id = r.worker_id
        WHERE r.status IN ('pending', 'started')
        """,
        [lost_after],
    ).fetchone()
    active, lost = row or (0, 0)
    return judged(
        "workers",
        not lost,
        counted(active, "active job run") + (f", {lost:,} of them without a sign of life" if lost else ""),
        "`batch-jobs runs` ends them as failed, so that they are due again; `batch-jobs up` does it by itself",
    )


def _projections(connection: Transaction) -> Finding:
    lagging = behind(connection, all_projections().values())
    return judged(
        "projections",
        not lagging,
        f"behind in {counted(len(lagging), 'workspace')}, by {counted(sum(lagging.values()), 'event')}"
        if lagging
        else "in step",
        "`batch-jobs due` catches them up; `batch-jobs up` does it by itself",
    )


def _versions(connection: Transaction) -> Finding:
    found = stale(connection, all_projections().values())
    named = [f"{name} in {counted(workspaces, 'workspace')}" for name, workspaces in found.items()]
    return judged(
        "versions of projections",
        not found,
        f"built by another version of their code: {_some(named)}" if found else "all built by this code",
        f"rebuild them: {REBUILD}",
    )


def _dead_letters(connection: Transaction) -> Finding:
    rows = connection.execute(
        "SELECT projection, count(*) FROM batch_jobs.dead_letters GROUP BY projection ORDER BY projection"
    ).fetchall()
    # They are kept for people to look at and stop nothing, so they are no problem by themselves.
    return Finding("dead letters", "ok", ", ".join(f"{name}: {number:,}" for name, number in rows) or "none")


def _orchestrator(connection: Transaction) -> Finding:
    """Dagster's storage, read without Dagster, which takes seconds to load."""
    if connection.execute("SELECT to_regclass('dagster.daemon_heartbeats')").fetchone() == (None,):
        return Finding("orchestrator", "ok", "its storage is empty: `batch-jobs up` or `batch-jobs demo` fills it")
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM dagster.runs),
            (SELECT extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - max(timestamp))::int
             FROM dagster.daemon_heartbeats)
        """
    ).fetchone()
    runs, silent = row or (0, None)
    beat = f"its daemon gave a sign of life {silent:,} s ago" if silent is not None else "its daemon has never run"
    return Finding("orchestrator", "ok", f"{counted(runs, 'run')} in its storage; {beat}")


def _some(texts: list[str]) -> str:
    return ", ".join(texts[:NAMED]) + (f" and {len(texts) - NAMED} more" if len(texts) > NAMED else "")
