"""When people are told of a cause, and when of its end: as seldom as that can be done. Pure.

- Trouble that has lasted for `after` is told once: `opened`. What is mended before, by a new attempt or by somebody who
  looks, is never told.
- While it lasts, it is told again when it has `grown` to twice of what was told, once an hour at the most, and as a
  `reminder` once in a while.
- Once it has not been seen for `after`, one last message tells that it is over: `closed`. What comes back sooner was
  never over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

Step: TypeAlias = Literal["kept", "opened", "grown", "reminder", "closed", "forgotten"]
"""What becomes of a cause: nothing new, one of four messages, or never told and over."""

GROWN_BY = 5
GROWN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How quiet it is to be.

    Attributes:
        after: how long trouble has to last, and to be over.
        reminder: how long after the last message there is another one; None for never.
    """

    after: timedelta
    reminder: timedelta | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a cause.

    Attributes:
        begun: since when it lasts.
        last_seen: when it was seen last.
        told_at: when it was told last; None for not yet.
        told: how much there was of it then.
    """

    begun: datetime
    last_seen: datetime
    told_at: datetime | None = None
    told: int = 0


def next_step(known: Known, size: int, *, now: datetime, wishes: Wishes) -> Step:
    """What becomes of a cause.

    Args:
        known: what is known of it.
        size: how much there is of it now; 0 for nothing.
        now: the instant.
        wishes: how quiet it is to be.
    """
    if not size:
        if now - known.last_seen < wishes.after:
            return "kept"
        return "forgotten" if known.told_at is None else "closed"
    if known.told_at is None:
        return "opened" if now - known.begun >= wishes.after else "kept"
    silent = now - known.told_at
    if size >= max(2 * known.told, known.told + GROWN_BY) and silent >= GROWN_AFTER:
        return "grown"
    return "reminder" if wishes.reminder is not None and silent >= wishes.reminder else "kept"
