"""A run's log tells how far it is every few seconds, what it waits for at once, and failures without a flood."""

import logging
from dataclasses import replace

import pytest

from batch_jobs.engine.progress import Progress
from batch_jobs.orchestration.progress_log import EVERY_SECONDS, ProgressLog

HALF = Progress("rebuild_search_indexes", 1, 2, 300_000, 900_000, "events")


class Seconds:
    """A clock that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_how_far_it_is_is_told_every_few_seconds_with_the_time_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seconds = Seconds()
    log = ProgressLog(logging.getLogger("of_tests"), seconds)
    log.progress(HALF)
    assert said(caplog) == []
    seconds.now = EVERY_SECONDS
    log.progress(HALF)
    log.progress(HALF)
    told = "rebuild_search_indexes: 1 of 2 workspaces, 300,000 of 900,000 events, about 10 s left"
    assert said(caplog) == [told]
    seconds.now += EVERY_SECONDS
    log.progress(replace(HALF, workspaces_done=2, rows_done=900_000))
    assert said(caplog) == ["rebuild_search_indexes: 2 of 2 workspaces, 900,000 of 900,000 events"]


def test_what_it_waits_for_is_told_once_and_when_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = ProgressLog(logging.getLogger("of_tests"), Seconds())
    waiting = replace(HALF, trouble="a replica is 31 s behind")
    for progress in (waiting, waiting, HALF, HALF):
        log.progress(progress)
    assert said(caplog) == [
        "rebuild_search_indexes pauses, as the database is in trouble: a replica is 31 s behind",
        "rebuild_search_indexes goes on",
    ]
