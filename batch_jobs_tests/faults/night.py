"""One night from its first tick to the end of its last retry: time passes as fast as the processes keep up."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import psutil

from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs_tests.faults import processes
from batch_jobs_tests.faults.importing import Importer
from batch_jobs_tests.faults.looks import Key, Looks, State
from batch_jobs_tests.faults.operators import Operator, start
from batch_jobs_tests.faults.place import Place

LOOK_SECONDS = 0.25
# What passes at once where nothing is under way: less than the shortest interval between looks of schedules.
STEP = timedelta(seconds=40)
# A sensor looks in each step; so much longer the schedules get, and so long a daemon that does not look at all.
SETTLE_SECONDS = 0.7
SILENT_SECONDS = 30.0
# Where something seems to be under way but no process works on it, time passes too: it is to be noticed as lost.
STUCK_SECONDS = 3.0
STUCK_STEP = timedelta(seconds=15)
# No night takes longer than so many seconds of its own time, or of ours.
LONGEST_NIGHT = 3 * 3600.0
LONGEST_WAIT = 1_800.0
QUIET_LOOKS = 2
# The services that do not end by themselves are killed after so many seconds.
END_SECONDS = 60.0
# A command may fail by a fault that happened so many seconds before it, or since.
DISTURBED_SECONDS = 60.0


@dataclass
class Injected:
    """A fault that happened.

    Attributes:
        kind: its name.
        what: to what it happened, in words.
        at: second of the night.
        hit: the job runs that were under way.
        done: what was done before.
        taken_over: seconds of the night until all that was hit, or else the next job run, was done.
    """

    kind: str
    what: str
    at: float
    hit: set[Key] = field(default_factory=set)
    done: set[Key] = field(default_factory=set)
    taken_over: float | None = None


class Night:
    """A night of an installation; a context in which its services are up.

    Args:
        place: the installation.
        files: what is imported meanwhile.
    """

    def __init__(self, place: Place, files: Sequence[Path]) -> None:
        self.place = place
        self.looks = Looks(place)
        self.injected: list[Injected] = []
        self.operators: list[Operator] = []
        self.complaints: list[str] = []
        self.left_out: set[str] = set()
        self.asides: list[threading.Thread] = []
        self._files = files
        self._log = (place.folder / "up.log").open("w")

    def __enter__(self) -> "Night":
        sockets = self.place.folder / "sockets"
        sockets.mkdir()
        self._up = subprocess.Popen(
            [sys.executable, "-m", "batch_jobs_tests.faults.up_process", str(sockets)],
            cwd=PROJECT_FOLDER,
            env=self.place.variables,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.importer = Importer(self.place, self._files)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.importer.stop()
        self.looks.close()
        self._end_services()
        for operator in self.operators:
            self._hear(operator)
        self.complaints += self.importer.complaints
        self._log.close()

    @property
    def up(self) -> int:
        """The process id of the supervisor."""
        return self._up.pid

    def operate(self, *arguments: str) -> None:
        """Let an operator give a command, as part of the fault that happens now."""
        self.operators.append(start(self.place, arguments, len(self.injected)))

    def go(self, inject: Callable[[State], bool]) -> None:
        """Let it pass.

        Args:
            inject: called at each look with how the night stands; makes faults happen, and tells whether there are
                more to come.

        Raises:
            AssertionError: it does not come to its end.
        """
        began = quiet_since = time.monotonic()
        quiet_looks, more, seen, standing = 0, True, 0, None
        while quiet_looks < QUIET_LOOKS:
            assert self._up.poll() is None, "the services have given up:\n" + self.last_words()
            in_time = self.place.clock.lived() < LONGEST_NIGHT and time.monotonic() - began < LONGEST_WAIT
            assert in_time, f"the night does not end: {(self.looks.open_work() or [])[:10]}"
            time.sleep(LOOK_SECONDS)
            for operator in [one for one in self.operators if one.has_ended]:
                self._hear(operator)
                self.operators.remove(operator)
            state = self.looks.state()
            if state is None:
                quiet_since = time.monotonic()
                continue
            self._note_take_overs(state)
            self.asides = [aside for aside in self.asides if aside.is_alive()]
            more = inject(state) or bool(self.asides)
            if processes.runs(self.up) or self.operators or self.asides:
                quiet_looks = 0
                quiet_since = time.monotonic()
            if state != standing:
                standing, quiet_since = state, time.monotonic()
            quiet = time.monotonic() - quiet_since
            is_idle = not (state.unfinished or state.ticks)
            if state.newest_tick == seen and quiet < SILENT_SECONDS:
                continue
            if quiet >= (SETTLE_SECONDS if is_idle else STUCK_SECONDS):
                quiet_looks = quiet_looks + 1 if is_idle and not more and self._is_over(state) else 0
                self.place.clock.pass_over(STEP if is_idle else STUCK_STEP)
                quiet_since, seen = time.monotonic(), state.newest_tick

    def last_words(self, count: int = 40) -> str:
        """The end of what the services said."""
        return "\n".join((self.place.folder / "up.log").read_text().splitlines()[-count:])

    def _is_over(self, state: State) -> bool:
        return not state.active and not state.waiting and self.importer.is_done and self.looks.open_work() == []

    def _hear(self, operator: Operator) -> None:
        others = [fault for number, fault in enumerate(self.injected) if number != operator.fault]
        disturbed = any(fault.at > operator.began - DISTURBED_SECONDS for fault in others)
        if complaint := operator.complaint(disturbed=disturbed):
            self.complaints.append(complaint)

    def _end_services(self) -> None:
        assert self._up.stdin
        # When it has ended already, there is nobody to read the end of its input.
        with contextlib.suppress(BrokenPipeError):
            self._up.stdin.close()
        try:
            self._up.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"the services did not end within {END_SECONDS:.0f} s:\n{self.last_words()}")
            for process in [*psutil.Process(self.up).children(recursive=True), self._up]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._up.wait()

    def _note_take_overs(self, state: State) -> None:
        for fault in self.injected:
            if fault.taken_over is None and fault.hit <= state.done and state.done - fault.done:
                fault.taken_over = self.place.clock.lived() - fault.at
