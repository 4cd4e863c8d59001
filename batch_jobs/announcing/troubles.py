"""Which trouble stands, by the ledger and the clock: a few queries over all workspaces. Tells nobody.

A job is in trouble in a workspace when the newest of its runs that a schedule or sensor has started failed, or ended
with warnings. That is over

- with the next such run that ends otherwise, for the same run date or a later one;
- when somebody repeats it by hand: as a whole, or the rows that failed, and that ends well;
- when two days later there has been no other run: nothing is due any more. Not while the job is overdue.

A warning of a continuous job says nothing about its next run, which works on other rows: it stands for an hour. What
people start themselves is never trouble: they see what comes of it. Nor are dry runs and parts of a workspace.

A mail server that is away makes no run fail: its messages are tried again for a day. That no message got through for
half an hour is trouble by itself. One that is put off while others are taken, as for a mailbox that is full, is none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from batch_jobs.announcing.cause import NO_MAIL, Cause, Seen, reason_of, together
from batch_jobs.engine.contract import Job
from batch_jobs.engine.overdue import Overdue
from batch_jobs.store.database import Transaction

STANDS_FOR = timedelta(days=2)
WARNING_OF_CONTINUOUS = timedelta(hours=1)
PATIENCE_WITH_MAIL = timedelta(minutes=30)

_STANDING = """
    SELECT r.job_run_id::text, r.job, r.workspace_id, r.status, r.message, r.counters, r.ended_at
    FROM batch_jobs.job_runs r
    WHERE r.status IN ('failed', 'warning') AND r.trigger IN ('schedule', 'sensor') AND NOT r.dry_run AND NOT r.partial
      AND r.ended_at > %(now)s::timestamptz - %(stands_for)s
      AND CASE WHEN r.status = 'warning' AND r.job = ANY (%(continuous)s)
        THEN r.ended_at > %(now)s::timestamptz - %(warning_of_continuous)s
        ELSE NOT EXISTS (
            SELECT FROM batch_jobs.job_runs l
            WHERE l.job = r.job AND l.workspace_id = r.workspace_id
              AND (l.run_date, l.attempt) > (r.run_date, r.attempt)
              AND l.status IN ('completed', 'warning', 'failed') AND l.trigger IN ('schedule', 'sensor')
              AND NOT l.dry_run AND NOT l.partial
        ) AND NOT EXISTS (
            SELECT FROM batch_jobs.job_runs h
            WHERE h.job = r.job AND h.workspace_id = r.workspace_id AND h.run_date = r.run_date
              AND h.attempt > r.attempt AND h.trigger NOT IN ('schedule', 'sensor') AND NOT h.dry_run
              AND (h.status = 'completed' OR (h.status = 'warning' AND r.status = 'failed'))
              AND (NOT h.partial OR (h.trigger = 'retry' AND h.params = r.params))
        )
      END
    ORDER BY r.ended_at, r.job_run_id
"""
_ROW_ERRORS = """
    SELECT DISTINCT ON (job_run_id, entity, error) job_run_id::text, entity, error, message
    FROM batch_jobs.job_run_errors WHERE job_run_id = ANY (%s::uuid[])
    ORDER BY job_run_id, entity, error, number
"""
TRIED_IN_VAIN = """
    o.reason IN ('deferred', 'unclear') AND o.recorded_at > coalesce((
        SELECT max(s.ended_at) FROM batch_jobs.workspaces v CROSS JOIN LATERAL (
            SELECT t.ended_at FROM batch_jobs.outbox t
            WHERE t.workspace_id = v.workspace_id AND t.state = 'sent' ORDER BY t.ended_at DESC LIMIT 1
        ) s
    ), '-infinity')
"""
"""Of a waiting message `o`: it was tried, and recorded after the newest message that was taken, in any workspace.

The newest one is looked up in each workspace, where an index has it, and only if there is anything to compare it with.
"""
_NO_MAIL = f"""
    SELECT o.workspace_id, min(o.recorded_at), (array_agg(o.server_reply ORDER BY o.recorded_at))[1]
    FROM batch_jobs.outbox o JOIN batch_jobs.workspaces w ON w.workspace_id = o.workspace_id AND w.status = 'active'
    WHERE o.state = 'waiting' AND o.recorded_at <= %(now)s::timestamptz - %(patience)s AND {TRIED_IN_VAIN}
    GROUP BY o.workspace_id ORDER BY o.workspace_id
"""


def standing_troubles(connection: Transaction, jobs: Mapping[str, Job], *, now: datetime) -> list[Seen]:
    """The causes of failed runs and warnings that stand, each once.

    Args:
        connection: a reader's transaction.
        jobs: the scheduled jobs by name.
        now: the instant.
    """
    values = {
        "now": now,
        "continuous": [name for name, job in jobs.items() if job.continuous],
        "stands_for": STANDS_FOR,
        "warning_of_continuous": WARNING_OF_CONTINUOUS,
    }
    runs = connection.execute(_STANDING, values).fetchall()
    warned = [row[0] for row in runs if row[3] == "warning"]
    errors: dict[str, list[tuple[str, str, str]]] = {}
    for job_run_id, *error in connection.execute(_ROW_ERRORS, [warned]) if warned else ():
        errors.setdefault(job_run_id, []).append((error[0], error[1], error[2]))
    return together(
        Seen(Cause(job, status, reason), (workspace_id,), ended_at, 1, error, job_run_id)
        for job_run_id, job, workspace_id, status, message, counters, ended_at in runs
        for reason, error in (
            _of_warning(jobs.get(job), counters, errors.get(job_run_id, ()))
            if status == "warning"
            else [(reason_of(message or "", workspace_id), message or "")]
        )
    )


def mail_trouble(connection: Transaction, *, now: datetime) -> list[Seen]:
    """That no message gets through, as one cause, if that is so.

    Args:
        connection: a reader's transaction.
        now: the instant.
    """
    rows = connection.execute(_NO_MAIL, {"now": now, "patience": PATIENCE_WITH_MAIL})
    return together(
        Seen(Cause("deliver_notifications", "warning", NO_MAIL), (workspace_id,), since, 1, reply or "")
        for workspace_id, since, reply in rows
    )


def overdue_trouble(overdue: Sequence[Overdue]) -> list[Seen]:
    """What is overdue as one cause, if anything is."""
    if not overdue:
        return []
    numbers = Counter(one.job for one in overdue)
    return [
        Seen(
            Cause("", "overdue", "no run"),
            tuple(sorted({one.workspace_id for one in overdue})),
            min(one.since for one in overdue),
            len(overdue),
            jobs=tuple(sorted(numbers.items())),
        )
    ]


def _of_warning(
    job: Job | None, counters: Mapping[str, Any], errors: Sequence[tuple[str, str, str]]
) -> Iterator[tuple[str, str]]:
    """Reason and first text of each thing that a run warns of: kinds of row errors, or counters without any."""
    for entity, error, message in errors:
        yield f"{entity}: {error}", message
    if errors:
        return
    warning = [counter for counter in job.counters if counter.warns and counters.get(counter.name)] if job else []
    for counter in warning:
        yield counter.name, f"{counter.name}: {counters[counter.name]} {counter.description}"
    if not warning:
        yield "warning", "it ended with warnings"
