"""Readers see the rows of before or those of after; who is killed leaves the old ones, and the next run finishes."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.store.database import Database
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import DAY, digests, engine_of, found, rows, run
from batch_jobs_tests.engine.rebuild_process import POINTS

JOB = RebuildEmployeeProjections.name
NAMES = ["acme", "globex"]
IN_A_TRANSACTION = (
    "SELECT FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database() "
    "AND pid <> pg_backend_pid()"
)
DIRECTORY = "SELECT workspace_id, employee_id, name, is_manager FROM projections.employee_directory ORDER BY 1, 2"
WRONG = "UPDATE projections.employee_directory SET name = 'Wrong' WHERE employee_id <> 'e-1'"


@pytest.fixture
def url(make_database: Callable[..., str], migrated: str) -> str:
    return make_database(migrated)


@pytest.fixture
def company(url: str) -> Database:
    with Database(url) as database:
        found(database, NAMES)
        engine_of(database).catch_up()
        yield database


def start(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"batch_jobs_tests.engine.{module}", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def names(database: Database) -> set[str]:
    return {name for (name,) in rows(database, "SELECT name FROM projections.employee_directory")}


@pytest.mark.parametrize("point", POINTS)
def test_a_rebuild_that_is_killed_leaves_the_old_rows_and_the_next_one_finishes(
    company: Database, url: str, point: str
) -> None:
    right = digests(company)
    with company.owner() as connection:
        connection.execute(WRONG)
    wrong = digests(company)
    process = start("rebuild_process", url, point, *NAMES)
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not rows(company, IN_A_TRANSACTION))
    assert digests(company) == (right if point == "committed" else wrong)
    assert rows(company, "SELECT FROM pg_class WHERE relpersistence = 't' AND relname = 'employee_directory'") == []
    engine = engine_of(company, RebuildEmployeeProjections(), worker_lost_after=2)
    if point != "committed":
        until(lambda: engine.fail_lost_workers() > 0)
    assert [one.status for one in run(engine, JOB, NAMES, parameters={"dry_run": False})] == ["completed"] * 2
    assert digests(company) == right


def test_a_reader_sees_the_rows_of_before_or_those_of_after(company: Database, url: str) -> None:
    after = rows(company, DIRECTORY)
    with company.owner() as connection:
        connection.execute(WRONG)
        connection.execute("DELETE FROM projections.employee_directory WHERE employee_id = 'e-1'")
    before = rows(company, DIRECTORY)
    reader = start("reading_process", url)
    assert reader.stdout
    assert reader.stdout.readline() == "reading\n"
    engine = engine_of(company, RebuildEmployeeProjections())
    run(engine, JOB, NAMES, DAY, parameters={"dry_run": False})
    for _ in range(3):
        run(engine, JOB, NAMES, DAY, parameters={"dry_run": False, "projection": "employee_directory"})
    seen, _ = reader.communicate("stop\n")
    states = [[tuple(row) for row in state] for state in json.loads(seen)]
    assert states == [before, after]
