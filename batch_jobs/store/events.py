"""The event log: staging, appending with gapless positions, and what an append says about workspaces themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import errors

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Transaction, set_scope
from batch_jobs.store.envelope import EventRecord
from batch_jobs.store.stored_payloads import read_payload
from batch_jobs.store.temporary import temporary_table

_CONTENT = "event_id, type, version, occurred_at, actor, employee_id, targets, payload"

_STAGE = """
    CREATE TEMPORARY TABLE staged_events (
        line bigint NOT NULL,
        workspace_id text COLLATE "C" NOT NULL,
        event_id uuid NOT NULL,
        type text COLLATE "C" NOT NULL,
        version smallint NOT NULL,
        occurred_at timestamptz NOT NULL,
        actor text NOT NULL,
        employee_id text COLLATE "C",
        targets text[] NOT NULL,
        payload jsonb NOT NULL
    ) ON COMMIT DELETE ROWS
"""

# The heads are read under the rows' locks, so the next position is known and nobody else can take it.
_INSERT = f"""
    INSERT INTO batch_jobs.events (workspace_id, position, {_CONTENT})
    SELECT s.workspace_id, w.head + row_number() OVER (PARTITION BY s.workspace_id ORDER BY s.line), {_CONTENT}
    FROM staged_events s JOIN batch_jobs.workspaces w ON w.workspace_id = s.workspace_id
    ORDER BY s.workspace_id, s.line
"""

_ADVANCE = """
    UPDATE batch_jobs.workspaces w
    SET head = w.head + n.events, first_event_at = coalesce(w.first_event_at, n.first_event_at)
    FROM (
        SELECT workspace_id, count(*) AS events, (array_agg(occurred_at ORDER BY line))[1] AS first_event_at
        FROM staged_events GROUP BY workspace_id
    ) n
    WHERE w.workspace_id = n.workspace_id
    RETURNING w.workspace_id, w.head
"""

# Events under an id that the log or an earlier line has, as far as they are not the same to the letter.
_REPEATED = """
    SELECT s.workspace_id, s.event_id::text, s.line, e.position, NULL AS earlier_line,
        s.type, s.version, s.employee_id, s.targets, s.payload, e.type, e.version, e.employee_id, e.targets, e.payload
    FROM staged_events s JOIN batch_jobs.events e ON e.workspace_id = s.workspace_id AND e.event_id = s.event_id
    WHERE (s.type, s.version, s.employee_id, s.targets, s.payload)
        IS DISTINCT FROM (e.type, e.version, e.employee_id, e.targets, e.payload)
    UNION ALL
    SELECT s.workspace_id, s.event_id::text, s.line, NULL, e.line,
        s.type, s.version, s.employee_id, s.targets, s.payload, e.type, e.version, e.employee_id, e.targets, e.payload
    FROM staged_events s JOIN (
        SELECT DISTINCT ON (workspace_id, event_id) * FROM staged_events ORDER BY workspace_id, event_id, line
    ) e ON e.workspace_id = s.workspace_id AND e.event_id = s.event_id AND e.line < s.line
    WHERE (s.type, s.version, s.employee_id, s.targets, s.payload)
        IS DISTINCT FROM (e.type, e.version, e.employee_id, e.targets, e.payload)
    ORDER BY line, position
"""

_DROP_DUPLICATES = """
    DELETE FROM staged_events s
    WHERE EXISTS (SELECT FROM batch_jobs.events e WHERE e.workspace_id = s.workspace_id AND e.event_id = s.event_id)
       OR EXISTS (
           SELECT FROM staged_events o
           WHERE o.workspace_id = s.workspace_id AND o.event_id = s.event_id AND o.line < s.line
       )
"""

# An e-mail for each new notification that asks for one. Of an import only what occurred just now: history is history.
_FILL_OUTBOX = """
    INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind)
    SELECT workspace_id, payload ->> 'user_id', payload ->> 'notification_id', payload ->> 'kind' FROM staged_events
    WHERE type = 'notification.created' AND payload -> 'channels' ? 'email'
      AND (%(by_job)s OR occurred_at > now() - %(fresh)s::interval)
    ON CONFLICT DO NOTHING
"""
FRESH = timedelta(hours=24)

# A workspace's own events are few, so they are applied where they are appended: its state is never behind its log.
_WORKSPACE_EVENTS = """
    WITH facts AS (
        SELECT workspace_id,
            (array_agg(payload ORDER BY line DESC) FILTER (WHERE type = 'workspace.created'))[1] AS created,
            (array_agg(type ORDER BY line DESC)
                FILTER (WHERE type IN ('workspace.suspended', 'workspace.resumed', 'workspace.deleted')))[1] AS change,
            (array_agg(occurred_at ORDER BY line) FILTER (WHERE type = 'workspace.deleted'))[1] AS deleted_at
        FROM staged_events WHERE type LIKE 'workspace.%' GROUP BY workspace_id
    )
    UPDATE batch_jobs.workspaces w SET
        name = coalesce(f.created ->> 'name', w.name),
        timezone = coalesce(f.created ->> 'timezone', w.timezone),
        locale = CASE WHEN f.created IS NULL THEN w.locale ELSE coalesce(f.created ->> 'locale', 'en') END,
        default_holiday_calendar_id = CASE WHEN f.created IS NULL THEN w.default_holiday_calendar_id
            ELSE f.created ->> 'default_holiday_calendar_id' END,
        deleted_at = coalesce(w.deleted_at, f.deleted_at),
        status = CASE
            WHEN w.deleted_at IS NOT NULL OR f.deleted_at IS NOT NULL THEN 'deleted'
            WHEN f.change = 'workspace.suspended' THEN 'suspended'
            WHEN f.change = 'workspace.resumed' OR w.status = 'undefined' THEN
                CASE WHEN coalesce(f.created ->> 'timezone', w.timezone) IS NULL THEN 'undefined' ELSE 'active' END
            ELSE w.status END
    FROM facts f WHERE w.workspace_id = f.workspace_id
"""


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    Attributes:
        events: how many were new.
        duplicates: how many were in the log already, or twice among the appended, with the same content.
        heads: the new head of each workspace that got events.
    """

    events: int
    duplicates: int
    heads: dict[str, int]


def stage(connection: Transaction, records: Iterable[tuple[int, EventRecord]]) -> None:
    """Put events, each with the number of its line, on the transaction's stage."""
    temporary_table(connection, "staged_events", _STAGE)
    with connection.cursor().copy(f"COPY staged_events (line, workspace_id, {_CONTENT}) FROM STDIN") as copy:
        for line, record in records:
            copy.write_row((line, *record))


def staged_workspaces(connection: Transaction) -> list[str]:
    """The workspaces of the staged events, sorted."""
    rows = connection.execute("SELECT DISTINCT workspace_id FROM staged_events ORDER BY workspace_id").fetchall()
    return [row[0] for row in rows]


def append_staged(connection: Transaction, *, by_job: bool = False) -> Appended:
    """Append the staged events to the log. The transaction's scope must hold their workspaces.

    The workspaces stay locked until the transaction ends. An event that the log has already, or that was staged
    twice, is counted and changes nothing. New notifications for the channel `email` get into the outbox.

    Args:
        connection: the transaction.
        by_job: whether a job appends, which creates notifications to be sent, for whatever run date. Else they are sent
            when they occurred within `FRESH`.

    Raises:
        BadInputError: an event id stands for another content already; the text names both the line and the event.
    """
    workspaces = staged_workspaces(connection)
    lock_workspaces(connection, workspaces, create=True)
    duplicates = 0
    try:
        with connection.transaction():
            connection.execute(_INSERT)
    except errors.UniqueViolation:
        duplicates = _drop_duplicates(connection)
        connection.execute(_INSERT)
    heads = connection.execute(_ADVANCE).fetchall()
    connection.execute(_WORKSPACE_EVENTS)
    connection.execute(_FILL_OUTBOX, {"by_job": by_job, "fresh": FRESH})
    appended = connection.execute("DELETE FROM staged_events").rowcount
    return Appended(events=appended, duplicates=duplicates, heads=dict(heads))


def lock_workspaces(connection: Transaction, workspaces: list[str], *, create: bool = False) -> dict[str, int]:
    """Lock workspaces until the transaction ends, always in the same order. Returns their heads.

    Args:
        connection: a transaction whose scope holds them.
        workspaces: their ids.
        create: add those that are not there yet, as their first event would.
    """
    if create:
        connection.execute(
            """
            INSERT INTO batch_jobs.workspaces (workspace_id)
            SELECT unnest(%s::text[]) ORDER BY 1 ON CONFLICT DO NOTHING
            """,
            [workspaces],
        )
    rows = connection.execute(
        """
        SELECT workspace_id, head FROM batch_jobs.workspaces
        WHERE workspace_id = ANY (%s) ORDER BY workspace_id FOR UPDATE
        """,
        [workspaces],
    ).fetchall()
    if create and len(rows) < len(workspaces):
        # A purge that was under way has removed one that was still there.
        return lock_workspaces(connection, workspaces, create=True)
    return dict(rows)


def append(connection: Transaction, records: Iterable[EventRecord]) -> Appended:
    """Stage and append in one go what a job decided, within the scope that the transaction has."""
    records = list(records)
    if not records:
        return Appended(events=0, duplicates=0, heads={})
    stage(connection, enumerate(records, 1))
    return append_staged(connection, by_job=True)


def widen_scope_to_stage(connection: Transaction) -> list[str]:
    """Make the staged events' workspaces the transaction's scope. Returns them."""
    workspaces = staged_workspaces(connection)
    set_scope(connection, workspaces)
    return workspaces


def _drop_duplicates(connection: Transaction) -> int:
    connection.execute("ANALYZE staged_events")
    # By a cursor of the server's: a file sent again in another spelling may be long.
    with connection.cursor(name="repeated") as cursor:
        for workspace_id, event_id, line, position, earlier_line, *contents in cursor.execute(_REPEATED):
            different = _difference(contents[:5], contents[5:])
            if different:
                where = f"position {position} of its log" if position else f"line {earlier_line} of this file"
                raise BadInputError(
                    f'line {line}: event_id "{event_id}" ({contents[0]}) of workspace "{workspace_id}" stands for '
                    f"another event in {where}, with another {different}; expected the same content, or a new event_id"
                )
    return connection.execute(_DROP_DUPLICATES).rowcount


def _difference(one: list[Any], other: list[Any]) -> str | None:
    """The first of type, employee, targets and payload in which two events differ by what they mean, if any."""
    for name, index in (("type", 0), ("employee_id", 2), ("targets", 3)):
        if one[index] != other[index]:
            return name
    meanings = [read_payload(type_, version, payload, where="event") for type_, version, _, _, payload in (one, other)]
    return None if meanings[0] == meanings[1] else "payload"
