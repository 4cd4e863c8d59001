"""What each channel was told and is still to be told: the table `batch_jobs.announcements`. Only SQL on it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from batch_jobs.announcing.cause import Cause, Seen
from batch_jobs.announcing.telling import Known, Step
from batch_jobs.announcing.words import Announcement
from batch_jobs.store.database import Transaction

KEPT_FOR = timedelta(days=30)
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)

# One look is judged at a time, whoever looks.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('batch_jobs.announcements'))"
_FORGET = """
    DELETE FROM batch_jobs.announcements
    WHERE closed_at < %(now)s::timestamptz - %(kept_for)s OR last_seen_at < %(now)s::timestamptz - %(kept_for)s
"""
# What is noted of a time that is still to come is from before the clock was put back.
_COME_BACK = """
    UPDATE batch_jobs.announcements SET
        since = least(since, %(now)s), first_seen_at = least(first_seen_at, %(now)s),
        last_seen_at = least(last_seen_at, %(now)s),
        told_at = CASE WHEN told_at > %(now)s THEN %(now)s ELSE told_at END,
        next_attempt_at = CASE WHEN next_attempt_at > %(now)s + %(longest_delay)s THEN %(now)s ELSE next_attempt_at END
    WHERE greatest(since, first_seen_at, last_seen_at, told_at, next_attempt_at - %(longest_delay)s) > %(now)s
"""
_SEE = """
    INSERT INTO batch_jobs.announcements (channel, job, status, reason, since, first_seen_at, last_seen_at)
    SELECT channel, job, status, reason, since, %(now)s, %(now)s
    FROM unnest(%(channels)s::text[]) channel,
        unnest(%(jobs)s::text[], %(statuses)s::text[], %(reasons)s::text[], %(sinces)s::timestamptz[])
            AS s(job, status, reason, since)
    ON CONFLICT (channel, job, status, reason) WHERE closed_at IS NULL DO NOTHING
"""
# What is just being sent is judged at the next look.
_OPEN = """
    SELECT announcement_id::text, channel, job, status, reason, since, first_seen_at, last_seen_at, most, told_at, told,
        messages
    FROM batch_jobs.announcements
    WHERE closed_at IS NULL AND channel = ANY (%(channels)s) AND status = ANY (%(about)s)
    ORDER BY channel, job, status, reason FOR UPDATE SKIP LOCKED
"""
_CAUSES = "SELECT DISTINCT job, status, reason FROM batch_jobs.announcements WHERE closed_at IS NULL"
_NOTE = """
    UPDATE batch_jobs.announcements a SET
        since = n.since, last_seen_at = n.last_seen_at, most = n.most,
        told_at = CASE WHEN n.message IS NULL THEN a.told_at ELSE %(now)s END,
        told = CASE WHEN n.message IS NULL THEN a.told ELSE n.size END,
        messages = a.messages + (n.message IS NOT NULL)::int,
        message = coalesce(n.message, a.message),
        attempts = CASE WHEN n.message IS NULL THEN a.attempts ELSE 0 END,
        next_attempt_at = CASE WHEN n.message IS NULL THEN a.next_attempt_at ELSE %(now)s END,
        closed_at = CASE WHEN n.closed THEN %(now)s::timestamptz END
    FROM unnest(%(ids)s::uuid[], %(sinces)s::timestamptz[], %(seen)s::timestamptz[], %(mosts)s::int[], %(sizes)s::int[],
            %(messages)s::jsonb[], %(closed)s::boolean[])
        AS n(announcement_id, since, last_seen_at, most, size, message, closed)
    WHERE a.announcement_id = n.announcement_id
"""
_TAKE = """
    SELECT announcement_id::text, channel, message, attempts FROM batch_jobs.announcements
    WHERE next_attempt_at <= %(now)s AND channel = ANY (%(channels)s)
    ORDER BY next_attempt_at, told_at, announcement_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_TAKEN = """
    UPDATE batch_jobs.announcements
    SET message = NULL, next_attempt_at = NULL, attempts = attempts + 1, reply = %(reply)s
    WHERE announcement_id = %(id)s
"""
_NOT_TAKEN = """
    UPDATE batch_jobs.announcements
    SET next_attempt_at = %(now)s::timestamptz + %(delay)s, attempts = attempts + 1, reply = %(reply)s
    WHERE announcement_id = %(id)s
"""
_WAITING = """
    SELECT channel, count(*), min(told_at), (array_agg(reply ORDER BY attempts DESC))[1]
    FROM batch_jobs.announcements WHERE message IS NOT NULL AND attempts > 0 GROUP BY channel ORDER BY channel
"""


@dataclass(frozen=True, slots=True)
class Open:
    """What a channel knows of a cause that is not over.

    Attributes:
        id: of the row, by which messages of it are known.
        channel: its name.
        cause: which.
        since: when it began.
        first_seen: when it was noticed.
        last_seen: when it was noticed last.
        most: in how many workspaces it was at the most.
        told_at: when it was told last.
        told: how much there was of it then.
        messages: how many there were about it.
    """

    id: str
    channel: str
    cause: Cause
    since: datetime
    first_seen: datetime
    last_seen: datetime
    most: int
    told_at: datetime | None
    told: int
    messages: int

    @property
    def known(self) -> Known:
        """For the rule. What is overdue was so for an hour when it was first seen: it lasts from then on."""
        begun = self.first_seen if self.cause.status == "overdue" else self.since
        return Known(begun, self.last_seen, self.told_at, self.told)


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of an open one: `seen` as it stands, None where it is not seen; the message of the step, if any."""

    open: Open
    step: Step
    seen: Seen | None
    message: Announcement | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that waits for its channel, held by the transaction; `message` in JSON values."""

    id: str
    channel: str
    message: dict[str, Any]
    attempts: int


def begin(connection: Transaction, *, now: datetime) -> None:
    """Begin to judge, alone, and forget what is long over, or was not looked for any more."""
    connection.execute(_LOCK)
    connection.execute(_FORGET, {"now": now, "kept_for": KEPT_FOR})
    connection.execute(_COME_BACK, {"now": now, "longest_delay": LONGEST_DELAY})


def open_causes(connection: Transaction) -> set[Cause]:
    """The causes that are not over, whatever the channel."""
    return {Cause(*row) for row in connection.execute(_CAUSES)}


def see(connection: Transaction, channels: Sequence[str], seen: Sequence[Seen], *, now: datetime) -> None:
    """Note the causes that are new to a channel."""
    connection.execute(
        _SEE,
        {
            "now": now,
            "channels": list(channels),
            "jobs": [one.cause.job for one in seen],
            "statuses": [one.cause.status for one in seen],
            "reasons": [one.cause.reason for one in seen],
            "sinces": [min(one.since, now) for one in seen],
        },
    )


def open_ones(connection: Transaction, channels: Sequence[str], about: Sequence[str]) -> list[Open]:
    """What is not over, locked, but for that of which a message is just being sent.

    Args:
        connection: a transaction of the owner.
        channels: of these; another process may have others.
        about: of these statuses.
    """
    rows = connection.execute(_OPEN, {"channels": list(channels), "about": list(about)})
    return [Open(row[0], row[1], Cause(*row[2:5]), *row[5:]) for row in rows]


def note(connection: Transaction, judged: Collection[Judged], *, now: datetime) -> None:
    """Note what becomes of open ones, with the messages that are to be sent."""
    forgotten = [one.open.id for one in judged if one.step == "forgotten"]
    connection.execute("DELETE FROM batch_jobs.announcements WHERE announcement_id = ANY (%s::uuid[])", [forgotten])
    kept = [one for one in judged if one.step != "forgotten"]
    connection.execute(
        _NOTE,
        {
            "now": now,
            "ids": [one.open.id for one in kept],
            "sinces": [min(one.open.since, one.seen.since) if one.seen else one.open.since for one in kept],
            "seen": [now if one.seen else one.open.last_seen for one in kept],
            "mosts": [max(one.open.most, len(one.seen.workspaces) if one.seen else 0) for one in kept],
            "sizes": [one.seen.size if one.seen else 0 for one in kept],
            "messages": [None if one.message is None else Jsonb(one.message.as_json()) for one in kept],
            "closed": [one.step == "closed" for one in kept],
        },
    )


def take(connection: Transaction, channels: Iterable[str], *, now: datetime) -> Taken | None:
    """The next message that waits for one of these channels; nobody else takes it while the transaction lasts."""
    # It lasts as long as the channel takes to answer.
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    row = connection.execute(_TAKE, {"now": now, "channels": list(channels)}).fetchone()
    return Taken(*row) if row else None


def settle(connection: Transaction, taken: Taken, *, sent: bool, reply: str, now: datetime) -> None:
    """Note whether the channel took the message; it is tried again later where it did not."""
    delay = min(FIRST_DELAY * (1 << min(taken.attempts, 20)), LONGEST_DELAY)
    values = {"id": taken.id, "now": now, "delay": delay, "reply": reply}
    connection.execute(_TAKEN if sent else _NOT_TAKEN, values)


def refused(connection: Transaction) -> list[tuple[str, int, datetime, str | None]]:
    """Channels that did not take messages: name, how many wait, since when, the last answer."""
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(_WAITING)]
