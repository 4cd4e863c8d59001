"""People are told as seldom as it can be done, and never left with what is over."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.announcing.telling import GROWN_AFTER, Known, Step, Wishes, next_step
from batch_jobs_tests.engine.company import NOON

TEN, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
WISHES = Wishes(after=TEN, reminder=DAY)
NEW = Known(begun=NOON, last_seen=NOON)
TOLD = Known(begun=NOON - HOUR, last_seen=NOON, told_at=NOON, told=10)


@pytest.mark.parametrize(
    ("known", "size", "later", "step"),
    [
        (NEW, 1, timedelta(0), "kept"),
        (NEW, 1, TEN, "opened"),
        (NEW, 0, timedelta(minutes=9), "kept"),
        (NEW, 0, TEN, "forgotten"),
        (TOLD, 10, HOUR, "kept"),
        (TOLD, 19, HOUR, "kept"),
        (TOLD, 20, timedelta(minutes=59), "kept"),
        (TOLD, 20, HOUR, "grown"),
        # One that becomes two is no news.
        (replace(TOLD, told=1), 2, HOUR, "kept"),
        (replace(TOLD, told=1), 6, HOUR, "grown"),
        (TOLD, 3, DAY, "reminder"),
        (TOLD, 0, timedelta(minutes=9), "kept"),
        (TOLD, 0, TEN, "closed"),
        # A clock that was put back.
        (TOLD, 10, -DAY, "kept"),
        (TOLD, 0, -DAY, "kept"),
    ],
)
def test_examples(known: Known, size: int, later: timedelta, step: Step) -> None:
    assert next_step(known, size, now=NOON + later, wishes=WISHES) == step


def test_who_wants_no_reminder_gets_none() -> None:
    assert next_step(TOLD, 10, now=NOON + 30 * DAY, wishes=Wishes(after=TEN, reminder=None)) == "kept"


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 3_000)), max_size=60))
def test_every_history(looks: list[tuple[int, int]]) -> None:
    """Looks at a cause, each some minutes after the one before."""
    now, known, messages = NOON, None, []
    for minutes, size in looks:
        now += timedelta(minutes=minutes)
        if known is None:
            if not size:
                continue
            known = Known(now, now)
        step = next_step(known, size, now=now, wishes=WISHES)
        if step in ("closed", "forgotten"):
            assert not size
            known = None
        else:
            known = replace(known, last_seen=now if size else known.last_seen)
        if step not in ("kept", "forgotten"):
            messages.append((now, step, size))
            known = known and replace(known, told_at=now, told=size)
    kinds = [kind for _, kind, _ in messages]
    # Opened and closed in turn, the others in between only.
    assert [kind for kind in kinds if kind in ("opened", "closed")] == (["opened", "closed"] * len(kinds))[
        : sum(kind in ("opened", "closed") for kind in kinds)
    ]
    for (before, _, told), (at, kind, size) in pairwise(messages):
        if kind == "grown":
            assert at - before >= GROWN_AFTER
            assert size >= 2 * told
        if kind == "reminder":
            assert at - before >= DAY
        if kind == "opened":
            assert at - before >= TEN
    if kinds and kinds[-1] != "closed":
        assert known
        # Whatever was told ends with a closing message, once it is over.
        assert next_step(known, 0, now=now + TEN, wishes=WISHES) == "closed"
