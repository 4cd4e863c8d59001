"""Real programs kept running and ended: also what stays of them where nobody reaps, and with nowhere to write to."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from batch_jobs.orchestration.supervision import Service, Supervisor
from batch_jobs_tests.deadline import until

# A child of the service leaves its group, and has itself a child in it that is dead and never reaped.
LEAVES_A_ZOMBIE = """
import os, sys, time
read, write = os.pipe()
if not (parent := os.fork()):
    if not os.fork():
        os._exit(0)
    os.setsid()
    os.closerange(0, 3)
    os.write(write, b"x")
    time.sleep(600)
os.read(read, 1)
open(sys.argv[1] + "-part", "w").write(str(parent))
os.rename(sys.argv[1] + "-part", sys.argv[1])
time.sleep(600)
"""
# More than a pipe holds.
SAYS_MUCH = """
import pathlib, sys
for number in range(300):
    print(number, 1_000 * "-")
pathlib.Path(sys.argv[1]).touch()
"""


def supervisor_of(folder: Path, *command: str, show: Callable[[str, str], None] = lambda *_: None) -> Supervisor:
    service = Service("one", [sys.executable, "-c", *command])
    return Supervisor([service], environment=os.environ, folder=folder, logs=folder / "logs", show=show)


def test_what_is_dead_and_not_reaped_is_not_waited_for(tmp_path: Path) -> None:
    told = tmp_path / "parent"
    supervisor = supervisor_of(tmp_path, LEAVES_A_ZOMBIE, str(told))
    deadline = time.monotonic() + 60

    def is_late() -> bool:
        assert time.monotonic() < deadline
        return False

    supervisor.look()
    until(told.exists)
    parent = psutil.Process(int(told.read_text()))
    try:
        (zombie,) = parent.children()
        until(lambda: zombie.status() == psutil.STATUS_ZOMBIE)
        group = os.getpgid(zombie.pid)
        assert group != os.getpgid(parent.pid)
        supervisor.stop(grace=30, hurry=is_late)
        os.killpg(group, 0)  # There it is still.
    finally:
        parent.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("full", ["terminal", "log"])
def test_a_program_goes_on_when_what_it_says_can_not_be_kept(tmp_path: Path, full: str) -> None:
    log = tmp_path / "logs" / "one.log"
    log.parent.mkdir()
    if full == "log":
        log.symlink_to("/dev/full")
    shown = Path("/dev/full") if full == "terminal" else tmp_path / "shown"
    with shown.open("w", buffering=1) as terminal:
        supervisor = supervisor_of(
            tmp_path, SAYS_MUCH, str(tmp_path / "done"), show=lambda _, line: print(line, file=terminal)
        )
        supervisor.look()
        until((tmp_path / "done").exists)
        supervisor.stop(grace=30)
        kept = (log if full == "terminal" else shown).read_text().splitlines()
        assert [line.split()[0] for line in kept] == [str(number) for number in range(300)]
        with suppress(OSError):
            terminal.close()
