"""due, run and the ledger: what is chosen, what is refused, the exit codes."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import RUN_DATE, people, write_events
from batch_jobs_tests.cli.test_events import count
from batch_jobs_tests.deadline import until

JOB = "timesheet_statement_generate"
DATE = ("--date", RUN_DATE.isoformat())


def test_due_tells_who_needs_what_and_why_others_do_not(office: CommandLine) -> None:
    found = office.json("due", *DATE, "--job", JOB)
    assert {(item["workspace_id"], item["state"], item["reason"], item["rows"]) for item in found} == {
        ("acme", "due", "", 2),
        ("beta", "due", "", 1),
        ("idle", "skipped", "with nothing due", 0),
    }
    table = office("due", *DATE, "--job", JOB)
    assert f"{JOB}: 2 due, 0 waiting, 1 skipped; 1 with nothing due" in table.out
    assert max(map(len, table.out.splitlines())) <= 120
    assert "\x1b" not in table.out


def test_run_takes_what_is_due_and_tells_of_warnings(office: CommandLine, office_database: Database) -> None:
    ended = office("run", JOB, *DATE, "--json")
    assert ended.code == 3, ended
    assert ended.err == ""
    runs = json.loads(ended.out)
    assert [(run["workspace_id"], run["status"], run["counters"]["created"]) for run in runs] == [
        ("acme", "completed", 2),
        ("beta", "warning", 1),
    ]
    assert {run["trigger"] for run in runs} == {"manual"}
    assert runs[0]["actor"].startswith("user:")
    assert count(office_database, "projections.timesheet_statements") == 3


def test_run_again_finds_nothing_due(office: CommandLine) -> None:
    office("run", JOB, *DATE)
    again = office("run", JOB, *DATE, "--json")
    assert (again.code, json.loads(again.out)) == (0, [])
    assert f"nothing is due for {JOB}" in again.err


def test_new_rows_are_due_although_the_day_was_done(office: CommandLine, tmp_path: Path) -> None:
    office("run", JOB, *DATE)
    newcomer = people("acme", good=3)[-2:]
    office("import", write_events(tmp_path / "newcomer.jsonl", *newcomer))
    assert [(run["workspace_id"], run["attempt"]) for run in office.json("run", JOB, *DATE)] == [("acme", 2)]


def test_force_and_named_workspaces_run_where_nothing_is_due(office: CommandLine) -> None:
    office("run", JOB, *DATE)
    forced = json.loads(office("run", JOB, *DATE, "--force", "--json").out)
    assert [run["workspace_id"] for run in forced] == ["acme", "beta", "idle"]
    (named,) = office.json("run", JOB, *DATE, "--workspace", "idle")
    assert named["status"] == "completed"
    assert named["counters"]["skipped_reason"] == "no employment terms with approval enabled"


def test_a_dry_run_shows_its_rows_and_changes_nothing(office: CommandLine, office_database: Database) -> None:
    before = count(office_database, "batch_jobs.events")
    (run,) = office.json("run", JOB, *DATE, "--workspace", "acme", "--dry-run")
    assert [row["type"] for row in run["plan"]] == ["statement.period_started"] * 2
    assert count(office_database, "batch_jobs.events") == before
    shown = office("runs", "show", run["job_run_id"][:8])
    assert "statement.period_started" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 120


def test_a_dry_run_without_rows_promises_none(office: CommandLine, tmp_path: Path) -> None:
    file = write_events(tmp_path / "more.jsonl", *people("new"))
    assert office("import", file).code == 0
    tried = office("run", "sync_projections", "--workspace", "new", "--date", "2026-03-03", "--dry-run")
    assert (tried.code, "nothing was changed" in tried.out, "runs show" in tried.out) == (0, True, False), tried
    (run,) = office.json("runs", "--job", "sync_projections")
    assert (run["status"], run["params"]) == ("completed", {"dry_run": True})
    shown = office("runs", "show", run["job_run_id"])
    assert (shown.code, "real run" in shown.out) == (0, False), shown


def test_only_what_was_dry_is_called_dry(office: CommandLine) -> None:
    reminder = "timesheet_statement_reminder"
    named = "--workspace", "acme"
    one = office("run", JOB, *DATE, *named, "--dry-run").out
    assert "\na dry run: nothing was changed" in one
    assert "by itself" not in one
    assert "tried by itself" in office("run", JOB, reminder, *DATE, *named, "--dry-run").out
    assert "tried by itself" in office("run", JOB, "--date", "2026-03-02..2026-03-03", *named, "--dry-run").out
    # It deletes, and so is a dry run by hand unless told otherwise.
    mixed = office("run", JOB, "purge_expired_data", *DATE, *named).out
    assert "\npurge_expired_data: a dry run: nothing was changed" in mixed


def test_several_days_are_run_in_order(office: CommandLine) -> None:
    runs = office.json("run", JOB, "--date", "2026-03-01..2026-03-09", "--workspace", "acme")
    assert [run["run_date"] for run in runs] == [f"2026-03-0{day}" for day in range(1, 10)]
    assert [run["counters"]["created"] for run in runs] == [2, 2, 0, 0, 0, 0, 0, 0, 2]


def test_days_that_reach_the_future_are_refused_before_the_first(
    office: CommandLine, office_database: Database
) -> None:
    for chosen in ([], ["--workspace", "acme"]):
        today = datetime.now(UTC).date()
        days = f"{today}..{today + timedelta(days=3)}"
        refused = office("run", "timesheet_statement_generate", "--date", days, *chosen)
        assert refused.refuses("is after today", "--dry-run", "--allow-future")
    with office_database.owner() as connection:
        assert connection.execute("SELECT count(*) FROM batch_jobs.job_runs").fetchone() == (0,)


def test_a_parameter_narrows_the_run(office: CommandLine) -> None:
    (run,) = office.json("run", JOB, *DATE, "--workspace", "acme", "--param", "employee_id=e-2")
    assert (run["params"], run["counters"]["created"]) == ({"employee_id": "e-2"}, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["timesheet_statement_generat"], ['job "timesheet_statement_generat"', f"expected one of: {JOB}"]),
        ([JOB, "--workspace", "acmee"], ['workspace "acmee" is not known', "did you mean acme?"]),
        ([JOB, "--workspace", "gone"], ['workspace "gone" is suspended']),
        ([JOB, "--date", "2026-02-30"], ['date "2026-02-30"', "as YYYY-MM-DD"]),
        ([JOB, "--date", "20260301"], ['date "20260301"', "expected YYYY-MM-DD"]),
        ([JOB, "--date", "2026-03-02..2026-03-01"], ["ends before it begins", "2026-03-01..2026-03-02"]),
        ([JOB, "--date", "2020-01-01..2026-03-01"], ["2252 days", "400 at the most"]),
        ([JOB, "--date", "2999-01-01", "--workspace", "acme"], ["2999-01-01 is after today", "--allow-future"]),
        ([JOB, "--param", "employee=e-1"], ['no parameter "employee"', "employee_id"]),
        ([JOB, "--param", "employee_id"], ['--param "employee_id"', "name=value"]),
        ([JOB, "--param", "dry_run=maybe"], ['dry_run is "maybe"', "valid boolean"]),
        ([JOB, "--dry-run", "--param", "dry_run=false"], ["are the same choice"]),
        ([JOB, "--workspace", "acme", "--param", "employee_id=e-9"], ['employee "e-9" is not defined', "acme"]),
        ([], ["Missing argument", "batch-jobs run --help"]),
        ([JOB, "--dri-run"], ["No such option: --dri-run", "--dry-run"]),
    ],
)
def test_what_can_not_be_run_is_refused(
    office: CommandLine, office_database: Database, arguments: list[str], said: list[str]
) -> None:
    assert office("run", *arguments).refuses(*said)
    assert count(office_database, "batch_jobs.job_runs") == 0


def test_a_second_run_is_refused_and_ctrl_c_stops_the_first(
    office: CommandLine, office_url: str, office_database: Database
) -> None:
    office.environment["BATCH_JOBS_CHUNK_ROWS"] = "1"
    with psycopg.connect(office_url) as blocker:
        blocker.execute("SELECT 1 FROM batch_jobs.workspaces WHERE workspace_id = 'acme' FOR UPDATE")
        # Two days of two chunks each: it is in the very first chunk, waiting for the lock, when it is told to stop.
        first = office.start("run", JOB, "--date", "2026-03-02..2026-03-03", "--workspace", "acme", "--json")
        until(lambda: count(office_database, "batch_jobs.job_runs WHERE status = 'started'") == 1)
        (active,) = office.json("runs", "--status", "started")
        second = office("run", JOB, *DATE, "--workspace", "acme")
        assert second.refuses(active["job_run_id"], "started already", f"batch-jobs runs stop {active['job_run_id']}")
        first.send_signal(signal.SIGINT)
        assert first.stderr is not None
        assert b"stopping after the current chunk" in first.stderr.readline()
    out, _ = first.communicate()
    assert first.returncode == 130
    (stopped,) = json.loads(out)
    assert (stopped["status"], stopped["run_date"]) == ("stopped", "2026-03-02")
    assert count(office_database, "projections.timesheet_statements") < 2


def test_runs_stop_ends_a_run_before_its_next_chunk(
    office: CommandLine, office_url: str, office_database: Database
) -> None:
    office.environment["BATCH_JOBS_CHUNK_ROWS"] = "1"
    with psycopg.connect(office_url) as blocker:
        blocker.execute("SELECT 1 FROM batch_jobs.workspaces WHERE workspace_id = 'acme' FOR UPDATE")
        run = office.start("run", JOB, *DATE, "--workspace", "acme", "--json")
        until(lambda: count(office_database, "batch_jobs.job_runs WHERE status = 'started'") == 1)
        (active,) = office.json("runs", "--status", "started")
        stopped = office("runs", "stop", active["job_run_id"][:8])
        assert stopped.code == 0, stopped
    out, _ = run.communicate()
    assert (run.returncode, json.loads(out)[0]["status"]) == (1, "stopped")


def test_the_ledger_lists_newest_first_and_filters(office: CommandLine) -> None:
    office("run", JOB, *DATE)
    office("run", JOB, "--date", "2026-03-09", "--workspace", "acme")
    runs = office.json("runs")
    assert [(run["workspace_id"], run["run_date"]) for run in runs] == [
        ("acme", "2026-03-09"),
        ("acme", "2026-03-02"),
        ("beta", "2026-03-02"),
    ]
    assert [run["workspace_id"] for run in office.json("runs", "--status", "warning")] == ["beta"]
    assert len(office.json("runs", "--workspace", "acme", "--job", JOB, "--limit", "1")) == 1
    table = office("runs").out
    assert "completed" in table
    assert max(map(len, table.splitlines())) <= 120


def test_one_run_is_shown_with_its_row_errors(office: CommandLine) -> None:
    office("run", JOB, *DATE)
    (run,) = office.json("runs", "--status", "warning")
    shown = office.json("runs", "show", run["job_run_id"][:8])
    assert shown["errors"] == 1
    assert [(row["entity_id"], row["error"]) for row in shown["row_errors"]] == [("e-2/1", "undefined_reference")]
    assert "undefined_reference" in office("runs", "show", run["job_run_id"]).out


def test_replay_and_retry(office: CommandLine) -> None:
    office("run", JOB, *DATE)
    (warned,) = office.json("runs", "--status", "warning")
    retried = office("runs", "retry", warned["job_run_id"], "--json")
    (again,) = json.loads(retried.out)
    assert (retried.code, again["trigger"], again["replay_of"]) == (3, "retry", warned["job_run_id"])
    (done,) = office.json("runs", "--status", "completed")
    (replayed,) = office.json("runs", "replay", done["job_run_id"])
    assert (replayed["trigger"], replayed["status"], replayed["counters"]["created"]) == ("replay", "completed", 0)
    assert office("runs", "retry", done["job_run_id"]).refuses("has no failed rows to retry", "runs replay")
    assert office("runs", "stop", done["job_run_id"]).refuses("is completed", "only a pending or started one")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--status", "done"], ['status "done"', "completed, warning"]),
        (["--limit", "0"], ["--limit"]),
        (["--workspace", "acmee"], ['workspace "acmee"', "did you mean acme?"]),
        (["--job", "timesheet"], ['job "timesheet"', JOB]),
        (["show", "ffff"], ['no job run "ffff"', "batch-jobs runs"]),
        (["show", "first"], ['"first" is no job run id']),
    ],
)
def test_what_the_ledger_can_not_tell_is_refused(office: CommandLine, arguments: list[str], said: list[str]) -> None:
    assert office("runs", *arguments).refuses(*said)
