"""Several processes at once: one active run a key, workers that die, hang and wake up again."""

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from batch_jobs.engine.requests import RunRequest
from batch_jobs.engine.workers import WorkerLostError, at_work, fail_lost_workers
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import DAY, digests, engine_of, found, marked, rows, run
from batch_jobs_tests.engine.marking import Marking

NAMES = [f"w-{number}" for number in range(4)]
ALL = {(name, f"e-{number}") for name in NAMES for number in (1, 2, 3)}


@pytest.fixture
def start(database):
    started = []

    def start(gate, *names, lost_after=2, due=False):
        wish = [database.url, str(lost_after), gate, "due" if due else "all", *names]
        process = subprocess.Popen(
            [sys.executable, "-m", "batch_jobs_tests.engine.worker_process", *wish],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.communicate()


def _is_deciding(process):
    assert process.stdout.readline() == "deciding\n"


def _end(process):
    """Let a held process go on, and give what it says at the end."""
    out, _ = process.communicate("go on\n", timeout=60)
    return json.loads(out.splitlines()[-1])


def _statuses(database):
    return rows(database, "SELECT workspace_id, attempt, status, message FROM batch_jobs.job_runs ORDER BY 1, 2")


def test_a_second_request_for_an_active_run_is_refused_naming_the_first(database, start):
    found(database, NAMES)
    first = start("w-2", *NAMES, lost_after=60)
    _is_deciding(first)
    engine = engine_of(database, Marking())
    ((job_run_id,),) = rows(database, "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE workspace_id = 'w-2'")
    with pytest.raises(BadInputError) as refused:
        run(engine, "marking", ["w-2"])
    assert f"is started already: job run {job_run_id}, since" in str(refused.value)
    assert f"by user:first; wait for its end, or stop it: batch-jobs runs stop {job_run_id}" in str(refused.value)
    # With only_due, and where active keys are to be left out, there is nothing to do.
    assert run(engine, "marking", NAMES, only_due=True) == []
    assert run(engine, "marking", ["w-2"], refuse_active=False) == []
    assert {status for _, status, _ in _end(first)["runs"]} == {"completed"}
    assert marked(database) == ALL


@pytest.mark.parametrize("due", [True, False])
def test_of_two_requests_at_the_same_moment_nothing_is_doubled(database, start, due):
    found(database, NAMES)
    ended = [_end(process) for process in [start("none", *NAMES, lost_after=60, due=due) for _ in range(2)]]
    assert marked(database) == ALL
    if not due:
        assert any("runs" in one for one in ended)
    statuses = {status for _, _, status, _ in _statuses(database)}
    assert statuses == {"completed"}


def test_a_killed_worker_is_noticed_and_its_work_taken_over(database, start):
    found(database, NAMES)
    lost = start("w-2", *NAMES)
    _is_deciding(lost)
    lost.kill()
    lost.wait()
    engine = engine_of(database, Marking(), worker_lost_after=2)
    until(engine.fail_lost_workers)
    assert _statuses(database) == [
        ("w-0", 1, "completed", None),
        ("w-1", 1, "completed", None),
        ("w-2", 1, "failed", "worker lost"),
        ("w-3", 1, "failed", "worker lost"),
    ]
    assert marked(database) == {one for one in ALL if one[0] in ("w-0", "w-1")}
    (two, three) = run(engine, "marking", ["w-2", "w-3"])
    assert (two.attempt, two.status, three.status) == (2, "completed", "completed")
    assert marked(database) == ALL


def test_a_worker_that_wakes_up_after_it_was_given_up_commits_nothing(database, start):
    found(database, NAMES)
    stopped = start("w-2", *NAMES)
    _is_deciding(stopped)
    stopped.send_signal(signal.SIGSTOP)
    engine = engine_of(database, Marking(), worker_lost_after=2)
    # The database ends its transaction, and with that its hold on its own row and on the workspace.
    until(engine.fail_lost_workers)
    run(engine, "marking", ["w-2"])
    before = digests(database)
    stopped.send_signal(signal.SIGCONT)
    assert _end(stopped)["runs"] == [
        ["w-0", "completed", None],
        ["w-1", "completed", None],
        ["w-2", "failed", "worker lost"],
        ["w-3", "failed", "worker lost"],
    ]
    assert digests(database) == before
    assert rows(database, "SELECT FROM batch_jobs.workers") == []


def test_a_worker_in_the_midst_of_a_chunk_is_not_given_up_for_a_late_heartbeat(database):
    with at_work(database, lost_after=600) as worker:
        with database.owner() as connection:
            connection.execute("UPDATE batch_jobs.workers SET heartbeat_at = now() - interval '1 hour'")
        with database.worker([]) as connection:
            worker.fence(connection)
            fail_lost_workers(database, lost_after=30)
            assert len(rows(database, "SELECT FROM batch_jobs.workers")) == 1
        fail_lost_workers(database, lost_after=30)
        assert rows(database, "SELECT FROM batch_jobs.workers") == []
        with pytest.raises(WorkerLostError), database.worker([]) as connection:
            worker.fence(connection)
        assert worker.lost.is_set()


def test_a_lost_worker_is_noticed_after_the_clock_was_put_back(database):
    found(database, ["acme"])
    with at_work(database, lost_after=600):
        with database.owner() as connection:
            connection.execute("UPDATE batch_jobs.workers SET heartbeat_at = now() + interval '1 day'")
        fail_lost_workers(database, lost_after=0.2)
        assert len(rows(database, "SELECT FROM batch_jobs.workers")) == 1

        def look():
            fail_lost_workers(database, lost_after=0.2)
            return not rows(database, "SELECT FROM batch_jobs.workers")

        until(look)


def test_the_heart_beats_and_survives_a_database_that_is_away(database):
    beat = "SELECT max(heartbeat_at) FROM batch_jobs.workers"
    with at_work(database, lost_after=0.6):
        first = rows(database, beat)
        until(lambda: rows(database, beat) > first)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        later = rows(database, beat)
        until(lambda: rows(database, beat) > later)
    assert rows(database, "SELECT FROM batch_jobs.workers") == []


def test_an_interrupted_run_leaves_no_run_active(database):
    found(database, NAMES)

    def interrupt(batch):
        if "w-2" in batch.runs:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(engine_of(database, Marking(on_batch=interrupt), chunk_rows=3), "marking", NAMES)
    assert [(status, message) for _, _, status, message in _statuses(database)] == [
        ("completed", None),
        ("completed", None),
        ("failed", "worker lost: KeyboardInterrupt"),
        ("failed", "worker lost: KeyboardInterrupt"),
    ]


def test_engines_over_the_same_workspaces_in_other_order_do_not_deadlock(database):
    names = [f"w-{number:02}" for number in range(12)]
    found(database, names)
    engine_of(database).catch_up()
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    gate = threading.Barrier(3)

    def work(job, order):
        with Database(database.url) as own:
            marking = Marking()
            marking.name = job
            engine = engine_of(own, marking, chunk_rows=9)
            gate.wait()
            return engine.run(RunRequest(job=job, targets=[(name, DAY) for name in order]))

    orders = {"one": names, "two": names[::-1], "three": names[6:] + names[:6]}
    with ThreadPoolExecutor(3) as pool:
        ended = [run for runs in pool.map(work, orders, orders.values()) for run in runs]
    assert [run.status for run in ended] == ["completed"] * 36
    assert rows(database, "SELECT count(*) FROM batch_jobs.events WHERE type = 'statement.period_started'") == [(108,)]
    positions = "SELECT FROM batch_jobs.events GROUP BY workspace_id HAVING count(*) <> max(position)"
    assert rows(database, positions) == []
    assert rows(database, deadlocks) == [(0,)]
