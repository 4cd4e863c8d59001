"""Deletes what is kept no longer: read notifications, old invitations, old history, deleted workspaces."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from pydantic import Field

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job, Parameters
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.local_time import start_of_day
from batch_jobs.store.database import Transaction
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.notifications import NotificationPurged
from batch_jobs.store.payloads.people import UserInvitationExpired

# What one transaction deletes of the orchestrator's history, in rows: half a second, in which nobody can record
# anything in the workspaces of the same chunk. What is left makes the next workspace due at the next look.
ORCHESTRATOR_ROWS_AT_MOST = 100_000


class Retention(Parameters):
    """How long each kind of data is kept, in days before the run date."""

    dry_run: bool = Field(
        default=True,
        description="Do all the work, undo it, and report the same counters and up to 100 of the rows and events that "
        "a real run would remove and write; of a whole workspace and of the orchestrator's history how many rows. "
        "Nothing is deleted. Set it to false to delete; the schedule does.",
    )
    notifications_days: int = Field(
        default=90,
        ge=1,
        description="Days, 1 or more: notifications read or dismissed longer ago leave the feed of their user, by an "
        "event. Unread ones stay.",
    )
    mail_days: int = Field(
        default=30,
        ge=1,
        description="Days, 1 or more: e-mails sent, or given up, longer ago leave the outbox. What became of them can "
        "then no longer be looked up there.",
    )
    job_runs_days: int = Field(
        default=400,
        ge=14,
        description="Days, 14 or more: job runs for run dates longer ago, and that ended longer ago, leave the ledger "
        "with their row errors. They can then be neither shown nor replayed. Runs that go on stay.",
    )
    orchestrator_days: int = Field(
        default=60,
        ge=7,
        description="Days, 7 or more: finished runs of the orchestrator, of the whole installation, with event logs, "
        "and ticks older than that. Partitions that only such runs materialized show as missing then.",
    )
    invitations_days: int = Field(
        default=7,
        ge=1,
        description="Days, 1 or more: users still invited that long after their invitation (invited_at, else the time "
        "of the event that defined them so) expire, by an event, and have to be invited again.",
    )
    workspaces_days: int = Field(
        default=30,
        ge=1,
        description="Days, 1 or more: workspaces deleted longer ago lose all their rows, the event log included. "
        "Nothing brings them back.",
    )


_CANDIDATES = """
    WITH kept AS (
        SELECT s.workspace_id, w.status, w.deleted_at, z.start, z.timezone
        FROM scope s JOIN batch_jobs.workspaces w ON w.workspace_id = s.workspace_id
        JOIN unnest(%(zones)s::text[], %(starts)s::timestamptz[]) AS z(timezone, start)
            ON z.timezone = coalesce(w.timezone, 'UTC')
    )
    SELECT k.workspace_id, concat_ws('|', 'notifications', f.user_id, f.notification_id) AS row_id, true AS due,
        'notifications' AS kind, f.notification_id AS id, f.user_id AS further
    FROM kept k JOIN projections.notification_feed f ON f.workspace_id = k.workspace_id
    WHERE k.status = 'active' AND (f.read_at IS NOT NULL OR f.dismissed_at IS NOT NULL)
      AND least(f.read_at, f.dismissed_at) < %(last_start)s::timestamptz - %(notifications)s::interval
      AND least(f.read_at, f.dismissed_at) < k.start - %(notifications)s::interval
    UNION ALL
    SELECT k.workspace_id, 'invitations|' || p.entity_id, true, 'invitations', p.entity_id, p.position::text
    FROM kept k JOIN projections.definitions p ON p.workspace_id = k.workspace_id
    WHERE k.status = 'active' AND p.kind = 'user' AND p."values" ->> 'status' = 'invited'
      AND coalesce(
          (p."values" ->> 'invited_at')::timestamptz,
          (
              SELECT greatest(e.occurred_at, p.valid_from::timestamp AT TIME ZONE k.timezone)
              FROM batch_jobs.events e WHERE e.workspace_id = p.workspace_id AND e.position = p.position
          )
      ) < k.start - %(invitations)s::interval
      -- The version in force on the run date: the latest by then, before all of them the earliest.
      AND NOT EXISTS (
          SELECT FROM projections.definitions o
          WHERE o.workspace_id = p.workspace_id AND o.kind = 'user' AND o.entity_id = p.entity_id
            AND CASE WHEN p.valid_from <= %(run_date)s
                THEN o.valid_from > p.valid_from AND o.valid_from <= %(run_date)s
                ELSE o.valid_from < p.valid_from END
      )
    UNION ALL
    SELECT k.workspace_id, concat_ws('|', 'mail', o.user_id, o.notification_id), true, 'mail', o.notification_id,
        o.user_id
    FROM kept k JOIN batch_jobs.outbox o ON o.workspace_id = k.workspace_id
    WHERE k.status = 'active' AND o.state <> 'waiting' AND o.ended_at < k.start - %(mail)s::interval
    UNION ALL
    SELECT k.workspace_id, 'job_runs|' || r.job_run_id, true, 'job_runs', r.job_run_id::text, NULL
    FROM kept k JOIN batch_jobs.job_runs r ON r.workspace_id = k.workspace_id
    WHERE k.status = 'active' AND r.status NOT IN ('pending', 'started')
      AND r.ended_at < %(last_start)s::timestamptz - %(job_runs)s::interval
      AND r.ended_at < k.start - %(job_runs)s::interval AND r.run_date < %(run_date)s - %(job_runs)s::interval
    UNION ALL
    -- One history for all workspaces: the first of those that are looked at takes care of it.
    SELECT k.workspace_id, 'orchestrator', true, 'orchestrator', (k.start - %(orchestrator)s::interval)::text, NULL
    FROM (SELECT * FROM kept WHERE status = 'active' ORDER BY workspace_id LIMIT 1) k
    WHERE batch_jobs.orchestrator_has_older(k.start - %(orchestrator)s::interval)
    UNION ALL
    SELECT k.workspace_id, 'workspaces', true, 'workspaces', k.workspace_id, NULL
    FROM kept k WHERE k.status = 'deleted' AND k.deleted_at < k.start - %(workspaces)s::interval
"""
_KINDS = {
    "notifications": "read or dismissed notifications that left the feed",
    "mail": "e-mails, sent or given up, that left the outbox",
    "job_runs": "job runs that left the ledger",
    "orchestrator": "runs, ticks and events without a run that left the orchestrator's history",
    "invitations": "users whose invitation expired",
    "workspaces": "deleted workspaces that were emptied",
}


class PurgeExpiredData(Job):
    """A kind of data is past its retention so many times 24 hours before the run date begins in the workspace's zone.

    A user was invited at `invited_at`; without it, when the event occurred that gave the user as they stand, or on the
    day from which it holds, if that is later.

    Events of living workspaces stay. What leaves a projection leaves it by an event, so that a rebuild gives the same
    rows. A suspended workspace keeps everything; a deleted one is left alone until all of it goes at once, and the job
    run that did it stays in the ledger as its record.
    """

    name = "purge_expired_data"
    description = (
        "Deletes what is past its retention: read notifications, old invitations, history, deleted workspaces."
    )
    parameters = Retention
    scheduled = MappingProxyType({"dry_run": False})
    workspace_statuses = frozenset({"active", "deleted"})
    counters = (
        *(Counter(f"{kind}_deleted", what) for kind, what in _KINDS.items()),
        Counter("errors", "rows that could not be deleted", warns=True),
    )
    candidates = _CANDIDATES

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """The retention of each kind, and when the run date begins in each zone there is."""
        zones, starts = _starts(run_date)
        kinds = {kind: timedelta(days=getattr(parameters, f"{kind}_days")) for kind in _KINDS}
        return {**kinds, "zones": zones, "starts": starts, "last_start": max(starts)}

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """See `Job.idle_reasons`."""
        return {workspace_id: "nothing is past its retention" for workspace_id, _ in targets}

    def decide(self, batch: Batch) -> None:
        """Delete each kind in its own way."""
        rows = defaultdict(list)
        for row in batch.rows:
            rows[row.kind].append(row)
        for row, parts in _event_parts(batch, [*rows["notifications"], *rows["invitations"]]):
            batch.append(row, _event(row), *parts)
            batch.count(row, f"{row.kind}_deleted")
        for row in rows["orchestrator"]:
            purge = "SELECT batch_jobs.purge_orchestrator(%s::timestamptz, %s)"
            deleted = _number(batch, purge, row.id, ORCHESTRATOR_ROWS_AT_MOST)
            batch.count(row, "orchestrator_deleted", deleted)
            _show(batch, row, "dagster.*", {"older_than": row.id}, deleted)
        for row in rows["workspaces"]:
            deleted = _number(batch, "SELECT batch_jobs.purge_workspace(%s)", row.id)
            batch.count(row, "workspaces_deleted")
            _show(batch, row, "batch_jobs.workspaces", {"workspace_id": row.id}, deleted)
        if rows["job_runs"]:
            _delete_job_runs(batch, rows["job_runs"])
        if rows["mail"]:
            _delete_mail(batch, rows["mail"])


def _number(batch: Batch, statement: str, *values: Any) -> int:
    found = batch.connection.execute(statement, values).fetchone()
    return int(found[0]) if found else 0


def _show(batch: Batch, row: Any, table: str, key: Mapping[str, str], rows: int | None = None) -> None:
    """Show what leaves a table; where one line stands for many rows, how many they are."""
    many = {} if rows is None else {"before": {"rows": rows}}
    batch.show(row, {"table": table, "change": "removed", "key": dict(key), **many})


def _event(row: Any) -> Payload:
    if row.kind == "invitations":
        return UserInvitationExpired(user_id=row.id)
    return NotificationPurged(notification_id=row.id, user_id=row.further)


def _event_parts(batch: Batch, rows: Sequence[Any]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """What makes the event id of each row beside the job: kind and id (domain 6.1).

    Where those stand for another event already, something more tells them apart: a user who was invited again expires
    again, and a bad sender may give two users notifications of one id.
    """
    ids = [deterministic_event_id(row.workspace_id, PurgeExpiredData.name, row.kind, row.id) for row in rows]
    taken = set(
        batch.connection.execute(
            """
            SELECT e.workspace_id, e.event_id FROM unnest(%s::text[], %s::uuid[]) AS w(workspace_id, event_id)
            JOIN batch_jobs.events e USING (workspace_id, event_id)
            """,
            [[row.workspace_id for row in rows], ids],
        ).fetchall()
    )
    for row, event_id in zip(rows, ids, strict=True):
        key = row.workspace_id, event_id
        yield row, (row.kind, row.id, row.further) if key in taken else (row.kind, row.id)
        taken.add(key)


def _delete_mail(batch: Batch, rows: Sequence[Any]) -> None:
    batch.connection.execute(
        """
        DELETE FROM batch_jobs.outbox o
        USING unnest(%s::text[], %s::text[], %s::text[]) AS w(workspace_id, user_id, notification_id)
        WHERE (o.workspace_id, o.user_id, o.notification_id) = (w.workspace_id, w.user_id, w.notification_id)
        """,
        [[row.workspace_id for row in rows], [row.further for row in rows], [row.id for row in rows]],
    )
    for row in rows:
        batch.count(row, "mail_deleted")
        _show(batch, row, "batch_jobs.outbox", {"user_id": row.further, "notification_id": row.id})


def _delete_job_runs(batch: Batch, rows: Sequence[Any]) -> None:
    of_id = {row.id: row for row in rows}
    deleted = batch.connection.execute(
        """
        DELETE FROM batch_jobs.job_runs WHERE job_run_id = ANY (%s::uuid[]) AND status NOT IN ('pending', 'started')
        RETURNING job_run_id::text
        """,
        [list(of_id)],
    )
    for (job_run_id,) in deleted:
        batch.count(of_id[job_run_id], "job_runs_deleted")
        _show(batch, of_id[job_run_id], "batch_jobs.job_runs", {"job_run_id": job_run_id})


@lru_cache(maxsize=4)
def _starts(run_date: date) -> tuple[list[str], list[datetime]]:
    """When the day begins in each zone. PostgreSQL's own list of zones may be older than the one that names them."""
    starts = {}
    for zone in sorted(available_timezones() | {"UTC"}):
        # At the ends of the calendar the day does not begin everywhere.
        with contextlib.suppress(OverflowError):
            starts[zone] = start_of_day(run_date, zone)
    return list(starts), list(starts.values())
