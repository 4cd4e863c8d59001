"""What holds after a night by itself, whatever happened to it."""

from collections import Counter
from collections.abc import Collection, Iterator

import psycopg

from batch_jobs_tests.faults.drift import drifts
from batch_jobs_tests.mail.server import MailServer

_ACTIVE = "SELECT job || ' ' || workspace_id FROM batch_jobs.job_runs WHERE status IN ('pending', 'started')"
_UNFINISHED = """
    SELECT pipeline_name || ' ' || status FROM dagster.runs
    WHERE status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING')
"""
_WORKERS = "SELECT worker_id::text FROM batch_jobs.workers"
_TWICE = """
    SELECT concat_ws(' ', job, workspace_id, run_date) FROM batch_jobs.job_runs
    WHERE status IN ('completed', 'warning') AND NOT partial AND NOT dry_run
      AND job <> ALL ('{sync_projections,deliver_notifications}')
    GROUP BY job, workspace_id, run_date HAVING count(*) > 1
"""
_OUTBOX = "SELECT message_id, state, unclear_attempts, workspace_id FROM batch_jobs.outbox WHERE message_id IS NOT NULL"
# A purge is the one job that a deleted workspace still has, years later.
_AFTER_THE_END = """
    SELECT e.workspace_id || ': ' || e.type FROM batch_jobs.events e
    JOIN batch_jobs.events s ON s.workspace_id = e.workspace_id AND s.position < e.position
    WHERE s.type IN ('workspace.suspended', 'workspace.deleted') AND s.actor = 'user:support'
      AND e.workspace_id = ANY (%s) AND e.actor LIKE 'job:%%'
"""


def broken_rules(url: str, mail: MailServer, left_out: Collection[str]) -> Iterator[str]:
    """What does not hold, in words.

    Args:
        url: the database.
        mail: the server that got the messages.
        left_out: workspaces that were suspended or deleted in mid-run.
    """
    with psycopg.connect(url) as connection:
        for what, sql in (
            ("never ended in the ledger", _ACTIVE),
            ("never ended in Dagster", _UNFINISHED),
            ("a worker that is still there", _WORKERS),
            ("done twice", _TWICE),
        ):
            found = [row[0] for row in connection.execute(sql)]
            if found:
                yield f"{what}: {found[:5]}, {len(found)} in all"
        ended = [row[0] for row in connection.execute(_AFTER_THE_END, [sorted(left_out)])]
        if ended:
            yield f"written after the workspace had ended: {ended[:5]}"
        delivered = Counter(message["message_id"] for message in mail.received)
        for message_id, state, unclear, workspace_id in connection.execute(_OUTBOX):
            times = delivered[message_id]
            if times > 1 + unclear:
                yield f"{message_id} was delivered {times} times, with {unclear} attempts that ended unclear"
            if state == "sent" and not times:
                yield f"{message_id} of {workspace_id} counts as sent, but nobody got it"
    yield from drifts(url)
