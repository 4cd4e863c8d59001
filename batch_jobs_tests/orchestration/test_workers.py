"""A run whose process is gone is noticed; all others are left alone."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from dagster._daemon.monitoring.run_monitoring import monitor_started_run
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from batch_jobs.orchestration.workers import WORKER_TAG, WatchedRunLauncher, is_gone, signature

SIGN = "from batch_jobs.orchestration.workers import signature; print(signature('run-1'), flush=True); input()"

START = """
from dagster import DagsterInstance, job, op, resource
from batch_jobs.settings import read_settings

@resource
def waiting(context):
    print(context.run_id, flush=True)
    input()

@op(required_resource_keys={"waiting"})
def work():
    pass

@job(resource_defs={"waiting": waiting})
def working():
    work()

with DagsterInstance.from_config(str(read_settings().dagster_home)) as instance:
    working.execute_in_process(instance=instance)
"""


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


def test_run_monitoring_ends_a_run_whose_process_went_before_its_first_step(instance: DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", START], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout
        run_id = process.stdout.readline().strip()
        assert monitored(instance, run_id) == DagsterRunStatus.STARTED
        process.kill()
    assert monitored(instance, run_id) == DagsterRunStatus.FAILURE


def test_a_run_that_can_not_be_signed_has_not_started(instance: DagsterInstance) -> None:
    run = instance.add_run(DagsterRun("job", status=DagsterRunStatus.STARTING))
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(text("ALTER TABLE run_tags ADD CHECK (key NOT LIKE '%worker')"))
    with pytest.raises(IntegrityError):
        instance.report_dagster_event(
            DagsterEvent(DagsterEventType.PIPELINE_START.value, "job"), run_id=run.run_id, log_level=logging.INFO
        )
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == DagsterRunStatus.STARTING


def monitored(instance: DagsterInstance, run_id: str) -> DagsterRunStatus:
    """The status of a run that has started, after run monitoring has looked at it."""
    record = instance.get_run_record_by_id(run_id)
    assert record is not None
    monitor_started_run(instance, None, record, logging.getLogger("monitoring"))  # type: ignore[arg-type]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status
