"""Everything that Dagster loads, and that loading it touches nothing."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml
from dagster import AssetKey, DagsterInstance

from batch_jobs import jobs, projections, search
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import job_partitions
from batch_jobs.settings import PROJECT_FOLDER, Settings

LOCATIONS = [
    location["python_module"]
    for location in yaml.safe_load((PROJECT_FOLDER / "workspace.yaml").read_text())["load_from"]
]


def test_each_code_location_loads_in_a_fresh_interpreter_without_a_database(tmp_path: Path) -> None:
    for location in LOCATIONS:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                f"import {location['module_name']} as m; m.defs.get_repository_def()",
            ],
            cwd=PROJECT_FOLDER,
            env={
                **os.environ,
                "BATCH_JOBS_HOME": str(tmp_path / "none"),
                "BATCH_JOBS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / "none").exists()


def test_there_is_an_asset_for_each_job_and_projection(tmp_path: Path) -> None:
    definitions = build_definitions(settings=Settings(home=tmp_path))
    keys = set(definitions.resolve_asset_graph().get_all_asset_keys())
    assert keys == {
        *(AssetKey(["jobs", name]) for name, job in jobs.registry().items() if not job.by_hand_only),
        *(AssetKey(["projections", name]) for name in projections.registry()),
        *(AssetKey(["search", name]) for name in search.registry()),
    }
    names = {job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}
    assert names == {*jobs.registry(), "run_batch_jobs", "check_projections", "check_jobs"}


def test_a_job_names_what_it_comes_after_and_what_its_need_check_reads(tmp_path: Path) -> None:
    key = AssetKey(["jobs", "timesheet_statement_generate"])
    node = build_definitions(settings=Settings(home=tmp_path)).resolve_asset_graph().get(key)
    # A projection among them would be reported as never materialized before each backfill.
    assert node.parent_keys == {AssetKey(["jobs", "apply_scheduled_changes"])}
    assert node.description
    assert "after [apply_scheduled_changes](/assets/jobs/apply_scheduled_changes)" in node.description
    for name in ("employment_periods", "timesheet_statements"):
        assert f"[{name}](/assets/projections/{name})" in node.description


def test_a_projection_tells_its_table(tmp_path: Path) -> None:
    graph = build_definitions(settings=Settings(home=tmp_path)).resolve_asset_graph()
    for schema, name in (("projections", "employee_directory"), ("search", "employees")):
        node = graph.get(AssetKey([schema, name]))
        assert (node.kinds, node.metadata["dagster/table_name"]) == ({"postgres"}, f"{schema}.{name}")


def test_every_op_is_described(tmp_path: Path) -> None:
    definitions = build_definitions(settings=Settings(home=tmp_path)).get_repository_def()
    ops = {node.definition for job in definitions.get_all_jobs() for node in job.nodes}
    assert len(ops) > 30
    assert sorted(op.name for op in ops if not op.description) == []


def test_the_window_comes_from_the_settings_and_the_clock(tmp_path: Path) -> None:
    definitions = build_definitions(
        settings=Settings(home=tmp_path, partition_days_back=5), clock=lambda: datetime(2026, 3, 10, 23, tzinfo=UTC)
    )
    partitions = (
        definitions.resolve_asset_graph().get(AssetKey(["jobs", "timesheet_statement_generate"])).partitions_def
    )
    assert partitions == job_partitions(today=datetime(2026, 3, 10, tzinfo=UTC).date(), days_back=5)


def test_the_committed_settings_of_dagster_hold(instance: DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_launcher.supports_check_run_worker_health
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled
    concurrency = instance.get_concurrency_config()
    assert concurrency.pool_config.default_pool_limit == 1
    assert concurrency.run_queue_config is not None
    assert concurrency.run_queue_config.max_concurrent_runs == 4
