"""Which process works on a Dagster run, and whether it still lives."""

import os
import socket
from typing import Any

from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

# Under this prefix the web UI shows no tag to anybody.
WORKER_TAG = ".dagster/batch_jobs_worker"


def signature(run_id: str) -> str:
    """What this process signs a run with: the run, the host, the process and when that began."""
    import psutil

    return f"{run_id}:{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_gone(signed: str, run_id: str) -> bool:
    """Whether the process that signed a run has ended.

    One on another host can not be seen and counts as alive; so does that of a run whose tags were copied.
    """
    import psutil

    signed_run, host, process_id, began = signed.split(":")
    if signed_run != run_id or host != socket.gethostname():
        return False
    try:
        # The number may belong to another process by now.
        return abs(psutil.Process(int(process_id)).create_time() - float(began)) > 1
    except psutil.NoSuchProcess:
        return True


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, which in addition lets run monitoring see that the process of a run is gone."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        signed = run.tags.get(WORKER_TAG)
        if signed is None or not is_gone(signed, run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"worker lost: the process of {signed} is gone")
