"""How long it still takes, in words."""

import pytest

from batch_jobs.engine.time_left import time_left


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, 10, 30, None),
        (10, 10, 30, None),
        (1, 10, 0.2, None),
        (5, 10, 30, "about 30 s left"),
        (999, 1000, 2, "about 1 s left"),
        (100, 1000, 20, "about 3 min left"),
        (1, 100, 100, "about 2.8 h left"),
    ],
)
def test_it_goes_by_what_was_done(done: int, total: int, seconds: float, said: str | None) -> None:
    assert time_left(done, total, seconds) == said
