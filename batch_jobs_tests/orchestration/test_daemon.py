"""What the web server, the daemon and their workers do together: real processes, which are really killed."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from dagster import DagsterRun, DagsterRunStatus

from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.partitions import sync_workspaces, workspace_keys
from batch_jobs.orchestration.workers import WORKER_TAG
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, employment, import_all, of, terms, workspace
from batch_jobs_tests.deadline import until
from batch_jobs_tests.noon import NOON_ZONE
from batch_jobs_tests.orchestration.installation import FAULTY, JOB, JOB_KEY, WORKSPACES, Installation, weeks_ago
from batch_jobs_tests.orchestration.services import REPOSITORY, Services, running_services

HUGE = "w-huge"
HUGE_PEOPLE = 600
GONE = "w-gone"

LAUNCH = """
    mutation ($params: ExecutionParams!) {
        launchRun(executionParams: $params) {
            __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}
        }
    }
"""
BACKFILL = """
    mutation ($params: LaunchBackfillParams!) {
        launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess {backfillId} ... on PythonError {message}
        }
    }
"""
BACKFILL_STATUS = """
    query ($id: String!) {partitionBackfillOrError(backfillId: $id) {... on PartitionBackfill {status numPartitions}}}
"""
TERMINATE = """
    mutation ($id: String!) {terminateRun(runId: $id) {__typename ... on TerminateRunFailure {message}}}
"""


@dataclass(frozen=True)
class Night:
    """The services, and what was asked of them before the first test, since the daemon looks every half minute.

    Attributes:
        services: web server and daemon.
        backfill_id: of the job for `weeks_ago(0)` over all workspaces.
    """

    services: Services
    backfill_id: str


@pytest.fixture(scope="module")
def night(installation: Installation) -> Iterator[Night]:
    import_huge(installation)
    with installation.instance() as instance:
        sync_workspaces(instance, [*WORKSPACES, GONE])
    with open_engine(installation.settings) as engine:
        day = weeks_ago(3)
        engine.run(RunRequest(job=JOB, targets=[("w-1", day), (FAULTY, day)], actor="user:anna"))
    with running_services(installation) as services:
        # A run for today that it asks for at the next full five minutes would hold up those of the tests.
        stop_schedule(services)
        day = weeks_ago(0)
        asked = {
            "assetSelection": [{"path": JOB_KEY.path}],
            "partitionNames": [f"{day}|{name}" for name in WORKSPACES],
            "fromFailure": False,
        }
        launched = services.ask(BACKFILL, params=asked)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        yield Night(services, launched["backfillId"])


def stop_schedule(services: Services) -> None:
    selector = {**REPOSITORY, "scheduleName": f"{JOB}_schedule"}
    found = services.ask(
        "query ($selector: ScheduleSelector!) {scheduleOrError(scheduleSelector: $selector) {... on Schedule {id}}}",
        selector=selector,
    )
    stopped = services.ask(
        "mutation ($id: String!) {stopRunningSchedule(id: $id) {... on ScheduleStateResult {scheduleState {status}}}}",
        id=found["scheduleOrError"]["id"],
    )
    assert stopped["stopRunningSchedule"]["scheduleState"]["status"] == "STOPPED"


def launch(services: Services, key: str) -> str:
    """Launch the job for a partition from the web server. Returns the run's id."""
    launched = services.ask(
        LAUNCH,
        params={
            "selector": {**REPOSITORY, "jobName": JOB},
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": key}]},
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def find(installation: Installation, run_id: str) -> DagsterRun:
    with installation.instance() as instance:
        found = instance.get_run_by_id(run_id)
    assert found is not None
    return found


def import_huge(installation: Installation) -> None:
    """A workspace that keeps a worker busy for seconds."""
    people = [f"e-{number}" for number in range(HUGE_PEOPLE)]
    everyone = [one for name in people for one in (employee(name), employment(f"{name}/1"))]
    assert installation.settings.database_url
    with Database(installation.settings.database_url) as database:
        import_all(database, *of(HUGE, workspace(HUGE, timezone=NOON_ZONE), terms(approval_period="weekly"), *everyone))


def test_partitions_follow_the_active_workspaces(installation: Installation, night: Night) -> None:
    with installation.instance() as instance:
        until(lambda: set(workspace_keys(instance)) == {*WORKSPACES, HUGE}, 120)


def test_a_launched_run_that_is_terminated_stops_between_chunks(installation: Installation, night: Night) -> None:
    day = weeks_ago(1)
    run_id = launch(night.services, f"{day}|{HUGE}")
    until(lambda: installation.job_runs(day).get(HUGE) is not None, 120)
    until(lambda: installation.rows_done(day, HUGE) > 0, 60)
    assert night.services.ask(TERMINATE, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"
    until(lambda: find(installation, run_id).is_finished, 60)
    assert find(installation, run_id).status == DagsterRunStatus.CANCELED
    assert find(installation, run_id).tags["status"] == "stopped"
    stopped = installation.job_runs(day)[HUGE]
    assert stopped.status == "stopped"
    # What was committed stays, and is told.
    assert 0 < stopped.counters["created"] < HUGE_PEOPLE


def test_a_killed_worker_is_noticed_and_its_partition_turns_red(installation: Installation, night: Night) -> None:
    day = weeks_ago(2)
    run_id = launch(night.services, f"{day}|{HUGE}")
    until(lambda: installation.job_runs(day).get(HUGE) is not None, 120)
    process_id = int(find(installation, run_id).tags[WORKER_TAG].split(":")[2])
    os.kill(process_id, signal.SIGKILL)
    until(lambda: find(installation, run_id).status == DagsterRunStatus.FAILURE, 120)
    until(lambda: installation.job_runs(day)[HUGE].status == "failed", 120)
    assert installation.job_runs(day)[HUGE].message == "worker lost"
    assert find(installation, run_id).tags["status"] == "failed"
    assert installation.cells(day, [HUGE]) == {HUGE: "FAILED"}


def test_two_runs_of_a_job_go_one_after_the_other(installation: Installation, night: Night) -> None:
    day = weeks_ago(4)
    launch(night.services, f"{day}|{HUGE}")
    tags = json.dumps({"dagster/partition": f"{day}|w-1"})
    installation.dagster("job", "launch", "-j", JOB, "--tags", tags, "-w", "workspace.yaml")
    until(lambda: {run.status for run in installation.job_runs(day).values()} == {"completed"}, 120)
    until(lambda: "w-1" in installation.job_runs(day) and installation.job_runs(day)["w-1"].ended_at, 120)
    runs = installation.job_runs(day)
    first_end = runs[HUGE].ended_at
    assert first_end is not None
    assert first_end < runs["w-1"].queued_at


def test_what_is_recorded_all_the_time_is_synced_by_the_sensor(installation: Installation, night: Night) -> None:
    def synced() -> bool:
        # A schedule that looks in the meantime takes in what is there by then.
        installation.record(*of("w-1", employee("e-0", name="Renamed")))
        found = installation.select(
            "SELECT trigger, status FROM batch_jobs.job_runs WHERE (job, workspace_id) = ('sync_projections', 'w-1')"
        )
        return ("sensor", "completed") in found

    until(synced, 120)
    named = "SELECT DISTINCT title FROM search.employees WHERE (workspace_id, entity_id) = ('w-1', 'e-0')"
    assert installation.select(named) == [("Renamed",)]


def test_job_runs_of_the_command_line_are_shown_too(installation: Installation, night: Night) -> None:
    day = weeks_ago(3)
    until(lambda: installation.cells(day) == {"w-1": "MATERIALIZED"}, 120)
    assert installation.metadata(day, "w-1")["actor"].value == "user:anna"


def test_a_schedule_is_tried_out_in_the_code_server(night: Night) -> None:
    tried = night.services.ask(
        """
        mutation ($selector: ScheduleSelector!, $at: Float!) {
            scheduleDryRun(selectorData: $selector, timestamp: $at) {
                __typename
                ... on PythonError {message}
                ... on DryRunInstigationTick {evaluationResult {skipReason error {message}}}
            }
        }
        """,
        selector={**REPOSITORY, "scheduleName": f"{JOB}_schedule"},
        at=datetime.now(UTC).replace(second=0, microsecond=0).timestamp(),
    )["scheduleDryRun"]
    assert tried["__typename"] == "DryRunInstigationTick", tried
    assert tried["evaluationResult"]["error"] is None


def test_a_backfill_of_a_run_date_over_all_workspaces(installation: Installation, night: Night) -> None:
    day = weeks_ago(0)

    def status() -> str:
        found = night.services.ask(BACKFILL_STATUS, id=night.backfill_id)["partitionBackfillOrError"]
        return str(found["status"])

    until(lambda: status().startswith("COMPLETED"), 90)
    assert status() == "COMPLETED_FAILED"
    expected = {**dict.fromkeys(WORKSPACES, "MATERIALIZED"), FAULTY: "FAILED"}
    assert installation.cells(day) == expected
    runs = installation.job_runs(day)
    assert {name: run.trigger for name, run in runs.items()} == dict.fromkeys(WORKSPACES, "backfill")
    assert len({run.dagster_run_id for run in runs.values()}) == 1
