"""Dagster's daemon, the same in everything but that it does not wait as long between its looks.

Argument: the workspace file. What it looks for follows the clock, which is moved; its own waits follow the real one.
"""

import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

from dagster import DagsterInstance
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon import controller
from dagster._daemon.daemon import DagsterDaemon
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

LONGEST_WAIT = 0.3


class _HastyEvent(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(LONGEST_WAIT if timeout is None else min(timeout, LONGEST_WAIT))


def _daemons(instance: DagsterInstance) -> Iterator[DagsterDaemon]:
    for daemon in controller.create_daemons_from_instance(instance):
        if isinstance(daemon, QueuedRunCoordinatorDaemon):
            daemon.interval_seconds = LONGEST_WAIT
        yield daemon


def main() -> None:
    """Run until killed."""
    controller.threading = SimpleNamespace(Event=_HastyEvent, Thread=threading.Thread)  # type: ignore[attr-defined]
    with (
        DagsterInstance.get() as instance,
        controller.daemon_controller_from_instance(
            instance, WorkspaceFileTarget([sys.argv[1]]), gen_daemons=_daemons, log_format="json"
        ) as running,
    ):
        running.check_daemon_loop()


if __name__ == "__main__":
    main()
