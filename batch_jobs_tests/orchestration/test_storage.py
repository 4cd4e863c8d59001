"""Dagster's storage in the database of the installation, and the batched writing of planned events."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster
import psycopg
import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    BackfillPolicy,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    Failure,
    StaticPartitionsDefinition,
    asset,
    in_process_executor,
)
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from dagster._daemon.types import DaemonHeartbeat
from dagster_postgres import PostgresEventLogStorage
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from batch_jobs.doctor import work
from batch_jobs.errors import UnavailableError
from batch_jobs.installation import open_engine
from batch_jobs.monitoring.metrics import registry_of
from batch_jobs.orchestration.batch_events import output_is_ready, report_events
from batch_jobs.orchestration.home import prepare_home
from batch_jobs.orchestration.storage import EventLogStorage, RunStorage, ScheduleStorage, orchestrator_database_url
from batch_jobs.settings import Settings, read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.embedded import EmbeddedServer

KEYS = [f"w-{number:04d}" for number in range(400)]


@asset(
    partitions_def=StaticPartitionsDefinition(KEYS),
    backfill_policy=BackfillPolicy.single_run(),
    output_required=False,
)
def numbers(context: AssetExecutionContext) -> Iterator[DagsterEvent]:
    """Materializes the even partitions and fails."""
    even = [key for key in context.partition_keys if int(key[-1]) % 2 == 0]
    report_events(context, [AssetMaterialization("numbers", partition=key) for key in even])
    yield output_is_ready(context)
    raise Failure("the odd ones failed")


def run_over(instance: DagsterInstance, start: str, end: str) -> str:
    job = Definitions(assets=[numbers], executor=in_process_executor).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={ASSET_PARTITION_RANGE_START_TAG: start, ASSET_PARTITION_RANGE_END_TAG: end},
    )
    return result.run_id


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_storage_lives_in_the_schema_of_the_installation(instance: DagsterInstance) -> None:
    assert isinstance(instance.run_storage, RunStorage)
    assert isinstance(instance.schedule_storage, ScheduleStorage)
    assert isinstance(instance.event_log_storage, EventLogStorage)
    url = read_settings().database_url
    assert url is not None
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('runs', 'event_logs', 'instigators')"
        )
        assert found.fetchall() == [("dagster",)]


def test_no_file_of_the_instance_holds_the_url(instance: DagsterInstance) -> None:
    url = read_settings().database_url
    assert url is not None
    assert url not in instance.get_ref().event_storage_data.config_yaml
    for file in (read_settings().home).rglob("*"):
        assert not file.is_file() or url.encode() not in file.read_bytes()


def test_the_url_keeps_what_the_given_one_says(
    make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCH_JOBS_DATABASE_URL", make_database() + "&application_name=x&options=-cjit%3Doff")
    parsed = make_url(orchestrator_database_url())
    assert parsed.drivername == "postgresql+psycopg2"
    assert parsed.query["application_name"] == "x"
    assert parsed.query["options"] == "-cjit=off -csearch_path=dagster -ctimezone=UTC"


def test_the_scheduler_is_seen_whatever_the_zone_of_the_database(
    make_database: Callable[..., str], migrated: str, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_database(migrated)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            SQL("ALTER DATABASE {} SET timezone TO 'America/New_York'").format(Identifier(connection.info.dbname))
        )
    monkeypatch.setenv("BATCH_JOBS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BATCH_JOBS_DATABASE_URL", url)
    settings = read_settings()
    prepare_home(settings, clone=clone)

    def last_beat() -> float | None:
        with open_engine(settings) as engine:
            return registry_of(engine).get_sample_value("batch_jobs_scheduler_last_beat_timestamp_seconds")

    def finding() -> str:
        with Database(url) as database:
            return next(one.text for one in work.examine(database, settings) if one.check == "orchestrator")

    assert last_beat() is None
    with DagsterInstance.from_config(str(settings.dagster_home)) as made:
        # What a demo leaves behind: tables, but no scheduler that anybody would miss.
        assert last_beat() is None
        assert finding() == "0 runs in its storage; its daemon has never run"
        beat = time.time() - 7
        made.add_daemon_heartbeat(DaemonHeartbeat(beat, "SCHEDULER", None))
        made.add_daemon_heartbeat(DaemonHeartbeat(beat - 3600, "BACKFILL", None))
    assert last_beat() == pytest.approx(beat, abs=0.001)
    silent = re.search(r"a sign of life ([\d,]+) s ago", finding())
    assert silent
    assert 7 <= int(silent[1]) < 120


def test_a_database_that_is_away_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_JOBS_DATABASE_URL", "postgresql://someone:geheim@127.0.0.1:1/nowhere")
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1") as caught:
        orchestrator_database_url()
    assert "geheim" not in str(caught.value)


def test_planned_events_of_a_run_are_written_at_once(instance: DagsterInstance) -> None:
    run_id = run_over(instance, KEYS[0], KEYS[-1])
    planned = instance.all_logs(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    assert sorted(str(entry.get_dagster_event().partition) for entry in planned) == KEYS
    storage = instance.event_log_storage
    assert isinstance(storage, EventLogStorage)
    at_once = seconds(lambda: storage.store_event_batch(planned))
    one_by_one = seconds(lambda: PostgresEventLogStorage.store_event_batch(storage, planned))
    assert at_once * 5 < one_by_one


def test_partitions_that_a_failed_run_left_out_turn_red_and_only_they(instance: DagsterInstance) -> None:
    run_over(instance, KEYS[0], KEYS[19])
    statuses = instance.get_status_by_partition(AssetKey("numbers"), KEYS[:30], StaticPartitionsDefinition(KEYS))
    assert statuses is not None
    red = {key for key, status in statuses.items() if status and status.value == "FAILED"}
    green = {key for key, status in statuses.items() if status and status.value == "MATERIALIZED"}
    assert green == set(KEYS[0:20:2])
    assert red == set(KEYS[1:20:2])


def test_the_asset_is_known_from_its_planned_events_alone(instance: DagsterInstance) -> None:
    run_id = run_over(instance, KEYS[1], KEYS[1])
    record = instance.get_asset_records([AssetKey("numbers")])[0]
    assert record.asset_entry.last_run_id == run_id


def test_dagster_is_the_version_that_this_storage_was_tested_with() -> None:
    assert dagster.__version__ == "1.13.27", "read store_event_batch of the new dagster-postgres, then change this line"
    for name in ("_connect", "_store_asset_event", "index_transaction", "prepare_insert_event_batch"):
        assert callable(getattr(PostgresEventLogStorage, name))


def test_a_native_command_starts_the_embedded_database_by_itself(clone: Path) -> None:
    # Not pytest's tmp_path, which root keeps to itself and whose path may be too long for a socket.
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-native-"))
    settings = Settings(home=home, postgres_idle_seconds=60)
    prepare_home(settings, clone=clone)
    server = EmbeddedServer(settings)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BATCH_JOBS", "DAGSTER"))}
    try:
        assert not server.is_running()
        done = subprocess.run(
            [Path(sys.executable).with_name("dagster"), "run", "list"],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT to_regclass('dagster.runs') IS NOT NULL").fetchone() == (True,)
    finally:
        server.stop()
        shutil.rmtree(home)
