"""doctor: each problem found, with its remedy and the exit code."""

import json
import re
import shutil
import socket
from typing import Any

import psycopg
import pytest

from batch_jobs.doctor.machine import port_finding
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.isolation import WORKER
from batch_jobs_tests.cli.command_line import CommandLine

# What finds it, what is broken, and what its line says.
BROKEN = [
    ("schema", "UPDATE batch_jobs.schema_version SET version_num = '0001'", "batch-jobs init"),
    (
        "tables",
        "ALTER TABLE projections.absences DROP COLUMN requested_at",
        "half-applied; not there: projections.absences.requested_at",
    ),
    (
        "versions of projections",
        "UPDATE batch_jobs.checkpoints SET version = 99 WHERE projection = 'projects' AND workspace_id = 'acme'",
        "projects in 1 workspace",
    ),
    (
        "row-level security",
        "ALTER TABLE projections.timesheet_statements DISABLE ROW LEVEL SECURITY",
        "projections.timesheet_statements",
    ),
    ("row-level security", "DROP POLICY in_scope ON search.projects", "in search.projects"),
    ("row-level security", "CREATE POLICY mine ON batch_jobs.outbox USING (true)", "in batch_jobs.outbox"),
    (
        "row-level security",
        f"ALTER POLICY in_scope ON batch_jobs.outbox TO {WORKER} USING (true) WITH CHECK (true)",
        "in batch_jobs.outbox",
    ),
    (
        "scheduler",
        "INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, next_attempt_at) "
        "VALUES ('acme', 'u', 'n', 'x', now() - interval '3 hours')",
        "deliver_notifications in 1 workspace;",
    ),
    ("time zones", "UPDATE batch_jobs.workspaces SET timezone = 'Mars/Olympus' WHERE workspace_id = 'acme'", "acme"),
    ("projections", "UPDATE batch_jobs.checkpoints SET position = 0 WHERE workspace_id = 'acme'", "behind in 1"),
    (
        "workers",
        "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, trigger, actor, dry_run, partial) "
        "VALUES ('timesheet_statement_generate', 'acme', '2026-03-02', 1, 'manual', 'user:x', false, false)",
        "1 active job run, 1 of them without a sign of life",
    ),
]


@pytest.fixture
def healthy(office: CommandLine) -> CommandLine:
    """`office` with an orchestrator home, as `init` makes it."""
    (office.home / "dagster").mkdir(parents=True)
    shutil.copy(PROJECT_FOLDER / "dagster.yaml", office.home / "dagster")
    return office


def problems(cli: CommandLine) -> dict[str, dict[str, Any]]:
    ended = cli("doctor", "--json")
    # Another program of the machine may have the port.
    found = {one["check"]: one for one in json.loads(ended.out) if one["state"] == "problem" and one["check"] != "port"}
    assert ended.code == 1 or not found, ended
    return found


def test_a_healthy_installation_has_no_problem(healthy: CommandLine) -> None:
    assert problems(healthy) == {}
    table = healthy("doctor").out
    assert "row-level security" in table
    assert max(map(len, table.splitlines())) <= 120


@pytest.mark.parametrize(("check", "statement", "said"), BROKEN, ids=[one[0] for one in BROKEN])
def test_what_is_broken_is_found(healthy: CommandLine, office_url: str, check: str, statement: str, said: str) -> None:
    with psycopg.connect(office_url) as connection:
        connection.execute(statement.encode())
    found = problems(healthy)
    assert list(found) == [check]
    assert said in found[check]["text"]


def test_what_another_version_built_is_rebuilt_by_the_command_that_is_told(
    healthy: CommandLine, office_url: str
) -> None:
    with psycopg.connect(office_url) as connection:
        connection.execute(
            "UPDATE batch_jobs.checkpoints SET version = 99 "
            "WHERE projection IN ('projects', 'absences') AND workspace_id IN ('acme', 'gone')"
        )
    found = problems(healthy)
    assert "absences in 2 workspaces, projects in 2 workspaces" in found["versions of projections"]["text"]
    remedy = found["versions of projections"]["remedy"].removeprefix("rebuild them: batch-jobs ")
    assert healthy(*remedy.split()).code == 0
    assert problems(healthy) == {}


def test_what_a_half_applied_migration_left_out_is_filled_by_the_command_that_is_told(
    healthy: CommandLine, office_url: str
) -> None:
    named = "SELECT count(*) FROM projections.employee_directory WHERE name IS NOT NULL AND workspace_id <> 'gone'"
    with psycopg.connect(office_url, autocommit=True) as connection:
        expected = connection.execute(named).fetchone()
        connection.execute("ALTER TABLE projections.employee_directory DROP COLUMN name")
        remedy = problems(healthy)["tables"]["remedy"]
        connection.execute("ALTER TABLE projections.employee_directory ADD COLUMN name text")
        assert problems(healthy) == {}
        assert connection.execute(named).fetchone() == (0,)
        command = remedy.partition("fill it: batch-jobs ")[2].partition(";")[0]
        assert healthy(*command.split()).code == 0
        assert connection.execute(named).fetchone() == expected != (0,)


def test_rows_that_only_wait_to_be_purged_are_no_problem(healthy: CommandLine, office_url: str) -> None:
    with psycopg.connect(office_url) as connection:
        connection.execute("UPDATE batch_jobs.checkpoints SET version = 99 WHERE workspace_id = 'gone'")
    assert list(problems(healthy)) == ["versions of projections"]
    with psycopg.connect(office_url) as connection:
        connection.execute("UPDATE batch_jobs.workspaces SET status = 'deleted' WHERE workspace_id = 'gone'")
    assert problems(healthy) == {}


def test_its_help_names_every_check(healthy: CommandLine) -> None:
    told = " ".join(healthy("doctor", "--help").out.split())
    for one in json.loads(healthy("doctor", "--json").out):
        assert re.search(rf"\b{re.escape(one['check'])}\b", told), one["check"]


def test_an_orchestrator_home_of_another_version_is_found(healthy: CommandLine) -> None:
    (healthy.home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    assert problems(healthy)["orchestrator home"]["remedy"] == "run: batch-jobs init"


def test_an_unreachable_database_is_a_problem(healthy: CommandLine) -> None:
    healthy.environment["BATCH_JOBS_DATABASE_URL"] = "postgresql://anna:secret@127.0.0.1:1/hr"
    assert "can not be reached" in problems(healthy)["database"]["text"]


def test_who_uses_the_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = port_finding("127.0.0.1", port)
        assert (found.state, "pytest" in found.text or "python" in found.text) == ("problem", True)
        assert f"batch-jobs up --port {port + 1}" in found.remedy
    assert port_finding("127.0.0.1", port).state == "ok"


def test_metrics_are_printed_or_written(healthy: CommandLine) -> None:
    printed = healthy("metrics")
    assert printed.code == 0
    assert 'batch_jobs_projection_lag_events{projection="definitions"} 0.0' in printed.out
    file = healthy.home / "jobs.prom"
    assert healthy("metrics", "--file", str(file)).code == 0
    assert "batch_jobs_dead_letters" in file.read_text()
    assert healthy("metrics", "--file", str(healthy.home / "jobs.txt")).refuses("jobs.txt", ".prom")
    assert healthy("metrics", "--file", str(healthy.home / "no" / "jobs.prom")).refuses("can not be written")
