"""Readers see the rows of before or those of after; who is killed leaves the old ones, and the next run finishes."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from batch_jobs.installation import all_projections
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests.builders import employee, import_all, of
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import DAY, engine_of, found, rows, run
from batch_jobs_tests.engine.rebuild_process import JOBS, POINTS

JOB = RebuildEmployeeProjections.name
NAMES = ["acme", "globex"]
# Tables of a rebuild, of a session that is gone or in a schema of ours.
LEFT_BEHIND = r"""
    SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND (
        relname LIKE 'drift\_of%'
        OR relpersistence = 't'
        AND relname IN (SELECT tablename FROM pg_tables WHERE schemaname IN ('projections', 'search'))
    )
"""
IN_A_TRANSACTION = (
    "SELECT FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database() "
    "AND pid <> pg_backend_pid()"
)
WAITS_FOR_A_WORKSPACE = (
    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() "
    "AND query LIKE '%FROM batch_jobs.workspaces%FOR UPDATE%'"
)
BY_EMPLOYEE = "SELECT workspace_id || ' ' || employee_id, name FROM projections.employee_directory ORDER BY 1"
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


@pytest.mark.parametrize("job", JOBS)
def test_a_rebuild_that_is_killed_leaves_the_old_rows_and_the_next_one_finishes(url: str, job: str) -> None:
    """At every point at once, each in a workspace of its own."""
    with Database(url) as database:
        found(database, POINTS)
        engine_of(database).catch_up()
        right = rows_by_workspace(database)
        with database.owner() as connection:
            # Indexes are made from the projections as these are.
            if job == JOB:
                connection.execute(WRONG)
                connection.execute("DELETE FROM projections.employment_periods WHERE employee_id = 'e-1'")
            connection.execute("UPDATE search.projects SET title = 'Wrong'")
            connection.execute("UPDATE search.employees SET title = 'Wrong' WHERE entity_id <> 'e-1'")
            connection.execute("DELETE FROM search.employees WHERE entity_id = 'e-1'")
        wrong = rows_by_workspace(database)
        processes = {point: start("rebuild_process", url, job, point, point) for point in POINTS}
        assert {point: process.stdout and process.stdout.readline() for point, process in processes.items()} == (
            dict.fromkeys(POINTS, "here\n")
        )
        for process in processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
        until(lambda: not rows(database, IN_A_TRANSACTION))
        mended = {point: mended_by(job, wrong[point], right[point]) for point in POINTS}
        assert rows_by_workspace(database) == wrong | {"committed": mended["committed"]}
        engine = engine_of(database, JOBS[job](), worker_lost_after=2)
        ended = []
        until(lambda: ended.append(engine.fail_lost_workers()) or sum(ended) == len(POINTS) - 1)
        assert {one.status for one in run(engine, job, list(POINTS), parameters={"dry_run": False})} == {"completed"}
        assert rows_by_workspace(database) == mended
        assert rows(database, LEFT_BEHIND) == []


def rows_by_workspace(database: Database) -> dict[str, dict[str, list[str]]]:
    """The rows of every table of every projection and index, by workspace and table."""
    found_rows: dict[str, dict[str, list[str]]] = {}
    for projection in all_projections().values():
        for table in projection.tables:
            name = f"{projection.schema}.{table.name}"
            for workspace_id, row in rows(database, f"SELECT workspace_id, t::text FROM {name} t ORDER BY 1, 2"):
                found_rows.setdefault(workspace_id, {}).setdefault(name, []).append(row)
    return found_rows


def mended_by(job: str, wrong: dict[str, list[str]], right: dict[str, list[str]]) -> dict[str, list[str]]:
    """What a rebuild makes of wrong rows: right ones in the schema that is its own."""
    own = "search." if job == RebuildSearchIndexes.name else "projections."
    kept = {name: found_rows for name, found_rows in wrong.items() if not name.startswith(own)}
    return kept | {name: found_rows for name, found_rows in right.items() if name.startswith(own)}


def test_a_reader_sees_the_rows_of_before_or_those_of_after(company: Database, url: str) -> None:
    right = dict(rows(company, BY_EMPLOYEE))
    with company.owner() as connection:
        connection.execute(WRONG)
        connection.execute("DELETE FROM projections.employee_directory WHERE employee_id = 'e-1'")
    before = dict(rows(company, BY_EMPLOYEE))
    with reading(url, BY_EMPLOYEE) as seen:
        engine = engine_of(company, RebuildEmployeeProjections())
        for scope in ({"employee_id": "e-1"}, {"employee_id": "e-3"}, {}, {"projection": "employee_directory"}):
            run(engine, JOB, NAMES, DAY, parameters={"dry_run": False, **scope})
    # Both workspaces of a scope at once, as they are rebuilt in one transaction.
    first = {f"{name} e-1": right[f"{name} e-1"] for name in NAMES}
    third = {f"{name} e-3": right[f"{name} e-3"] for name in NAMES}
    assert [dict(state) for state in seen] == [before, before | first, before | first | third, right]


def test_what_others_write_meanwhile_is_never_lost_nor_taken_back(company: Database, url: str) -> None:
    query = (
        f"{BY_EMPLOYEE.partition(' ORDER')[0]} UNION ALL SELECT workspace_id || entity_id, title FROM search.employees"
    )
    jobs = (RebuildEmployeeProjections(), RebuildSearchIndexes())
    engine, written, is_over = engine_of(company, *jobs), 0, threading.Event()

    def write() -> None:
        nonlocal written
        while not is_over.is_set():
            import_all(company, *of("acme", employee("e-1", name=f"{written + 1:06}")))
            engine.catch_up(workspaces=["acme"])
            written += 1

    with reading(url, query) as seen, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        for scope in ({}, {"employee_id": "e-1"}, {"employee_id": "e-2"}):
            with company.owner() as connection:
                connection.execute(
                    "UPDATE projections.employee_directory SET name = 'Wrong' "
                    "WHERE workspace_id = 'acme' AND employee_id = 'e-2'"
                )
                connection.execute(
                    "UPDATE search.employees SET title = 'Wrong' WHERE workspace_id = 'acme' AND entity_id = 'e-2'"
                )
            for job in jobs if not scope else jobs[:1]:
                (ended,) = run(engine, job.name, ["acme"], parameters={"dry_run": False, **scope})
                assert ended.status == "completed"
        is_over.set()
        writing.result()
    states = [dict(state) for state in seen]
    for place in ("acme e-1", "acmee-1"):
        names = [state[place] for state in states if state[place] != "e-1"]
        assert names == sorted(names)
        assert names[-1] == f"{written:06}"
    assert len(states) > 5
    assert {len(state) for state in states} == {12}
    assert rows(company, "SELECT name FROM projections.employee_directory WHERE name = 'Wrong'") == []


@pytest.mark.parametrize("job", JOBS.values())
def test_what_is_under_way_is_waited_for_before_anything_is_compared(company: Database, url: str, job: Any) -> None:
    engine = engine_of(company, job())
    with ThreadPoolExecutor(1) as pool, Database(url) as others:
        with others.worker(["acme"]) as writing:
            lock_workspaces(writing, ["acme"])
            rebuilding = pool.submit(run, engine, job.name, NAMES, parameters={"dry_run": False})
            until(lambda: rows(company, WAITS_FOR_A_WORKSPACE))
        (acme, globex) = rebuilding.result(60)
    assert (acme.status, globex.status) == ("completed", "completed")


@contextmanager
def reading(url: str, query: str) -> Iterator[list[list[list[str]]]]:
    """Let another process read without pause for the length of a `with` block. Fills the list with what it saw."""
    seen: list[list[list[str]]] = []
    process = start("reading_process", url, query)
    try:
        assert process.stdout
        assert process.stdout.readline() == "reading\n"
        yield seen
        said, _ = process.communicate("stop\n")
        seen += json.loads(said)
    finally:
        process.kill()
