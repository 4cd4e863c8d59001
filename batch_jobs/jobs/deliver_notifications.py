"""Sends the messages that wait in the outbox."""

import logging
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any
from uuid import uuid4

from batch_jobs import projections
from batch_jobs.engine.batch import Batch, Outside
from batch_jobs.engine.catch_up import catch_up, in_order
from batch_jobs.engine.catch_up_all import catch_up_all
from batch_jobs.engine.contract import Counter, Job, Parameters
from batch_jobs.engine.projection import Projection
from batch_jobs.errors import BadInputError
from batch_jobs.mail.addresses import UnusableAddressError, read_sender
from batch_jobs.mail.contents import addressee
from batch_jobs.mail.message import Message, compose
from batch_jobs.mail.noting import Notes
from batch_jobs.mail.outbox import (
    IS_FREE,
    IS_LEASED_TOO_LONG,
    IS_TIME,
    Claimed,
    Reason,
    Settled,
    State,
    claim,
)
from batch_jobs.mail.rendering import render
from batch_jobs.mail.standing import Standing, standings
from batch_jobs.mail.transport import Fate, Letter, Transport, mail_folder, transport_of
from batch_jobs.settings import Settings

_log = logging.getLogger(__name__)

# Claimed at once.
AT_ONCE = 100

_STATES: Mapping[Fate, tuple[State, Reason | None]] = {
    "sent": ("sent", None),
    "refused": ("failed", "refused"),
    "deferred": ("waiting", "deferred"),
    "unclear": ("waiting", "unclear"),
}
_COUNTERS: Mapping[str | None, str] = {
    None: "sent",
    "deferred": "deferred",
    "unclear": "deferred",
    "unmade": "failed",
    "refused": "failed",
    "expired": "failed",
    "unreadable": "failed",
    "preference": "skipped_preference",
    "no_address": "no_address",
    "suspended": "skipped_stale",
    "stale": "skipped_stale",
    "duplicate": "skipped_stale",
}
_TOLD = {
    "refused": "the server refuses it for good: {}; correct the address of the user",
    "expired": "it was not sent within 24 hours; its last answer: {}",
    "unmade": "making its message failed: {}; it is tried again for 24 hours; report this with the run's log",
    "unreadable": "no message can be made of it: {}",
    "no_address": "the user has no e-mail address that can be used: {}; correct it by a user.defined",
}
_DONE = """
    SELECT workspace_id, user_id, notification_id, reason, server_reply FROM batch_jobs.outbox
    WHERE job_run_id = ANY (%s::uuid[]) ORDER BY workspace_id, user_id, notification_id
"""


class DeliverNotifications(Job):
    """Each message is claimed, judged again right before sending (domain 6.2), handed to the server and settled, all in
    short transactions of their own: no workspace is locked while a server takes its time.

    What came of them is counted from the outbox, whatever happened to the run in between.
    """

    name = "deliver_notifications"
    description = "Sends notifications by e-mail, as long as what they say still holds."
    parameters = Parameters
    counters = (
        Counter("sent", "messages that the server took over, or that were written into the folder"),
        Counter("deferred", "messages to be tried again later"),
        Counter(
            "failed", "messages refused for good, unreadable, not to be made, or not sent within 24 hours", warns=True
        ),
        Counter("skipped_stale", "messages that no longer hold, or whose user is suspended or removed"),
        Counter("skipped_preference", "messages to users who want no e-mail"),
        Counter("no_address", "messages to users without an address that can be used", warns=True),
    )
    error_counter = "failed"
    continuous = True
    catches_up = False
    divisible = False
    chunk_load = 2_000
    unit = "messages"
    candidates = f"""
        SELECT s.workspace_id, s.workspace_id AS row_id, o.load IS NOT NULL AS due, coalesce(o.load, 0) AS load
        FROM scope s LEFT JOIN (
            SELECT workspace_id, count(*) AS load FROM batch_jobs.outbox
            WHERE state = 'waiting' AND {IS_TIME} AND ({IS_FREE} OR {IS_LEASED_TOO_LONG})
            GROUP BY workspace_id
        ) o ON o.workspace_id = s.workspace_id
    """
    waiting_since = """
        SELECT o.workspace_id, min(o.next_attempt_at) FROM batch_jobs.outbox o
        JOIN batch_jobs.workspaces w ON w.workspace_id = o.workspace_id AND w.status = 'active'
        WHERE o.state = 'waiting' GROUP BY o.workspace_id
    """

    def reach_out(self, outside: Outside) -> None:
        """Send what waits in these workspaces, until nothing is left or the server can not be reached.

        Raises:
            BadInputError: the installation's own address can not be used; nothing was claimed.
        """
        try:
            read_sender(outside.settings.mail_from)
        except UnusableAddressError as error:
            raise BadInputError(f"BATCH_JOBS_MAIL_FROM, the sender of all messages: {error}") from None
        if outside.settings.smtp is None:
            _log.warning("no mail server is set: messages are written to %s", mail_folder(outside.settings))
        transport = transport_of(outside.settings)
        try:
            done = 0
            # What takes long, before any message is held.
            catch_up_all(outside.database, _read(), sorted(outside.runs), lambda _done, _all: None)
            while (tried := _send_some(outside, transport)) is not None:
                done += tried
                outside.on_load(done)
        finally:
            transport.close()

    def decide(self, batch: Batch) -> None:
        """Count what was done; for a dry run, what would be."""
        rows = {row.workspace_id: row for row in batch.rows}
        if any(run.parameters.dry_run for run in batch.runs.values()):
            _show(batch, rows)
            return
        of_run = [run.job_run_id for run in batch.runs.values()]
        reasons: dict[str, Tally[str]] = {name: Tally() for name in rows}
        for name, user_id, notification_id, reason, reply in batch.connection.execute(_DONE, [of_run]):
            _count(batch, rows[name], (user_id, notification_id), reason, reply)
            reasons[name][reason] += 1
        for name, tally in reasons.items():
            told = [f"{number} {reason}" for reason, number in sorted(tally.items(), key=str) if reason is not None]
            batch.outcomes[name].note = f"not sent: {', '.join(told)}" if told else None


def _send_some(outside: Outside, transport: Transport) -> int | None:
    """Claim and settle some messages. Returns how many, None when there are no more or it is not the time for them."""
    workspaces, lease = sorted(outside.runs), uuid4()
    with outside.database.worker(workspaces) as connection:
        claimed = claim(connection, workspaces, lease, at_most=AT_ONCE)
    if not claimed:
        return None
    ids = {name: run.job_run_id for name, run in outside.runs.items()}
    # Now, so that the notification of each message that is held has been folded.
    of_messages = sorted({one.workspace_id for one in claimed})
    _, not_in_step = catch_up_all(outside.database, _read(), of_messages, lambda _done, _all: None)
    with outside.database.worker(workspaces) as connection:
        found = standings(connection, claimed, not_in_step)
    of_key = {one.claimed.key: one for one in found}
    carried = taken = 0
    with Notes(outside.database, workspaces, lease) as notes:

        def note(one: Standing, state: State, reason: Reason | None, **more: Any) -> None:
            notes.add(Settled(one.claimed, ids[one.claimed.workspace_id], state, reason, **more))

        for delivery in transport.carry(_letters(found, outside.settings, note)):
            message = delivery.letter.message
            note(
                of_key[delivery.letter.key],
                *_STATES[delivery.fate],
                tried=True,
                recipient=message.recipient,
                message_id=message.message_id,
                reply=delivery.reply,
            )
            carried += 1
            taken += delivery.fate != "deferred"
    # A server that takes none of them is given a rest.
    return len(claimed) if taken or not carried else None


def _letters(found: Iterable[Standing], settings: Settings, note: Callable[..., None]) -> Iterator[Letter]:
    """The messages to send, each made when it is its turn; what is not sent is noted."""
    for one in found:
        if one.reason is not None:
            waits = one.reason == "unmade"
            state = "waiting" if waits else "failed" if _COUNTERS[one.reason] == "failed" else "skipped"
            note(one, state, one.reason, tried=waits, recipient=one.address, reply=one.flaw)
            continue
        try:
            message = _message(one, settings)
        except Exception as error:
            # It must not keep the others from being sent.
            _log.exception('the message of notification "%s" can not be made', one.claimed.notification_id)
            note(one, "waiting", "unmade", tried=True, recipient=one.address, reply=f"{type(error).__name__}: {error}")
        else:
            yield Letter(one.claimed.key, message)


def _message(one: Standing, settings: Settings) -> Message:
    claimed = one.claimed
    return compose(
        render(claimed.kind, one.locale, one.data, base_url=settings.base_url),
        workspace_id=claimed.workspace_id,
        notification_id=claimed.notification_id,
        user_id=claimed.user_id,
        sender=settings.mail_from,
        recipient_name=addressee(one.data),
        recipient_address=one.address or "",
        base_url=settings.base_url,
        sent_at=claimed.claimed_at,
    )


def _show(batch: Batch, rows: Mapping[str, Any]) -> None:
    """What would be sent to whom, and what not and why."""
    catch_up(batch.connection, _read(), sorted(rows))
    claimed: list[Claimed] = claim(batch.connection, sorted(rows), uuid4(), at_most=1_000_000)
    for one in standings(batch.connection, claimed):
        row = rows[one.claimed.workspace_id]
        _count(batch, row, one.claimed.key[1:], one.reason, one.flaw)
        batch.show(
            row,
            {
                "kind": one.claimed.kind,
                "user_id": one.claimed.user_id,
                "recipient": one.address,
                "not_sent": one.reason,
            },
        )


def _count(batch: Batch, row: Any, message: tuple[str, str], reason: str | None, reply: str | None) -> None:
    user_id, notification_id = message
    counter = _COUNTERS[reason]
    outcome = batch.outcomes[row.workspace_id]
    # What waited is over by now, and was due.
    outcome.due = max(outcome.due, 1)
    if reason not in _TOLD:
        batch.count(row, counter)
        return
    batch.error(
        row,
        entity="notification",
        entity_id=notification_id,
        error=reason,
        message=f'notification "{notification_id}" of user "{user_id}": {_TOLD[reason].format(reply or "none")}',
        counter=counter,
    )


@cache
def _read() -> list[Projection]:
    """What the check right before sending reads."""
    return in_order(
        projections.registry(),
        ["definitions", "notification_feed", "timesheet_statements", "absences", "approvals_inbox"],
    )
