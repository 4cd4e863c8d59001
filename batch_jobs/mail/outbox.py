"""The outbox: claiming messages that wait, and noting what became of them. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from batch_jobs.store.database import Transaction

LEASE = timedelta(minutes=5)
GIVEN_UP_AFTER = timedelta(hours=24)
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)

State: TypeAlias = Literal["waiting", "sent", "failed", "skipped"]
Reason: TypeAlias = Literal[
    # Not now.
    "deferred",
    "unclear",
    "unmade",
    # Failed.
    "refused",
    "expired",
    "unreadable",
    # Skipped.
    "preference",
    "no_address",
    "suspended",
    "stale",
    "duplicate",
]

# Its time has come; or is further away than it can be, since the clock was put back. Nothing waits for longer than
# after its last attempt, and what was not tried yet waits for no more than two machines may differ.
_LONGEST_WAIT = (
    f"least(interval '{FIRST_DELAY.seconds} s' * power(2, least(attempts, 20)), interval '{LONGEST_DELAY.seconds} s')"
)
IS_TIME = f"""
    (next_attempt_at <= clock_timestamp() OR next_attempt_at > clock_timestamp() + {_LONGEST_WAIT})
"""
# Nobody has it, or had it until now.
IS_FREE = "(leased_until IS NULL OR leased_until < clock_timestamp())"
# Leased for longer than any lease lasts: the clock was put back.
IS_LEASED_TOO_LONG = f"leased_until > clock_timestamp() + interval '{LEASE.seconds} s'"

# Whoever holds it may still be at it, and gets as long as anybody.
_SHORTEN = f"""
    UPDATE batch_jobs.outbox SET leased_until = clock_timestamp() + %(length)s
    WHERE state = 'waiting' AND workspace_id = ANY (%(workspaces)s) AND {IS_LEASED_TOO_LONG}
"""
# Who had it and left no word may have sent it.
_CLAIM = f"""
    UPDATE batch_jobs.outbox o SET lease = %(lease)s, leased_until = clock_timestamp() + %(length)s,
        unclear_attempts = unclear_attempts + (o.lease IS NOT NULL)::int
    FROM (
        SELECT workspace_id, user_id, notification_id FROM batch_jobs.outbox
        WHERE state = 'waiting' AND {IS_TIME} AND workspace_id = ANY (%(workspaces)s) AND {IS_FREE}
        ORDER BY next_attempt_at LIMIT %(at_most)s FOR UPDATE SKIP LOCKED
    ) c
    WHERE (o.workspace_id, o.user_id, o.notification_id) = (c.workspace_id, c.user_id, c.notification_id)
    RETURNING o.workspace_id, o.user_id, o.notification_id, o.kind, o.attempts, clock_timestamp()
"""
_SETTLE = """
    UPDATE batch_jobs.outbox o SET
        state = s.state, reason = s.reason, attempts = o.attempts + s.tried::int,
        unclear_attempts = o.unclear_attempts + (s.reason IS NOT DISTINCT FROM 'unclear')::int,
        next_attempt_at = least(clock_timestamp() + s.delay, o.recorded_at + %(given_up_after)s),
        lease = NULL, leased_until = NULL, recipient = coalesce(s.recipient, o.recipient),
        message_id = coalesce(s.message_id, o.message_id), server_reply = coalesce(s.reply, o.server_reply),
        job_run_id = s.job_run_id, ended_at = CASE WHEN s.state <> 'waiting' THEN clock_timestamp() END
    FROM unnest(%(workspaces)s::text[], %(users)s::text[], %(notifications)s::text[], %(states)s::text[],
            %(reasons)s::text[], %(tried)s::boolean[], %(delays)s::interval[], %(recipients)s::text[],
            %(message_ids)s::text[], %(replies)s::text[], %(job_runs)s::uuid[])
        AS s(workspace_id, user_id, notification_id, state, reason, tried, delay, recipient, message_id, reply,
            job_run_id)
    WHERE (o.workspace_id, o.user_id, o.notification_id) = (s.workspace_id, s.user_id, s.notification_id)
      AND o.lease = %(lease)s
"""
_EXTEND = "UPDATE batch_jobs.outbox SET leased_until = clock_timestamp() + %s WHERE lease = %s AND state = 'waiting'"


class Claimed(NamedTuple):
    """A message that nobody else sends while the lease lasts."""

    workspace_id: str
    user_id: str
    notification_id: str
    kind: str
    attempts: int
    claimed_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it."""
        return self.workspace_id, self.user_id, self.notification_id


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed message.

    Attributes:
        claimed: the message.
        job_run_id: of the run that tried.
        state: `waiting` where it is to be tried again.
        reason: why it is not sent; None when it is.
        tried: whether it was attempted.
        recipient: address that it went to, where that is known.
        message_id: of the message, where there is one.
        reply: words of the server.
    """

    claimed: Claimed
    job_run_id: str
    state: State
    reason: Reason | None = None
    tried: bool = False
    recipient: str | None = None
    message_id: str | None = None
    reply: str | None = None

    @property
    def delay(self) -> timedelta:
        """How long until the next attempt."""
        return min(FIRST_DELAY * (1 << min(self.claimed.attempts, 20)), LONGEST_DELAY)


def claim(connection: Transaction, workspaces: Sequence[str], lease: UUID, *, at_most: int) -> list[Claimed]:
    """Take messages whose time has come, those first that wait longest, and that nobody else holds.

    Args:
        connection: a transaction whose scope holds the workspaces.
        workspaces: whose messages.
        lease: by which they are settled; it lasts for `LEASE`.
        at_most: how many.
    """
    values = {"lease": lease, "length": LEASE, "workspaces": list(workspaces), "at_most": at_most}
    connection.execute(_SHORTEN, values)
    return [Claimed(*row) for row in connection.execute(_CLAIM, values)]


def settle(connection: Transaction, lease: UUID, settled: Sequence[Settled]) -> None:
    """Note what became of messages held by the lease."""
    connection.execute(
        _SETTLE,
        {
            "lease": lease,
            "given_up_after": GIVEN_UP_AFTER,
            "workspaces": [one.claimed.workspace_id for one in settled],
            "users": [one.claimed.user_id for one in settled],
            "notifications": [one.claimed.notification_id for one in settled],
            "states": [one.state for one in settled],
            "reasons": [one.reason for one in settled],
            "tried": [one.tried for one in settled],
            "delays": [one.delay for one in settled],
            "recipients": [one.recipient for one in settled],
            "message_ids": [one.message_id for one in settled],
            "replies": [one.reply for one in settled],
            "job_runs": [one.job_run_id for one in settled],
        },
    )


def extend(connection: Transaction, lease: UUID) -> None:
    """Hold on to the messages of the lease for another `LEASE`."""
    connection.execute(_EXTEND, [LEASE, lease])
