"""One look: which trouble stands, what is to be told of it, and telling it.

What is to be told is noted with the look, in one transaction; then each message is sent and noted as sent in one of its
own, which holds its row. Whoever is killed in between loses nothing, and sends one message again at the most, with the
same id. Two who look at once share the work.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from batch_jobs.announcing import announcements
from batch_jobs.announcing.announcements import Judged, Open
from batch_jobs.announcing.cause import Cause, Seen, folded
from batch_jobs.announcing.channels import WEBHOOK, Send, channel_names, open_channels
from batch_jobs.announcing.telling import Wishes, next_step
from batch_jobs.announcing.troubles import mail_trouble, overdue_trouble, standing_troubles
from batch_jobs.announcing.words import announcement, closing
from batch_jobs.engine.engine import Engine
from batch_jobs.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent, or tried: `message` in JSON values, `reply` what was answered."""

    channel: str
    message: Mapping[str, Any]
    taken: bool
    reply: str


@dataclass(frozen=True, slots=True)
class _Look:
    """What stands; `unsure` of jobs whose causes are not over though they are not seen, None for all."""

    causes: list[Seen]
    unsure: frozenset[str] | None


def look(engine: Engine, settings: Settings) -> list[Judged]:
    """See which trouble stands, and note what is to be told of it to each channel that the settings name."""
    return _judge(engine, settings, channel_names(settings), keep=True)


def would_tell(engine: Engine, settings: Settings, channels: list[str]) -> list[Judged]:
    """What `look` would note for these channels. Changes nothing."""
    return _judge(engine, settings, channels, keep=False)


def tell(engine: Engine, settings: Settings) -> Iterator[Sent]:
    """Send what waits, the oldest first. Who does not take one gets no other this time, nor do other addresses."""
    now = engine.clock()
    with open_channels(settings, engine.clock) as channels:
        while channels and (sent := _send_one(engine, channels, now)) is not None:
            if not sent.taken:
                _log.warning("%s did not take announcement %s: %s", sent.channel, sent.message["id"], sent.reply)
                # All addresses are behind one mail server: where that is away it is waited for once at each look.
                for name in [name for name in channels if (name == WEBHOOK) == (sent.channel == WEBHOOK)]:
                    del channels[name]
            yield sent


def _judge(engine: Engine, settings: Settings, channels: list[str], *, keep: bool) -> list[Judged]:
    now, about = engine.clock(), settings.announcing.about
    found = _look(engine, now)
    with engine.database.owner() as connection, connection.transaction(force_rollback=not keep):
        announcements.begin(connection, now=now)
        wanted = [one for one in found.causes if one.cause.status in about]
        causes = folded(wanted, announcements.open_causes(connection))
        announcements.see(connection, channels, causes, now=now)
        of_cause = {one.cause: one for one in causes}
        judged = [
            _judged(one, of_cause.get(one.cause), settings, found, now)
            for one in announcements.open_ones(connection, channels, about)
        ]
        announcements.note(connection, judged, now=now)
    return judged


def _look(engine: Engine, now: datetime) -> _Look:
    with engine.database.reader() as connection:
        causes = standing_troubles(connection, engine.scheduled_jobs, now=now) + mail_trouble(connection, now=now)
    try:
        overdue = engine.overdue()
    except ZoneInfoNotFoundError as error:
        _log.warning("what is overdue can not be told while a time zone is not known: %s", error)
        return _Look(causes, None)
    return _Look(causes + overdue_trouble(overdue), frozenset(one.job for one in overdue))


def _judged(one: Open, seen: Seen | None, settings: Settings, found: _Look, now: datetime) -> Judged:
    if seen is None and _is_unsure(one.cause, found):
        return Judged(one, "kept", None, None)
    wishes = Wishes(
        timedelta(minutes=settings.announcing.after_minutes),
        timedelta(hours=settings.announcing.reminder_hours) if settings.announcing.reminder_hours else None,
    )
    step = next_step(one.known, seen.size if seen else 0, now=now, wishes=wishes)
    number = one.messages + 1
    message = None
    if step == "closed":
        message = closing(one.id, number, one.cause, since=one.since, most=one.most)
    elif seen and step != "kept":
        message = announcement(one.id, number, step, seen)
    return Judged(one, step, seen, message)


def _is_unsure(cause: Cause, found: _Look) -> bool:
    """A job that does not run shows nothing: that it is not seen to fail does not mean that it is mended."""
    return found.unsure is None or cause.job in found.unsure


def _send_one(engine: Engine, channels: Mapping[str, Send], now: datetime) -> Sent | None:
    with engine.database.owner() as connection:
        taken = announcements.take(connection, channels, now=now)
        if taken is None:
            return None
        was_taken, reply = channels[taken.channel](taken.message)
        announcements.settle(connection, taken, sent=was_taken, reply=reply, now=now)
    return Sent(taken.channel, taken.message, was_taken, reply)
