"""Who launched, re-executed, backfilled or stopped a run in the web UI is its actor, whatever a tag says."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRun

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.authorship import STOPPED_BY_TAG
from batch_jobs.orchestration.partitions import sync_workspaces
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.installation import JOB, JOB_KEY, WORKSPACES, weeks_ago
from batch_jobs_tests.orchestration.services import REPOSITORY
from batch_jobs_tests.orchestration.test_daemon import BACKFILL, HUGE, LAUNCH, TERMINATE, import_huge
from batch_jobs_tests.orchestration.web.browser import Browser
from batch_jobs_tests.orchestration.web.served import Served

REEXECUTE = """
    mutation ($params: ReexecutionParams!) {
        launchRunReexecution(reexecutionParams: $params) {
            __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}
        }
    }
"""
CANCEL = """
    mutation ($id: String!) {
        cancelPartitionBackfill(backfillId: $id) {__typename ... on PythonError {message}}
    }
"""
FORGED = [
    {"key": "user", "value": "mallory"},
    {"key": "dagster/schedule_name", "value": f"{JOB}_schedule"},
    {"key": "dagster/sensor_name", "value": "lost_workers"},
    {"key": STOPPED_BY_TAG, "value": "mallory"},
]


@pytest.fixture(scope="module")
def night(served: Served) -> Iterator[Served]:
    """The web server and a daemon that carries out what is launched there."""
    import_huge(served.installation)
    # A run that finds it behind would wait for whoever holds it before it is in the ledger.
    with open_engine(served.installation.settings) as engine:
        engine.catch_up()
    with served.installation.instance() as instance:
        sync_workspaces(instance, [*WORKSPACES, HUGE])
    # A run for today that it asks for at the next full five minutes would hold up those of the tests.
    served.installation.dagster("schedule", "stop", f"{JOB}_schedule")
    with (served.installation.clone / "daemon.log").open("w") as log:
        daemon = subprocess.Popen(
            [Path(sys.executable).with_name("dagster-daemon"), "run"],
            cwd=served.installation.clone,
            env=served.installation.variables,
            stdout=log,
            stderr=log,
            # Its code servers and their workers are ended with it.
            start_new_session=True,
        )
    try:
        yield served
    finally:
        daemon.terminate()
        try:
            daemon.wait(30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGKILL)


def launch(browser: Browser, key: str, *tags: dict[str, str]) -> str:
    """Launch the job for a partition. Returns the run's id."""
    chosen = {"tags": [{"key": "dagster/partition", "value": key}, *tags]}
    params = {"selector": {**REPOSITORY, "jobName": JOB}, "mode": "default", "executionMetadata": chosen}
    return run_id_of(browser.ask(LAUNCH, params={**params, "runConfigData": {}})["launchRun"])


def run_id_of(launched: dict[str, Any]) -> str:
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def find(served: Served, run_id: str) -> DagsterRun:
    with served.installation.instance() as instance:
        found = instance.get_run_by_id(run_id)
    assert found is not None
    return found


def ended(served: Served, day: date, name: str) -> JobRun:
    """The newest job run of a workspace, once it has ended."""
    until(lambda: (one := served.installation.job_runs(day).get(name)) is not None and one.ended_at, 180)
    return served.installation.job_runs(day)[name]


def test_a_launch_is_signed_over_whatever_its_tags_say(night: Served) -> None:
    day = weeks_ago(4)
    run_id = launch(night.browser("operator"), f"{day}|w-1", *FORGED)
    run = ended(night, day, "w-1")
    assert (run.actor, run.trigger, run.status) == ("user:operator", "manual", "completed")
    tags = find(night, run_id).tags
    assert tags["user"] == "operator"
    assert "mallory" not in tags.values()
    assert not {"dagster/schedule_name", "dagster/sensor_name"} & set(tags)


def test_a_re_execution_is_that_of_who_asked_for_it(night: Served) -> None:
    day = weeks_ago(5)
    first = launch(night.browser("operator"), f"{day}|w-2")
    assert ended(night, day, "w-2").actor == "user:operator"
    until(lambda: find(night, first).is_finished, 60)
    params = {"parentRunId": first, "strategy": "ALL_STEPS", "extraTags": FORGED, "useParentRunTags": True}
    second = run_id_of(night.browser("admin").ask(REEXECUTE, params=params)["launchRunReexecution"])
    until(lambda: night.installation.job_runs(day)["w-2"].dagster_run_id == second, 180)
    assert ended(night, day, "w-2").actor == "user:admin"
    assert find(night, first).tags["user"] == "operator"


def test_a_backfill_is_that_of_who_asked_for_it(night: Served) -> None:
    day = weeks_ago(6)
    asked = {
        "assetSelection": [{"path": JOB_KEY.path}],
        "partitionNames": [f"{day}|{name}" for name in ("w-1", "w-2")],
        "fromFailure": False,
        "tags": FORGED,
    }
    launched = night.browser("operator").ask(BACKFILL, params=asked)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    for name in ("w-1", "w-2"):
        run = ended(night, day, name)
        assert (run.actor, run.trigger) == ("user:operator", "backfill")


def test_who_cancels_a_backfill_has_stopped_its_runs(night: Served) -> None:
    day = weeks_ago(8)
    asked = {"assetSelection": [{"path": JOB_KEY.path}], "partitionNames": [f"{day}|{HUGE}"], "fromFailure": False}
    with night.database.owner() as busy:
        # Somebody else works in this workspace: the run waits for it until the daemon has come round to stop it.
        busy.execute("SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s FOR UPDATE", [HUGE])
        launched = night.browser("operator").ask(BACKFILL, params=asked)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        until(lambda: night.installation.job_runs(day).get(HUGE) is not None, 180)
        run_id = str(night.installation.job_runs(day)[HUGE].dagster_run_id)
        canceled = night.browser("admin").ask(CANCEL, id=launched["backfillId"])["cancelPartitionBackfill"]
        assert canceled["__typename"] == "CancelBackfillSuccess", canceled
        until(lambda: STOPPED_BY_TAG in find(night, run_id).tags, 180)
    run = ended(night, day, HUGE)
    assert (run.actor, run.status, run.message) == ("user:operator", "stopped", "stopped by user:admin")
    until(lambda: find(night, run_id).is_finished, 60)
    assert find(night, run_id).tags[STOPPED_BY_TAG] == "admin"


def test_who_stops_a_run_is_recorded_with_it(night: Served) -> None:
    day = weeks_ago(7)
    with night.database.owner() as busy:
        # The run waits for somebody else, so that it can not be over before it is stopped.
        busy.execute("SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s FOR UPDATE", [HUGE])
        run_id = launch(night.browser("operator"), f"{day}|{HUGE}")
        until(lambda: night.installation.job_runs(day).get(HUGE) is not None, 180)
        assert "needs the role operator" in night.browser("viewer").post(TERMINATE, id=run_id).text
        stopped = night.browser("admin").ask(TERMINATE, id=run_id)["terminateRun"]
        assert stopped["__typename"] == "TerminateRunSuccess", stopped
        until(lambda: STOPPED_BY_TAG in find(night, run_id).tags, 180)
    run = ended(night, day, HUGE)
    assert (run.actor, run.status, run.message) == ("user:operator", "stopped", "stopped by user:admin")
    until(lambda: find(night, run_id).is_finished, 60)
    assert find(night, run_id).tags[STOPPED_BY_TAG] == "admin"
