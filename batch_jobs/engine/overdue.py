"""What should have run and did not: the trace that a scheduler leaves which has stopped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from batch_jobs.engine.contract import Job
from batch_jobs.engine.due import DueQuestion
from batch_jobs.engine.local_time import start_instant
from batch_jobs.store.database import Transaction

OVERDUE_AFTER = timedelta(hours=1)
"""Schedules look every five minutes, sensors every half: who waits an hour was not seen."""

_WORKSPACES = """
    SELECT w.workspace_id, t.run_date, coalesce(w.timezone, 'UTC'),
        greatest(w.recorded_at, max(r.ended_at) FILTER (WHERE NOT r.dry_run))
    FROM unnest(%(workspaces)s::text[], %(run_dates)s::date[]) AS t(workspace_id, run_date)
    JOIN batch_jobs.workspaces w USING (workspace_id)
    LEFT JOIN batch_jobs.job_runs r
      ON r.job = ANY (%(jobs)s) AND r.workspace_id = t.workspace_id AND r.run_date = t.run_date
    GROUP BY w.workspace_id, t.run_date
"""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A job that a workspace waits for.

    Attributes:
        job: its name.
        workspace_id: whose.
        run_date: for which day; None for a job that is continuous.
        since: when it could have begun.
    """

    job: str
    workspace_id: str
    run_date: date | None
    since: datetime


def find_overdue(
    connection: Transaction, jobs: Mapping[str, Job], *, now: datetime, after: timedelta = OVERDUE_AFTER
) -> list[Overdue]:
    """What has been due for that long, by instant; projections are read as they are.

    A job waits from its start time on, but not before the workspace was imported, nor before the last run of it, or of
    one that it comes after, has ended.

    Args:
        connection: a reader's transaction.
        jobs: the scheduled jobs by name.
        now: the instant.
        after: how long a job has to be due.
    """
    nightly = {name: job for name, job in jobs.items() if not job.continuous}
    found = [*_nightly(connection, nightly, now - after), *_continuous(connection, jobs, now - after)]
    return sorted(found, key=lambda one: (one.since, one.job, one.workspace_id))


def _nightly(connection: Transaction, jobs: Mapping[str, Job], then: datetime) -> Iterator[Overdue]:
    """What was due at that instant, by what is known now."""
    question = DueQuestion(connection, jobs, now=then)
    for name, job in jobs.items():
        due = question.ask([name]).due
        values = {
            "jobs": [name, *job.after],
            "workspaces": [item.workspace_id for item in due],
            "run_dates": [item.run_date for item in due],
        }
        known = {row[:2]: row[2:] for row in connection.execute(_WORKSPACES, values)} if due else {}
        for item in due:
            zone, last_seen = known[item.workspace_id, item.run_date]
            since = max(start_instant(item.run_date, job.start_time, zone), last_seen)
            if since <= then:
                yield Overdue(name, item.workspace_id, item.run_date, since)


def _continuous(connection: Transaction, jobs: Mapping[str, Job], then: datetime) -> Iterator[Overdue]:
    for name, job in jobs.items():
        rows = (
            connection.execute(job.waiting_since, job.arguments(then.date(), job.parameters()))
            if job.waiting_since
            else ()
        )
        yield from (Overdue(name, workspace_id, None, since) for workspace_id, since in rows if since <= then)
