"""Which faults happen to a night, and when: from a seed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from batch_jobs_tests.faults.injections import INJECTIONS, Impossible
from batch_jobs_tests.faults.looks import State
from batch_jobs_tests.faults.night import Injected, Night

LONGEST_DELAY = 3.0
# A fault that finds nothing to happen to within so many seconds is left out.
PATIENCE = 60.0
# The last ones come while there is still something to do.
LAST = 0.85


@dataclass
class _Planned:
    kind: str
    after_runs: int
    delay: float
    reached_at: float | None = None


class Plan:
    """Makes the faults of a seed happen.

    Args:
        night: to which.
        seed: of all chance.
        kinds: what is to happen, one each.
        runs: job runs that the night has undisturbed.
    """

    def __init__(self, night: Night, *, seed: int, kinds: Sequence[str], runs: int) -> None:
        self._night = night
        self._chance = Random(seed)
        self._coming = [
            _Planned(kind, self._chance.randint(1, max(1, round(runs * LAST))), self._chance.uniform(0, LONGEST_DELAY))
            for kind in kinds
        ]
        self._before: int | None = None
        self._left_out: dict[str, str] = {}

    @property
    def left_out(self) -> dict[str, str]:
        """The kinds that have not happened, and why."""
        late = {one.kind: f"the night has ended before job run {one.after_runs} of it" for one in self._coming}
        return {**self._left_out, **late}

    def __call__(self, state: State) -> bool:
        """Look whether it is time for the next. Returns whether more are to come."""
        now = time.monotonic()
        if self._before is None:
            self._before = state.ended
        for one in list(self._coming):
            if one.reached_at is None and state.ended - self._before >= one.after_runs:
                one.reached_at = now
            if one.reached_at is None or now < one.reached_at + one.delay:
                continue
            at = self._night.place.clock.lived()
            try:
                what = INJECTIONS[one.kind](self._night, self._chance)
            except Impossible as reason:
                self._left_out[one.kind] = str(reason)
                self._coming.remove(one)
                continue
            if what is not None:
                self._night.injected.append(Injected(one.kind, what, at, state.active, state.done))
                self._coming.remove(one)
            elif now > one.reached_at + one.delay + PATIENCE:
                self._left_out[one.kind] = f"found nothing to happen to within {PATIENCE:.0f} s"
                self._coming.remove(one)
        return any(one.reached_at is not None for one in self._coming)
