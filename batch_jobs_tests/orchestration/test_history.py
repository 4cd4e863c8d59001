"""What the UI is told of job runs: what matters most first, and what a night counted in all workspaces together."""

from datetime import UTC, date, datetime
from typing import Any

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs import registry
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.history import partition_metadata, totals
from batch_jobs_tests.orchestration.installation import JOB_KEY, Installation

JOB = registry()["timesheet_statement_generate"]
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def run(workspace_id: str, run_date: date = MONDAY, **different: Any) -> JobRun:
    columns: dict[str, Any] = {
        "job_run_id": f"{workspace_id}-{run_date}",
        "job": JOB.name,
        "workspace_id": workspace_id,
        "run_date": run_date,
        "attempt": 1,
        "status": "completed",
        "trigger": "schedule",
        "actor": "schedule:s",
        "params": {},
        "counters": {"errors": 0, "created": 2},
        "errors": 0,
        "message": None,
        "queued_at": NOW,
        "started_at": NOW,
        "ended_at": NOW,
        "dagster_run_id": None,
        "replay_of": None,
    }
    return JobRun(**{**columns, **different})


def test_totals_are_those_of_a_run_date_over_all_workspaces() -> None:
    warned = run("w-2", status="warning", counters={"errors": 3, "created": 1}, errors=3)
    found = totals(JOB, [run("w-1", TUESDAY), run("w-1"), warned])
    shown = [{name: value.value for name, value in one.metadata.items()} for one in found]
    assert shown == [
        {"total created": 3, "total errors": 3, "total workspaces": 2, "run_date": str(MONDAY)},
        {"total created": 2, "total errors": 0, "total workspaces": 1, "run_date": str(TUESDAY)},
    ]
    assert all(one.partition is None for one in found)


def test_what_does_not_make_the_job_done_is_in_no_total() -> None:
    others = [
        run("w-1", params={"dry_run": True}),
        run("w-2", params={"employee_id": "e-1"}),
        run("w-3", status="failed"),
    ]
    assert totals(JOB, others) == []


def test_a_partition_tells_the_status_first_and_its_counters_as_the_job_lists_them() -> None:
    error = {"entity": "employment", "entity_id": "e-1/1", "error": "undefined_reference", "message": "what to do"}
    shown = partition_metadata(run("w-1", params={"employee_id": "e-1"}, errors=1), JOB, [error])
    assert list(shown)[:4] == ["status", "created", "errors", "row_errors"]
    assert shown["parameters"] == "employee_id e-1"
    assert partition_metadata(run("w-1"), JOB)["parameters"] == "none chosen"


def test_a_plan_of_rows_that_are_neither_events_nor_of_a_table_is_shown_by_their_own_names() -> None:
    plan = [{"kind": "manager_digest", "user_id": "u-1", "recipient": None, "not_sent": "no_address"}]
    shown = partition_metadata(run("w-1", params={"dry_run": True}, plan=plan), JOB)["plan"]
    assert [record.data for record in shown.records] == [
        {"kind": "manager_digest", "user_id": "u-1", "not_sent": "no_address"}
    ]


def test_the_totals_of_a_night_hold_what_other_runs_of_it_did(installation: Installation) -> None:
    day = datetime.now(UTC).date()
    with installation.instance() as instance:
        job = build_definitions(settings=installation.settings).resolve_job_def(JOB.name)
        for workspace_id in ("w-1", "w-2"):
            job.execute_in_process(instance=instance, partition_key=f"{day}|{workspace_id}")
        told = instance.fetch_observations(JOB_KEY, limit=1).records[0].asset_observation
    assert told is not None
    assert (told.metadata["total workspaces"].value, told.metadata["run_date"].value) == (2, str(day))
