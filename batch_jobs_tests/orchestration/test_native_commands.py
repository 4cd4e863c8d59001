"""Dagster's own commands, run in the clone by an operator, without a daemon."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRunStatus, RunsFilter

from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs_tests.builders import event
from batch_jobs_tests.orchestration.installation import FAULTY, JOB, OP, WORKSPACES, Installation, weeks_ago

HEALTHY = [name for name in WORKSPACES if name != FAULTY]


def in_the_readme(command: str, *, until: str = "") -> list[str]:
    """The words after `dagster` of a command as the README has it, up to one of its options."""
    lines = (PROJECT_FOLDER / "README.md").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"dagster {command} ")]
    words = shlex.split(line)[1:]
    return words[: words.index(until)] if until else words


MATERIALIZE = in_the_readme("asset materialize", until="--partition")
EXECUTE = in_the_readme("job execute", until="-j")
LAUNCH = in_the_readme("job launch", until="--tags")
START = in_the_readme("schedule start")


def write(folder: Path, config: object) -> str:
    file = folder / "config.yaml"
    file.write_text(json.dumps(config))
    return str(file)


def test_materialize_one_partition(installation: Installation) -> None:
    day = weeks_ago(0)
    installation.dagster(*MATERIALIZE, "--partition", f"{day}|w-1")
    run = installation.job_runs(day)["w-1"]
    assert (run.status, run.trigger, run.actor, run.counters["created"]) == ("completed", "manual", "dagster", 2)
    assert installation.cells(day) == {"w-1": "MATERIALIZED"}
    metadata = installation.metadata(day, "w-1")
    assert metadata["created"].value == 2
    assert metadata["errors"].value == 0
    assert metadata["status"].value == "completed"
    assert metadata["job_run_id"].value == run.job_run_id
    with installation.instance() as instance:
        dagster_run = instance.get_run_by_id(run.dagster_run_id or "")
    assert dagster_run is not None
    tags = dagster_run.tags
    assert tags["status"] == "completed"
    assert tags["errors"] == "0"
    assert tags["run_date"] == str(day)


def test_in_a_range_the_failed_partition_turns_red_and_only_it(installation: Installation) -> None:
    day = weeks_ago(1)
    said = installation.dagster(*MATERIALIZE, "--partition-range", f"{day}|w-1...{day}|w-5", code=1)
    assert f"1 of 5 not done: {FAULTY} {day} failed" in said
    # Where it came from, in the log of the run.
    assert f"{JOB} failed for {FAULTY}" in said
    assert "Traceback (most recent call last)" in said
    assert "psycopg.errors.RaiseException: the database refuses" in said
    assert installation.cells(day) == {**dict.fromkeys(HEALTHY, "MATERIALIZED"), FAULTY: "FAILED"}
    runs = installation.job_runs(day)
    assert {name: run.status for name, run in runs.items()} == {**dict.fromkeys(HEALTHY, "completed"), FAULTY: "failed"}
    (dagster_run_id,) = {run.dagster_run_id for run in runs.values()}
    with installation.instance() as instance:
        dagster_run = instance.get_run_by_id(dagster_run_id or "")
    assert dagster_run is not None
    assert dagster_run.tags["status"] == "failed"


@pytest.fixture
def suspended(installation: Installation) -> Iterator[str]:
    """A workspace that was suspended a moment ago, and is a partition still."""
    installation.record(event("workspace.suspended", workspace_id="w-5"))
    yield "w-5"
    installation.record(event("workspace.resumed", workspace_id="w-5"))


def test_a_workspace_that_can_not_be_run_stops_no_other(installation: Installation, suspended: str) -> None:
    day = weeks_ago(5)
    said = installation.dagster(*MATERIALIZE, "--partition-range", f"{day}|w-4...{day}|{suspended}", code=1)
    assert f'1 of 2 not done: workspace "{suspended}" is suspended; jobs run in active workspaces only' in said
    assert installation.cells(day) == {"w-4": "MATERIALIZED", suspended: "FAILED"}
    said = installation.dagster(*MATERIALIZE, "--partition", f"{day}|{suspended}", code=1)
    assert f'workspace "{suspended}" is suspended' in said
    assert set(installation.job_runs(day)) == {"w-4"}


def test_who_names_no_partition_is_told_how(installation: Installation) -> None:
    assert "no partition was asked for; choose run dates" in installation.dagster(*EXECUTE, "-j", JOB, code=1)


def test_what_is_done_can_be_asked_for_again(installation: Installation) -> None:
    day = weeks_ago(2)
    for _ in range(2):
        installation.dagster(*MATERIALIZE, "--partition", f"{day}|w-2")
    assert installation.job_runs(day)["w-2"].attempt == 2
    assert installation.metadata(day, "w-2")["skipped_reason"].value


def test_a_partition_outside_of_the_window_is_refused_by_name(installation: Installation) -> None:
    said = installation.dagster(*MATERIALIZE, "--partition", "2020-01-01|w-1", code=1)
    assert "`2020-01-01|w-1`" in said


def test_a_job_is_executed_for_a_partition_with_its_config(installation: Installation) -> None:
    day = weeks_ago(3)
    config = write(installation.clone, {"ops": {OP: {"config": {"employee_id": "e-1"}}}})
    tags = json.dumps({"dagster/partition": f"{day}|w-4", "user": "anna"})
    installation.dagster(*EXECUTE, "-j", JOB, "-c", config, "--tags", tags)
    run = installation.job_runs(day)["w-4"]
    assert (run.status, run.actor, run.params, run.counters["created"]) == (
        "completed",
        "user:anna",
        {"employee_id": "e-1"},
        1,
    )
    # A run for one employee does not make the job done.
    assert installation.cells(day) == {}


def test_run_batch_jobs_is_a_dry_run_unless_told_otherwise(installation: Installation) -> None:
    day = weeks_ago(60)
    asked = {"jobs": [JOB], "run_date": str(day), "workspaces": ["w-1"]}
    config = write(installation.clone, {"ops": {"run_jobs": {"config": asked}}})
    installation.dagster(*EXECUTE, "-j", "run_batch_jobs", "-c", config)
    run = installation.job_runs(day)["w-1"]
    assert (run.status, run.params["dry_run"], len(run.plan or [])) == ("completed", True, 2)

    config = write(installation.clone, {"ops": {"run_jobs": {"config": {**asked, "dry_run": False}}}})
    installation.dagster(*EXECUTE, "-j", "run_batch_jobs", "-c", config)
    run = installation.job_runs(day)["w-1"]
    assert (run.status, run.counters["created"], run.plan) == ("completed", 2, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"jobs": ["timesheet_statement_generat"]},
            f'job "timesheet_statement_generat" is not known; expected one of: {JOB}',
        ),
        ({"run_date": "20261225"}, 'run_date "20261225": expected YYYY-MM-DD'),
    ],
)
def test_run_batch_jobs_names_what_it_refuses(installation: Installation, wrong: dict[str, Any], said: str) -> None:
    config = write(
        installation.clone, {"ops": {"run_jobs": {"config": {"jobs": [JOB], "workspaces": ["w-1"], **wrong}}}}
    )
    assert said in installation.dagster(*EXECUTE, "-j", "run_batch_jobs", "-c", config, code=1)


def test_what_was_done_before_a_refusal_is_told(installation: Installation, suspended: str) -> None:
    day = weeks_ago(6)
    recovery = "recover_failed_migration"
    asked = {"jobs": [recovery, JOB], "run_date": str(day), "workspaces": [suspended]}
    config = write(installation.clone, {"ops": {"run_jobs": {"config": asked}}})
    said = installation.dagster(*EXECUTE, "-j", "run_batch_jobs", "-c", config, code=1)
    assert f'{JOB}: workspace "{suspended}" is suspended' in said
    assert installation.job_runs(day, recovery)[suspended].status == "completed"
    with installation.instance() as instance:
        (dagster_run,) = instance.get_runs(RunsFilter(job_name="run_batch_jobs"), limit=1)
    assert (dagster_run.tags["run_date"], dagster_run.tags["status"]) == (str(day), "failed")


def test_schedules_are_on_and_can_be_stopped_and_started(installation: Installation) -> None:
    schedule = f"{JOB}_schedule"
    installation.dagster("schedule", "stop", schedule)
    assert f"Schedule: {schedule} [STOPPED]" in installation.dagster("schedule", "list")
    assert f"Started schedule {schedule}" in installation.dagster(*START)


def test_a_launched_run_waits_for_the_daemon(installation: Installation) -> None:
    tags = {"dagster/partition": f"{weeks_ago(4)}|w-5"}
    installation.dagster(*LAUNCH, "--tags", json.dumps(tags))
    with installation.instance() as instance:
        (queued,) = instance.get_runs(RunsFilter(job_name=JOB, tags=tags))
    assert queued.status is DagsterRunStatus.QUEUED
