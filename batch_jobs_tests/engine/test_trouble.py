"""Long waits for locks and scarce connections are told and waited out, for a while."""

from collections.abc import Callable

import psycopg
import pytest

from batch_jobs.engine import trouble
from batch_jobs.engine.progress import Progress
from batch_jobs.engine.requests import RunRequest
from batch_jobs.engine.trouble import Pause
from batch_jobs.store.database import Database
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import DAY, engine_of, found, rows
from batch_jobs_tests.engine.marking import Marking
from batch_jobs_tests.engine.replica import streaming_pair


def look(database: Database) -> dict[str, str]:
    with database.owner() as connection:
        return trouble.trouble(connection)


def test_a_quiet_database_is_in_no_trouble(database: Database) -> None:
    assert not look(database)


@pytest.mark.parametrize(
    "statement",
    [
        b"LOCK TABLE batch_jobs.workers",
        # Waits for the transaction that has the row, which belongs to no database.
        b"SELECT FROM batch_jobs.workspaces WHERE workspace_id = 'acme' FOR UPDATE",
    ],
)
def test_a_long_wait_for_a_lock_is_trouble_until_it_ends(
    database: Database, monkeypatch: pytest.MonkeyPatch, statement: bytes
) -> None:
    found(database, ["acme"])
    monkeypatch.setattr(trouble, "LOCK_SECONDS", 0.1)
    held: list[Callable[[], None]] = []
    told: list[str | None] = []
    with psycopg.connect(database.url) as holding, psycopg.connect(database.url) as waiting:
        holding.execute(statement)
        waiting.pgconn.send_query(b"BEGIN; " + statement)
        until(lambda: look(database))
        assert look(database) == {"locks": "1 sessions have waited for a lock for more than 0.1 s"}
        held.append(holding.rollback)

        def sleep(_: float) -> None:
            held.pop()()
            until(lambda: not look(database))

        Pause(database, on_trouble=told.append, sleep=sleep)(lambda: False)
        waiting.pgconn.finish()
    assert told == ["1 sessions have waited for a lock for more than 0.1 s", None]


def test_a_job_that_waits_for_a_busy_workspace_does_not_make_others_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(database, ["acme"])
    monkeypatch.setattr(trouble, "LOCK_SECONDS", 0)
    mine = b"SELECT FROM batch_jobs.workspaces WHERE workspace_id = 'acme' FOR UPDATE"
    with (
        psycopg.connect(database.url) as holding,
        psycopg.connect(database.url, application_name="batch_jobs") as job,
        psycopg.connect(database.url) as user,
    ):
        holding.execute(mine)
        job.pgconn.send_query(mine)
        waits = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
        until(lambda: rows(database, waits, job.info.backend_pid))
        assert not look(database)
        user.pgconn.send_query(mine)
        until(lambda: look(database))
        holding.rollback()
        job.pgconn.finish()
        user.pgconn.finish()


def test_scarce_connections_are_trouble(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    assert "connections are in use" in look(database)["connections"]


def test_a_replica_that_falls_behind_is_trouble_until_it_is_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "LAG_SECONDS", 0.5)
    with (
        streaming_pair() as pair,
        Database(pair.application) as database,
        psycopg.connect(pair.primary, autocommit=True) as primary,
        psycopg.connect(pair.replica, autocommit=True) as replica,
    ):
        primary.execute("CREATE TABLE written AS SELECT 1 AS n")
        until(lambda: replica.execute("SELECT to_regclass('written') IS NOT NULL").fetchone() == (True,))
        replica.execute("SELECT pg_wal_replay_pause()")
        until(lambda: replica.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",))
        primary.execute("INSERT INTO written VALUES (2)")
        with database.owner() as connection:
            assert not trouble.trouble(connection), "a plain user does not see replicas"
        primary.execute("GRANT pg_monitor TO batch_jobs")
        until(lambda: look(database))
        assert look(database)["replicas"].startswith("a replica is ")
        replica.execute("SELECT pg_wal_replay_resume()")
        until(lambda: not look(database))


def test_trouble_that_stays_is_not_waited_out_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    slept: list[float] = []
    pause = Pause(database, on_trouble=lambda _: None, sleep=slept.append)
    pause(lambda: False)
    assert sum(slept) == trouble.LONGEST_PAUSE
    pause(lambda: False)
    assert sum(slept) == trouble.LONGEST_PAUSE, "each chunk would have waited anew"
    monkeypatch.undo()
    pause(lambda: False)
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    pause(lambda: True)
    assert sum(slept) == trouble.LONGEST_PAUSE
    pause(lambda: False)
    assert sum(slept) == 2 * trouble.LONGEST_PAUSE, "it was over, and came back"


def test_what_stays_does_not_hide_what_comes_upon_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    monkeypatch.setattr(trouble, "LOCK_SECONDS", 0)
    told: list[str | None] = []
    pause = Pause(database, on_trouble=told.append, sleep=lambda _: None)
    pause(lambda: False)
    told.clear()
    statement = b"LOCK TABLE batch_jobs.workers"
    with psycopg.connect(database.url) as holding, psycopg.connect(database.url) as waiting:
        holding.execute(statement)
        waiting.pgconn.send_query(b"BEGIN; " + statement)
        until(lambda: "locks" in look(database))
        pause(lambda: False)
        waiting.pgconn.finish()
    assert set(told) == {"1 sessions have waited for a lock for more than 0 s", None}


def test_a_run_tells_what_it_waits_for_and_ends_well(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    found(database, ["acme"])
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    monkeypatch.setattr(trouble, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(trouble, "LONGEST_PAUSE", 0.01)
    seen: list[Progress] = []
    engine = engine_of(database, Marking())
    request = RunRequest(job="marking", targets=[("acme", DAY)])
    (ended,) = engine.run(request, on_progress=seen.append)
    assert ended.status == "completed"
    assert "connections are in use" in str(seen[0].trouble)
    assert seen[-1].trouble is None


def test_a_run_that_pauses_can_be_stopped(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    found(database, ["acme"])
    monkeypatch.setattr(trouble, "CONNECTIONS_PERCENT", 0)
    monkeypatch.setattr(trouble, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(trouble, "LONGEST_PAUSE", 5)
    engine = engine_of(database, Marking())
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        if not seen:
            ((job_run_id,),) = rows(database, "SELECT job_run_id::text FROM batch_jobs.job_runs")
            engine.stop(job_run_id)
        seen.append(progress)

    (ended,) = engine.run(RunRequest(job="marking", targets=[("acme", DAY)]), on_progress=stop)
    assert (ended.status, ended.message) == ("stopped", "stopped by hand")
    assert [progress.trouble is None for progress in seen[:2]] == [False, True]
