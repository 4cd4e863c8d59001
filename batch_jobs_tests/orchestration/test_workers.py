"""A run whose process is gone is noticed; all others are left alone."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from batch_jobs.orchestration.workers import WORKER_TAG, WatchedRunLauncher, is_gone, signature

SIGN = "from batch_jobs.orchestration.workers import signature; print(signature('run-1'), flush=True); input()"


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", SIGN], stdin=-1, stdout=-1, text=True) as started:
        yield started
        started.kill()


def test_a_process_is_gone_once_it_was_killed(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    signed = process.stdout.readline().strip()
    assert not is_gone(signed, "run-1")
    process.kill()
    process.wait()
    assert is_gone(signed, "run-1")


def test_another_process_with_the_same_number_is_not_the_worker() -> None:
    run_id, host, process_id, began = signature("run-1").split(":")
    assert is_gone(f"{run_id}:{host}:{process_id}:{float(began) - 60}", "run-1")


def test_what_can_not_be_seen_counts_as_alive() -> None:
    _, _, _, began = signature("run-1").split(":")
    assert not is_gone(f"run-1:elsewhere:1:{began}", "run-1")


def test_tags_copied_from_an_earlier_run_say_nothing(instance: DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    dead = f"{signature('run-1').rsplit(':', 1)[0]}:0.0"
    checked = {
        run_id: launcher.check_run_worker_health(
            DagsterRun("job", run_id, status=DagsterRunStatus.STARTED, tags={WORKER_TAG: dead})
        ).status
        for run_id in ("run-1", "run-2")
    }
    assert checked == {"run-1": WorkerStatus.FAILED, "run-2": WorkerStatus.RUNNING}


def test_run_monitoring_ends_a_run_whose_process_is_gone(instance: DagsterInstance) -> None:
    run = instance.add_run(DagsterRun("job", status=DagsterRunStatus.STARTED))
    instance.add_run_tags(run.run_id, {WORKER_TAG: f"{signature(run.run_id).rsplit(':', 1)[0]}:0.0"})
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    monitor_started_run(instance, None, record, logging.getLogger("monitoring"))  # type: ignore[arg-type]
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status == DagsterRunStatus.FAILURE
