"""doctor: each problem found, with its remedy and the exit code."""

import json
import shutil
import socket
from typing import Any

import psycopg
import pytest

from batch_jobs.doctor.machine import port_finding
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs_tests.cli.command_line import CommandLine

# What is broken, what finds it, and what its line says.
BROKEN = {
    "schema": ("UPDATE batch_jobs.schema_version SET version_num = '0001'", "batch-jobs init"),
    "tables": (
        "ALTER TABLE projections.absences DROP COLUMN requested_at",
        "half-applied; not there: projections.absences.requested_at",
    ),
    "versions of projections": (
        "UPDATE batch_jobs.checkpoints SET version = 99 WHERE projection = 'projects' AND workspace_id = 'acme'",
        "projects in 1 workspaces",
    ),
    "row-level security": (
        "ALTER TABLE projections.timesheet_statements DISABLE ROW LEVEL SECURITY",
        "projections.timesheet_statements",
    ),
    "time zones": ("UPDATE batch_jobs.workspaces SET timezone = 'Mars/Olympus' WHERE workspace_id = 'acme'", "acme"),
    "projections": ("UPDATE batch_jobs.checkpoints SET position = 0 WHERE workspace_id = 'acme'", "behind in 1"),
    "workers": (
        "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, trigger, actor, dry_run, partial) "
        "VALUES ('timesheet_statement_generate', 'acme', '2026-03-02', 1, 'manual', 'user:x', false, false)",
        "without a sign of life",
    ),
}


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


@pytest.mark.parametrize("check", BROKEN)
def test_what_is_broken_is_found(healthy: CommandLine, office_url: str, check: str) -> None:
    statement, said = BROKEN[check]
    with psycopg.connect(office_url) as connection:
        connection.execute(statement)
    found = problems(healthy)
    assert list(found) == [check]
    assert said in found[check]["text"]


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
