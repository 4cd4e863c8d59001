"""What `up` mends while it runs: a database that died, a code server without its code, a clock that was put back."""

import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.monitoring.run_monitoring import monitor_starting_run
from dagster._grpc.client import DagsterGrpcClient

from batch_jobs.orchestration.caretaking import PATIENCE_LOOKS, Caretaker
from batch_jobs.orchestration.clock_changes import forget_in
from batch_jobs.orchestration.services import orchestrator_services
from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.installation import Installation

SLOW = 120


def test_the_embedded_database_is_started_again() -> None:
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-care-"))
    settings = Settings(home=home)
    server = EmbeddedServer(settings)
    try:
        server.ensure_running()
        said: list[str] = []
        caretaker = Caretaker(settings, [], restart_daemon=lambda: None, tell=said.append)
        caretaker._keep_database()
        assert said == []
        os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        until(lambda: not server.is_running())
        caretaker._keep_database()
        assert server.is_running()
        assert said == ["the database had ended and was started again"]
    finally:
        server.stop()
        shutil.rmtree(home)


def test_a_code_server_that_lost_its_code_loads_it_anew(installation: Installation) -> None:
    # Short, as the path of a socket has to be.
    folder = Path(tempfile.mkdtemp(prefix="batch-jobs-care-"))
    code = orchestrator_services(folder, host="127.0.0.1", port=0)[0]
    (socket,) = orchestrator_services(folder, host="127.0.0.1", port=0)[1].needs
    server = subprocess.Popen(code.command, cwd=PROJECT_FOLDER, env=installation.variables, start_new_session=True)
    said: list[str] = []
    caretaker = Caretaker(installation.settings, [socket], restart_daemon=lambda: None, tell=said.append)

    def answers() -> bool:
        try:
            return bool(DagsterGrpcClient(socket=str(socket)).ping("")["echo"] == "")
        except Exception:
            return False

    try:
        until(answers, SLOW)
        caretaker._keep_code(socket)
        for inner in psutil.Process(server.pid).children():
            inner.kill()
        until(lambda: not answers(), SLOW)
        for _ in range(PATIENCE_LOOKS):
            caretaker._keep_code(socket)
        assert said == ["the code server has lost its code and loads it anew"]
        until(answers, SLOW)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        shutil.rmtree(folder)


def test_what_is_noted_of_a_time_to_come_is_forgotten(instance: DagsterInstance) -> None:
    now, tomorrow = time.time(), time.time() + 86_400
    schedule = _state("a", InstigatorType.SCHEDULE, ScheduleInstigatorData("* * * * *", now - 60, tomorrow))
    sensor = _state("b", InstigatorType.SENSOR, SensorInstigatorData(tomorrow, min_interval=30, cursor="kept"))
    steady = _state("c", InstigatorType.SENSOR, SensorInstigatorData(now - 30, min_interval=30))
    for state in (schedule, sensor, steady):
        instance.add_instigator_state(state)
        for instant in (now - 60, tomorrow):
            instance.create_tick(
                TickData(
                    state.instigator_origin_id,
                    state.instigator_name,
                    state.instigator_type,
                    TickStatus.SKIPPED,
                    instant,
                    selector_id=state.selector_id,
                )
            )
    assert forget_in(instance, now) == 2
    for state in (schedule, sensor, steady):
        (tick,) = instance.get_ticks(state.instigator_origin_id, state.selector_id)
        assert tick.timestamp == now - 60
    found = {state.instigator_name: state.instigator_data for state in instance.all_instigator_state()}
    assert found["a"] == ScheduleInstigatorData("* * * * *", now - 60, now)
    assert found["b"] == SensorInstigatorData(now, min_interval=30, cursor="kept")
    assert found["c"] == steady.instigator_data
    assert forget_in(instance, now) == 0


def test_runs_that_were_to_begin_in_time_to_come_are_given_up_in_time(installation: Installation) -> None:
    with installation.instance() as instance:
        created, starting = (instance.add_run(DagsterRun(job_name=name)) for name in ("created", "starting"))
        instance.report_dagster_event(
            DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, "starting"), starting.run_id
        )
        # They were made now, so the clock is put back by a day behind them.
        yesterday = time.time() - 86_400
        forget_in(instance, yesterday)
        assert instance.get_run_stats(starting.run_id).launch_time == pytest.approx(yesterday, abs=1)
        record = instance.get_run_record_by_id(created.run_id)
        assert record
        assert record.create_timestamp.timestamp() == pytest.approx(yesterday, abs=1)
        # A day is longer than Dagster's monitor waits for a start.
        logger = logging.getLogger("test")
        for run_id in (created.run_id, starting.run_id):
            record = instance.get_run_record_by_id(run_id)
            assert record
            monitor_starting_run(instance, record, logger)
            ended = instance.get_run_by_id(run_id)
            assert ended
            assert ended.status == DagsterRunStatus.FAILURE


def test_the_daemon_is_started_anew_when_the_clock_was_put_back_and_only_then(installation: Installation) -> None:
    ahead, restarts = [0.0], []
    caretaker = Caretaker(
        installation.settings,
        [],
        restart_daemon=lambda: restarts.append(ahead[0]),
        tell=lambda _: None,
        wall_clock=lambda: time.time() + ahead[0],
    )
    for ahead[0] in (0.0, 3_600.0, 3_601.0, 0.0, 0.0):
        caretaker._follow_clock()
    assert restarts == [0.0]


def _state(name: str, kind: InstigatorType, data: ScheduleInstigatorData | SensorInstigatorData) -> InstigatorState:
    location = GrpcServerCodeLocationOrigin(host="localhost", socket="nowhere", location_name="batch_jobs")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "repository"), name)
    return InstigatorState(origin, kind, InstigatorStatus.RUNNING, data)
