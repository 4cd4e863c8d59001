"""What the sensors do at one tick."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dagster import (
    AddDynamicPartitionsRequest,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    SensorDefinition,
    build_sensor_context,
)
from dagster._core.definitions.sensor_definition import SensorExecutionData

from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import open_engine
from batch_jobs.jobs.sync_projections import SyncProjections
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import job_partitions, sync_workspaces
from batch_jobs.orchestration.sensors import (
    announcements_sensor,
    lost_workers_sensor,
    outside_runs_sensor,
    workspace_partitions_sensor,
)
from batch_jobs.settings import Announcing
from batch_jobs_tests.announcing.webhooks import webhook
from batch_jobs_tests.builders import employee, of
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.installation import FAULTY, JOB, WORKSPACES, Installation, weeks_ago

SYNC = SyncProjections.name

# A worker that is killed in the middle of its work.
WORK = """
import time
from batch_jobs.installation import open_engine
from batch_jobs.engine.workers import at_work
with open_engine() as engine, at_work(engine.database, lost_after=2) as worker:
    with engine.database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, status, trigger, actor, dry_run,"
            " partial, worker_id) VALUES ('lost', 'w-1', '2026-01-01', 1, 'started', 'manual', 'x', false, false, %s)",
            [worker.worker_id],
        )
    print("at work", flush=True)
    time.sleep(600)
"""


def tick(sensor: SensorDefinition, instance: DagsterInstance, cursor: str | None = None) -> SensorExecutionData:
    with open_engine() as engine:
        return sensor.evaluate_tick(build_sensor_context(instance, cursor, resources={"engine": engine}))


def test_partitions_are_made_equal_in_one_request_each(installation: Installation) -> None:
    with installation.instance() as instance:
        sync_workspaces(instance, ["w-1", "w-gone-1", "w-gone-2"])
        found = tick(workspace_partitions_sensor(), instance)
        sync_workspaces(instance, WORKSPACES)
        again = tick(workspace_partitions_sensor(), instance)
    assert found.dynamic_partitions_requests == [
        AddDynamicPartitionsRequest("workspaces", [name for name in WORKSPACES if name != "w-1"]),
        DeleteDynamicPartitionsRequest("workspaces", ["w-gone-1", "w-gone-2"]),
    ]
    assert found.skip_message == "5 workspaces; 4 added, 2 removed"
    assert not again.dynamic_partitions_requests
    assert again.skip_message == "5 workspaces; 0 added, 0 removed"


def test_a_continuous_job_is_asked_for_as_often_as_it_is_due_and_not_while_it_is_under_way(
    installation: Installation,
) -> None:
    definitions = build_definitions(settings=installation.settings)

    def asked(instance: DagsterInstance) -> SensorExecutionData:
        with open_engine() as engine:
            context = build_sensor_context(instance, repository_def=repository, resources={"engine": engine})
            return sensor.evaluate_tick(context)

    with installation.instance() as instance:
        repository = definitions.get_repository_def()
        sensor = repository.get_sensor_def(f"{SYNC}_sensor")
        assert sensor.default_status == DefaultSensorStatus.RUNNING
        sync_workspaces(instance, WORKSPACES)
        with open_engine() as engine:
            engine.catch_up()
        assert asked(instance).skip_message.startswith("0 due, 0 waiting, 5 skipped")
        for name in ("First", "Second"):
            installation.record(*of("w-2", employee("e-1", name=name)), *of("w-4", employee("e-1", name=name)))
            (request,) = asked(instance).run_requests
            assert request.run_key is None
            assert request.tags["dagster/asset_partition_range_start"].endswith("|w-2")
            assert request.tags["dagster/asset_partition_range_end"].endswith("|w-4")
            tags = {**request.tags, "dagster/sensor_name": sensor.name}
            waiting = instance.create_run_for_job(
                definitions.resolve_job_def(SYNC), tags=tags, status=DagsterRunStatus.STARTED
            )
            assert "2 asked for already" in asked(instance).skip_message
            instance.delete_run(waiting.run_id)
            assert definitions.resolve_job_def(SYNC).execute_in_process(instance=instance, tags=tags).success
            assert asked(instance).skip_message.startswith("0 due")
    ended = installation.select(
        "SELECT workspace_id, status, trigger, actor FROM batch_jobs.job_runs WHERE job = %s ORDER BY attempt, 1", SYNC
    )
    by_sensor = ("completed", "sensor", f"sensor:{SYNC}_sensor")
    assert ended == [("w-2", *by_sensor), ("w-4", *by_sensor)] * 2


def test_outside_runs_are_recorded_once(installation: Installation) -> None:
    day = weeks_ago(0)
    sensor = outside_runs_sensor(job_partitions(today=weeks_ago(-1), days_back=62))
    with installation.instance() as instance:
        with open_engine(installation.settings) as engine:
            targets = [("w-1", day), (FAULTY, day), ("w-2", weeks_ago(50))]
            engine.run(RunRequest(job=JOB, targets=targets, actor="user:anna"))
        # They are read once they are settled, five seconds after their end.
        ticks: list[SensorExecutionData] = []

        def all_read() -> bool:
            ticks.append(tick(sensor, instance, ticks[-1].cursor if ticks else None))
            return sum(int((done.skip_message or "").split()[0]) for done in ticks) == 2

        until(all_read, 60)
        assert tick(sensor, instance, ticks[-1].cursor).skip_message == "0 job runs recorded, 0 without a partition"
        # As it is after the clock was put back by a day.
        _, job_run_id = json.loads(ticks[-1].cursor or "")
        to_come = json.dumps([str(datetime.now(UTC) + timedelta(days=1)), job_run_id])
        assert int((tick(sensor, instance, to_come).skip_message or "").split()[0]) >= 2
    assert installation.cells(day) == {"w-1": "MATERIALIZED"}
    assert installation.metadata(day, "w-1")["actor"].value == "user:anna"
    assert json.loads(ticks[-1].cursor or "")[1]


def test_job_runs_of_dead_workers_are_ended(installation: Installation) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK], env=installation.variables, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "at work\n"
        os.kill(worker.pid, signal.SIGKILL)
    with installation.instance() as instance:
        until(lambda: tick(lost_workers_sensor(), instance).skip_message == "1 job runs had lost their worker", 30)
        assert tick(lost_workers_sensor(), instance).skip_message == "0 job runs had lost their worker"


def test_trouble_is_told_by_the_sensor_once(installation: Installation) -> None:
    with open_engine() as engine, engine.database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, status, trigger, actor, message, "
            "ended_at, dry_run, partial) SELECT 'accrual_forecast', workspace_id, current_date, 99, 'failed', "
            "'schedule', 'x', 'no light', now() - interval '1 hour', false, false FROM batch_jobs.workspaces"
        )
    nobody = announcements_sensor(installation.settings)
    with webhook() as hook, installation.instance() as instance:
        assert "nobody is told" in (tick(nobody, instance).skip_message or "")
        told = replace(installation.settings, announcing=Announcing(webhook_url=hook.url, about=("failed",)))
        hook.answer = lambda number: 503 if number == 1 else 200
        first = tick(announcements_sensor(told), instance)
        assert (first.skip_message or "").endswith("; 0 messages sent; 1 not taken, and tried again later")
        with open_engine() as engine, engine.database.owner() as connection:
            connection.execute("UPDATE batch_jobs.announcements SET next_attempt_at = now()")
        messages = [tick(announcements_sensor(told), instance).skip_message or "" for _ in range(2)]
    assert [message.split("; ")[1] for message in messages] == ["1 messages sent", "0 messages sent"]
    assert hook.received[0] == hook.received[1]
    assert hook.received[0]["title"] == "accrual_forecast failed in 5 workspaces"
    with open_engine() as engine, engine.database.owner() as connection:
        connection.execute("DELETE FROM batch_jobs.job_runs WHERE attempt = 99")
