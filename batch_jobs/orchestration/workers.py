"""Which process works on a Dagster run, and whether it still lives."""

import os
import socket
from typing import Any

from dagster import DagsterInstance, DagsterRun, DefaultRunLauncher
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

WORKER_TAG = "batch_jobs/worker"


def sign_run(instance: DagsterInstance, run_id: str) -> None:
    """Tag a run with the process that works on it: host, process id, and when that process began."""
    import psutil

    signature = f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"
    instance.add_run_tags(run_id, {WORKER_TAG: signature})


def is_gone(signature: str) -> bool:
    """Whether the process of this signature ended. One on another host can not be seen and counts as alive."""
    import psutil

    host, process_id, began = signature.rsplit(":", 2)
    if host != socket.gethostname():
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
        signature = run.tags.get(WORKER_TAG)
        if signature is None or not is_gone(signature):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"worker lost: the process {signature} is gone")
