"""Old history of the orchestrator is purged for the whole installation, and Dagster goes on as before."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dagster import (
    AssetMaterialization,
    DagsterInstance,
    DagsterRunStatus,
    build_schedule_context,
    build_sensor_context,
)
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus
from dagster._core.test_utils import create_run_for_test
from psycopg import errors

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import open_engine
from batch_jobs.jobs.purge_expired_data import PurgeExpiredData, Retention
from batch_jobs.orchestration.batch_events import report_runless_events
from batch_jobs.orchestration.build import build_definitions
from batch_jobs_tests.builders import event, import_all, of, workspace
from batch_jobs_tests.orchestration.installation import FAULTY, JOB, WORKSPACES, Installation

PURGE = PurgeExpiredData.name
TODAY = datetime.now(UTC).date()
NIGHT = datetime.now(UTC)
KEPT = [name for name in WORKSPACES if name != FAULTY]


@pytest.fixture
def engine(installation: Installation) -> Iterator[Engine]:
    with open_engine(installation.settings, clock=lambda: NIGHT) as opened:
        yield opened


def count(engine: Engine, table: str, condition: str = "true", *values: Any) -> int:
    with engine.database.owner() as connection:
        row = connection.execute(f"SELECT count(*) FROM dagster.{table} WHERE {condition}".encode(), values).fetchone()
    assert row
    return int(row[0])


def age(engine: Engine, days: int, *run_ids: str) -> None:
    """Make runs that long ago ended, as their rows tell it."""
    with engine.database.owner() as connection:
        connection.execute(
            "UPDATE dagster.runs SET update_timestamp = update_timestamp - make_interval(days => %s), "
            "create_timestamp = create_timestamp - make_interval(days => %s) WHERE run_id = ANY (%s)",
            [days, days, list(run_ids)],
        )
        connection.execute(
            "UPDATE dagster.event_logs SET timestamp = timestamp - make_interval(days => %s) WHERE run_id = ANY (%s)",
            [days, list(run_ids)],
        )


def carry_out(installation: Installation, instance: DagsterInstance, day: date, workspace_id: str) -> str:
    result = (
        build_definitions(settings=installation.settings)
        .resolve_job_def(JOB)
        .execute_in_process(instance=instance, partition_key=f"{day}|{workspace_id}")
    )
    assert result.success
    return result.run_id


def purge(engine: Engine, *workspaces: str, **parameters: Any) -> list[JobRun]:
    targets = [(name, TODAY) for name in workspaces]
    return engine.run(RunRequest(job=PURGE, targets=targets, parameters={"dry_run": False, **parameters}))


def orchestrator_deleted(runs: list[JobRun]) -> list[int]:
    assert {run.status for run in runs} == {"completed"}
    return [run.counters["orchestrator_deleted"] for run in runs]


def test_old_finished_runs_go_with_all_that_is_theirs(installation: Installation, engine: Engine) -> None:
    before, after = TODAY - timedelta(days=10), TODAY - timedelta(days=3)
    with installation.instance() as instance:
        old, new = (carry_out(installation, instance, day, "w-1") for day in (before, after))
        unfinished = create_run_for_test(instance, job_name=JOB, status=DagsterRunStatus.STARTED).run_id
        age(engine, 61, old, unfinished)
        assert count(engine, "run_tags", "run_id = %s", old) > 0
        assert [(item.workspace_id, item.rows) for item in engine.due([PURGE]).due] == [("w-1", 1)]

        dry = engine.run(RunRequest(job=PURGE, targets=[(name, TODAY) for name in KEPT]))
        assert orchestrator_deleted(dry) == [1, 0, 0, 0]
        assert [(row["table"], row["before"]) for row in dry[0].plan or ()] == [("dagster.*", {"rows": 1})]
        assert instance.get_run_by_id(old)
        assert orchestrator_deleted(purge(engine, *KEPT)) == [1, 0, 0, 0]
        assert engine.due([PURGE]).due == []

        assert not instance.get_run_by_id(old)
        for table in ("run_tags", "event_logs"):
            assert count(engine, table, "run_id = %s", old) == 0
        assert count(engine, "asset_event_tags", "event_id NOT IN (SELECT id FROM dagster.event_logs)") == 0
        assert {run.run_id for run in instance.get_runs()} == {new, unfinished}
        assert instance.get_records_for_run(new).records
        assert installation.cells(after)["w-1"] == "MATERIALIZED"
        assert int(installation.metadata(after, "w-1")["created"].value) >= 0  # type: ignore[arg-type]
        # And Dagster works on: for the partition whose history is gone, too.
        carry_out(installation, instance, before, "w-1")
        assert installation.cells(before)["w-1"] == "MATERIALIZED"


@pytest.mark.parametrize("scope", [["w-1"], []])
def test_a_worker_deletes_no_recent_history_whatever_it_asks_for(
    installation: Installation, engine: Engine, scope: list[str]
) -> None:
    """Within the function, as it knows no scope: the history is that of all workspaces."""
    (lowest,) = (bound.ge for bound in Retention.model_fields["orchestrator_days"].metadata if hasattr(bound, "ge"))
    with installation.instance() as instance:
        purge(engine, "w-1")
        days = (lowest + 1, lowest - 1, 0)
        runs = [create_run_for_test(instance, job_name=JOB, status=DagsterRunStatus.SUCCESS).run_id for _ in days]
        for run_id, ago in zip(runs, days, strict=True):
            age(engine, ago, run_id)
            moment = (NIGHT - timedelta(days=ago)).timestamp()
            instance.create_tick(
                TickData(f"o-{ago}", "s", InstigatorType.SCHEDULE, TickStatus.SKIPPED, moment, selector_id=run_id)
            )
        others = count(engine, "runs", "run_id <> ALL (%s)", runs)
        for before in ("now()", "'infinity'", "now() + interval '60 days'", "NULL"):
            with engine.database.worker(scope) as connection:
                connection.execute("SET LOCAL TIME ZONE 'Europe/Copenhagen'")
                connection.execute(f"SELECT batch_jobs.purge_orchestrator({before}, 1000000)".encode())
        assert [bool(instance.get_run_by_id(run_id)) for run_id in runs] == [False, True, True]
        assert [len(instance.get_ticks(f"o-{ago}", run_id)) for ago, run_id in zip(days, runs, strict=True)] == [
            0,
            1,
            1,
        ]
        assert count(engine, "runs", "run_id <> ALL (%s)", runs) == others
        with pytest.raises(errors.InsufficientPrivilege), engine.database.worker(scope) as connection:
            connection.execute("SELECT batch_jobs.delete_orchestrator_history(now(), 1000000)")


def test_old_ticks_and_events_without_a_run_go(installation: Installation, engine: Engine) -> None:
    with installation.instance() as instance:
        purge(engine, "w-1")
        for days in (90, 61, 59):
            moment = (NIGHT - timedelta(days=days)).timestamp()
            instance.create_tick(
                TickData("origin", "schedule", InstigatorType.SCHEDULE, TickStatus.SKIPPED, moment, selector_id="s")
            )
        report_runless_events(
            instance, [AssetMaterialization(["jobs", JOB], partition=f"{TODAY - timedelta(days=5)}|w-2")] * 2
        )
        with engine.database.owner() as connection:
            connection.execute(
                "UPDATE dagster.event_logs SET timestamp = timestamp - interval '61 days' "
                "WHERE id = (SELECT min(id) FROM dagster.event_logs WHERE run_id = '')"
            )
        assert orchestrator_deleted(purge(engine, "w-1")) == [3]
        assert count(engine, "event_logs", "run_id = ''") == 1
        assert len(instance.get_ticks("origin", "s")) == 1
        assert orchestrator_deleted(purge(engine, "w-1")) == [0]


def test_much_history_goes_piece_by_piece(
    installation: Installation, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installation.instance() as instance:
        old = [carry_out(installation, instance, TODAY - timedelta(days=20 + number), "w-2") for number in range(2)]
        age(engine, 70, *old)
        monkeypatch.setattr("batch_jobs.jobs.purge_expired_data.ORCHESTRATOR_ROWS_AT_MOST", 3)
        events = count(engine, "event_logs", "run_id = ANY (%s)", old)
        found = orchestrator_deleted(purge(engine, "w-1"))
        # Of a run only its first events have gone: it is still there.
        assert found == [0]
        assert count(engine, "event_logs", "run_id = ANY (%s)", old) == events - 3
        looks = 0
        while sum(found) < 2:
            found += orchestrator_deleted(purge(engine, "w-1"))
            looks += 1
        assert looks > 2
        assert not set(old) & {run.run_id for run in instance.get_runs()}


def test_a_deleted_workspace_is_a_partition_while_it_is_due_to_be_purged(
    installation: Installation, engine: Engine
) -> None:
    definitions = build_definitions(settings=installation.settings, clock=lambda: NIGHT)
    sensor = definitions.get_repository_def().get_sensor_def("workspace_partitions")
    for name, days in (("gone", 31), ("fresh", 29)):
        deleted = event("workspace.deleted", occurred_at=(NIGHT - timedelta(days=days)).isoformat())
        import_all(engine.database, *of(name, workspace(name), deleted))
    with installation.instance() as instance:

        def tick() -> list[str]:
            context = build_sensor_context(
                instance=instance, repository_def=definitions.get_repository_def(), resources={"engine": engine}
            )
            requests = sensor.evaluate_tick(context).dynamic_partitions_requests or []
            return [key for request in requests for key in request.partition_keys]

        assert tick() == ["gone"]
        instance.add_dynamic_partitions("workspaces", ["gone"])
        result = definitions.resolve_job_def(PURGE).execute_in_process(
            instance=instance,
            run_config={"ops": {f"jobs__{PURGE}": {"config": {"dry_run": False}}}},
            tags={"dagster/schedule_name": f"{PURGE}_schedule"},
            partition_key=f"{TODAY}|gone",
        )
        assert result.success
        assert tick() == ["gone"]
        instance.delete_dynamic_partition("workspaces", "gone")
    assert installation.job_runs(TODAY, PURGE)["gone"].counters["workspaces_deleted"] == 1


def test_the_schedule_really_deletes(installation: Installation, engine: Engine) -> None:
    definitions = build_definitions(settings=installation.settings, clock=lambda: NIGHT)
    schedule = definitions.resolve_schedule_def(f"{PURGE}_schedule")
    with installation.instance() as instance:
        age(engine, 80, carry_out(installation, instance, TODAY - timedelta(days=30), "w-4"))
        with engine.database.owner() as connection:
            connection.execute("DELETE FROM batch_jobs.job_runs WHERE job = %s", [PURGE])
        context = build_schedule_context(
            instance, repository_def=definitions.get_repository_def(), resources={"engine": engine}
        )
        (request,) = schedule.evaluate_tick(context).run_requests or []
        assert request.run_config == {"ops": {f"jobs__{PURGE}": {"config": {"dry_run": False}}}}
        result = definitions.resolve_job_def(PURGE).execute_in_process(
            instance=instance,
            run_config=request.run_config,
            tags={**request.tags, "dagster/schedule_name": schedule.name},
            partition_key=request.partition_key,
        )
        assert result.success
    (run,) = installation.job_runs(TODAY, PURGE).values()
    assert (run.workspace_id, run.params, run.trigger) == ("w-1", {"dry_run": False}, "schedule")
    assert run.counters["orchestrator_deleted"] == 1
