"""One bad row, one bad workspace, a database in trouble, a stop: what is lost and what stays."""

import threading
from itertools import count
from typing import Any

import psycopg
import pytest

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.progress import Progress
from batch_jobs.engine.requests import RunRequest
from batch_jobs.engine.runner import MOST_BLAMED_ROWS
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, digests, engine_of, found, marked, rows, run
from batch_jobs_tests.engine.marking import Marking

FIFTY = [f"w-{number:02}" for number in range(50)]
BAD = ("w-07", "e-2")
TRIGGER = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no mark for %', NEW.employee_id; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON batch_jobs.events FOR EACH ROW
    WHEN (NEW.type = 'statement.period_started' AND NEW.workspace_id = 'w-07' AND NEW.employee_id = 'e-2')
    EXECUTE FUNCTION refuse()
"""


def _is_bad(row):
    return (row.workspace_id, row.employee_id) == BAD


def _report(batch, row):
    if _is_bad(row):
        batch.error(row, entity="employee", entity_id="e-2", error="bad", message="no mark for e-2")


def _raise(_batch, row):
    if _is_bad(row):
        raise ValueError("no mark for e-2 \0 \ud800")


def _break_statement(batch, row):
    if _is_bad(row):
        batch.connection.execute("SELECT 1 / 0")


@pytest.mark.parametrize("how", [_report, _raise, _break_statement, "trigger"])
@pytest.mark.parametrize("chunk_rows", [20, 10_000])
def test_a_bad_row_stops_no_other_row_and_no_other_workspace(database, how, chunk_rows):
    found(database, FIFTY)
    if how == "trigger":
        with database.owner() as connection:
            connection.execute(TRIGGER)
    job = Marking() if how == "trigger" else Marking(how)
    runs = run(engine_of(database, job, chunk_rows=chunk_rows), "marking", FIFTY)
    assert {one.workspace_id: one.status for one in runs} == {
        name: "warning" if name == "w-07" else "completed" for name in FIFTY
    }
    warning = runs[7]
    assert (warning.counters, warning.errors) == ({"marked": 2, "errors": 1}, 1)
    assert marked(database) == {(name, f"e-{n}") for name in FIFTY for n in (1, 2, 3)} - {BAD}
    ((row_id, message),) = rows(database, "SELECT row_id, message FROM batch_jobs.job_run_errors")
    assert row_id == "e-2"
    assert ("division by zero" if how is _break_statement else "no mark for e-2") in message


def test_the_log_tells_where_an_unexpected_error_came_from_once_and_without_a_password(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    found(database, ["acme"], employees=5)
    found(database, ["beta"], employees=MOST_BLAMED_ROWS + 5)

    def refuse_the_database(_batch: Batch, row: Any) -> None:
        if row.employee_id != "e-1":
            raise ValueError("not in postgresql://ann:s3cret@db.example/time")

    acme, beta = run(engine_of(database, Marking(refuse_the_database)), "marking", ["acme", "beta"])
    assert (acme.status, acme.errors, beta.status) == ("warning", 4, "failed")
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition(" (more")[0] for text in said] == [
        'marking can not work on row "e-2" of acme',
        "marking failed for beta",
    ]
    for text in said:
        assert "in refuse_the_database" in text
        assert "ValueError: not in postgresql://ann:***@db.example/time" in text
    stored = rows(database, "SELECT message FROM batch_jobs.job_run_errors")
    assert {message for (message,) in stored} == {
        "marking can not work on this row: not in postgresql://ann:***@db.example/time"
    }
    assert beta.message == "ValueError: not in postgresql://ann:***@db.example/time"


@pytest.mark.parametrize("error", [BadInputError("mend it"), psycopg.errors.DiskFull("no room")])
def test_what_a_person_can_mend_and_what_passes_leave_no_traceback(
    database: Database, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    found(database, ["acme"], employees=2)

    def fail(_batch: Batch, _row: Any) -> None:
        raise error

    (acme,) = run(engine_of(database, Marking(fail)), "marking", ["acme"])
    assert acme.status in ("warning", "failed")
    assert caplog.records == []


def test_a_job_that_fails_on_every_row_fails_the_workspace_and_no_other(database):
    found(database, ["acme"], employees=MOST_BLAMED_ROWS + 5)
    found(database, ["zeta"])

    def fail(_batch, row):
        if row.workspace_id == "acme":
            raise RuntimeError("broken job")

    acme, zeta = run(engine_of(database, Marking(fail)), "marking", ["acme", "zeta"])
    assert (acme.status, acme.message) == ("failed", "RuntimeError: broken job")
    assert (zeta.status, zeta.counters["marked"]) == ("completed", 3)


def test_an_indivisible_workspace_is_done_as_a_whole_or_not_at_all(database):
    found(database, FIFTY[:10])
    job = Marking(_raise)
    job.divisible = False
    runs = run(engine_of(database, job, chunk_rows=2), "marking", FIFTY[:10])
    assert [one.status for one in runs] == ["completed"] * 7 + ["failed"] + ["completed"] * 2
    assert len(marked(database)) == 27


def test_a_fold_that_fails_for_one_workspace_fails_its_run_without_blaming_rows(database):
    found(database, FIFTY[:10])
    engine = engine_of(database, Marking())
    engine.catch_up()
    with database.owner() as connection:
        connection.execute(
            TRIGGER.replace("batch_jobs.events", "projections.timesheet_statements")
            .replace("NEW.type = 'statement.period_started' AND ", "")
            .replace(" AND NEW.employee_id = 'e-2'", "")
        )
    builders.import_all(database, *builders.of("w-07", builders.statement("period_started", "e-1", DAY, DAY)))
    runs = run(engine, "marking", FIFTY[:10])
    assert [one.status for one in runs] == ["completed"] * 7 + ["failed"] + ["completed"] * 2
    assert runs[7].errors == 0
    assert "no mark for e-1" in runs[7].message
    with pytest.raises(psycopg.errors.RaiseException):
        engine.catch_up()


@pytest.mark.parametrize("sqlstate", ["40P01", "08006", "57014"])
def test_trouble_of_the_database_is_met_with_patience(database, sqlstate):
    found(database, FIFTY[:5])
    tries = count()

    def once(batch):
        if next(tries) == 0:
            batch.connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{sqlstate}'; END $$")

    runs = run(engine_of(database, Marking(on_batch=once)), "marking", FIFTY[:5])
    assert {one.status for one in runs} == {"completed"}
    assert next(tries) == 2


def test_a_connection_cut_in_mid_chunk_is_replaced(database):
    found(database, FIFTY[:5])
    tries = count()

    def cut(batch):
        if next(tries) == 0:
            batch.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    runs = run(engine_of(database, Marking(on_batch=cut)), "marking", FIFTY[:5])
    assert {one.status for one in runs} == {"completed"}
    assert len(marked(database)) == 15


def test_lasting_trouble_fails_the_chunk_without_looking_for_a_guilty_row(database):
    found(database, FIFTY[:5])
    tries = count()

    def always(batch):
        next(tries)
        batch.connection.execute("DO $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$")

    runs = run(engine_of(database, Marking(on_batch=always)), "marking", FIFTY[:5])
    assert {(one.status, one.errors) for one in runs} == {("failed", 0)}
    assert "disk full" in runs[0].message
    assert next(tries) == 4


@pytest.mark.parametrize("employees", [2, 9])
def test_a_stop_keeps_what_was_committed_and_stops_the_rest(database, employees):
    """With 9 employees and chunks of 4 rows each workspace is sliced, and stopped in its midst."""
    found(database, FIFTY[:6], employees=employees)
    stopping = []
    runs = engine_of(database, Marking(), chunk_rows=4).run(
        RunRequest(job="marking", targets=[(name, DAY) for name in FIFTY[:6]]),
        on_progress=lambda _: stopping.append(True),
        should_stop=lambda: len(stopping) >= 2,
    )
    done = [one for one in runs if one.status == "completed"]
    if employees == 2:
        assert [one.status for one in runs] == ["completed"] * 4 + ["stopped"] * 2
        assert len(marked(database)) == 8
    else:
        assert not done
        assert {one.status for one in runs} == {"stopped"}
        assert (runs[0].counters["marked"], len(marked(database))) == (8, 8)
    assert {one.message for one in runs if one.status == "stopped"} == {"stopped by hand"}
    assert all(one.ended_at for one in runs)


def test_a_stop_of_one_run_leaves_the_others(database):
    found(database, FIFTY[:4])
    engine = engine_of(database, Marking(), chunk_rows=3)

    def stop_last(runs):
        if runs[0].workspace_id == "w-00":
            ((last,),) = rows(database, "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE workspace_id = 'w-03'")
            assert engine.stop(last).status == "pending"

    runs = engine.run(RunRequest(job="marking", targets=[(name, DAY) for name in FIFTY[:4]]), on_finished=stop_last)
    assert [one.status for one in runs] == ["completed"] * 3 + ["stopped"]
    with pytest.raises(BadInputError, match="is stopped; only a pending or started one can be stopped"):
        engine.stop(runs[3].job_run_id)


@pytest.mark.parametrize("chunk_rows", [2, 100])
def test_a_workspace_suspended_in_mid_run_fails_and_the_others_go_on(database, chunk_rows):
    found(database, FIFTY[:4])

    def suspend(_done):
        builders.import_all(database, *builders.of("w-02", builders.event("workspace.suspended")))

    engine = engine_of(database, Marking(), chunk_rows=chunk_rows)
    if chunk_rows == 100:
        real = engine._planning.queue
        engine._planning.queue = lambda *given: (real(*given), suspend(None))[0]
    runs = engine.run(
        RunRequest(job="marking", targets=[(name, DAY) for name in FIFTY[:4]]),
        on_finished=lambda runs: suspend(runs) if chunk_rows == 2 and runs[0].workspace_id == "w-00" else None,
    )
    assert [one.status for one in runs] == ["completed", "completed", "failed", "completed"]
    assert runs[2].message == 'workspace "w-02" is suspended; jobs run in active workspaces only'
    assert len(marked(database)) == 9


def test_the_first_1000_row_errors_are_kept_and_all_are_counted(database):
    found(database, ["acme"], employees=1_050)

    def refuse(batch, row):
        batch.error(row, entity="employee", entity_id=row.employee_id, error="bad", message="as the test wants")

    (one,) = run(engine_of(database, Marking(refuse), chunk_rows=300), "marking", ["acme"])
    assert (one.status, one.errors, one.counters["errors"]) == ("warning", 1_050, 1_050)
    assert rows(database, "SELECT count(*), max(number) FROM batch_jobs.job_run_errors") == [(1_000, 1_000)]


@pytest.mark.parametrize("chunk_rows", [1, 7, 10_000])
def test_slices_and_chunks_write_the_same_tables(make_database, migrated, database, chunk_rows):
    def fill(into, size):
        names = [f"w-{number}" for number in range(4)]
        found(into, names[:3], employees=2)
        found(into, names[3:], employees=20)
        engine = engine_of(into, Marking(), chunk_rows=size)
        runs = run(engine, "marking", names)
        assert [one.counters["marked"] for one in runs] == [2, 2, 2, 20]
        ids = (
            "SELECT workspace_id, position, event_id FROM batch_jobs.events WHERE type LIKE 'statement.%' ORDER BY 1, 2"
        )
        return rows(into, ids), digests(into)["projections.timesheet_statements"]

    with Database(make_database(migrated)) as other:
        assert fill(database, 10_001) == fill(other, chunk_rows)


def test_progress_counts_workspaces_and_due_rows_to_the_end(database):
    found(database, ["acme", "beta"], employees=2)
    found(database, ["zeta"], employees=9)
    seen: list[Progress] = []
    targets = [(name, DAY.replace(day=day)) for name in ("acme", "beta", "zeta") for day in (22, 23)]
    engine_of(database, Marking(), chunk_rows=4).run(
        RunRequest(job="marking", targets=targets), on_progress=seen.append
    )
    assert seen[0] == Progress("marking", 2, 6, 4, 26)
    assert seen[1] == Progress("marking", 2, 6, 8, 26)
    assert seen[-1] == Progress("marking", 6, 6, 26, 26)
    assert [one.rows_done for one in seen] == sorted(one.rows_done for one in seen)


def test_an_error_of_a_callback_is_no_fault_of_the_job(database):
    found(database, FIFTY[:4])

    def fail(_runs):
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        engine_of(database, Marking(), chunk_rows=3).run(
            RunRequest(job="marking", targets=[(name, DAY) for name in FIFTY[:4]]), on_finished=fail
        )
    statuses = rows(database, "SELECT status, message FROM batch_jobs.job_runs ORDER BY workspace_id")
    assert statuses == [("completed", None)] + [("failed", "worker lost: RuntimeError")] * 3


class SideBySide(Marking):
    side_by_side = True


@pytest.mark.parametrize("chunk_rows", [3, 1])
def test_chunks_side_by_side_give_what_they_give_one_by_one(database, chunk_rows):
    found(database, FIFTY[:8])
    # Nobody goes on before another chunk has come as far: one by one this would end in BrokenBarrierError.
    meeting = threading.Barrier(2, timeout=30)
    met = set()

    def meet(batch):
        if batch.rows and (name := batch.rows[0].workspace_id) not in met:
            met.add(name)
            meeting.wait()

    progress = []
    engine = engine_of(database, SideBySide(on_batch=meet), chunk_rows=chunk_rows, chunks_at_once=2)
    targets = [(name, DAY) for name in FIFTY[:8]]
    runs = engine.run(RunRequest(job="marking", targets=targets), on_progress=progress.append)
    assert [(one.status, one.counters["marked"]) for one in runs] == [("completed", 3)] * 8
    assert marked(database) == {(name, f"e-{n}") for name in FIFTY[:8] for n in (1, 2, 3)}
    assert (progress[-1].workspaces_done, progress[-1].rows_done, progress[-1].rows) == (8, 24, 24)
    assert [one.workspaces_done for one in progress] == sorted(one.workspaces_done for one in progress)


def test_a_bad_row_stops_no_chunk_beside_it(database):
    found(database, FIFTY[:9])
    runs = run(engine_of(database, SideBySide(_raise), chunk_rows=3, chunks_at_once=3), "marking", FIFTY[:9])
    assert [one.workspace_id for one in runs if one.status != "completed"] == ["w-07"]
    assert marked(database) == {(name, f"e-{n}") for name in FIFTY[:9] for n in (1, 2, 3)} - {BAD}
