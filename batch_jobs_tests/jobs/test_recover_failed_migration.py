"""What another version of the code began is rebuilt, dead letters are tried again, and what is well is left alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, ClassVar

import pytest

from batch_jobs import search
from batch_jobs.engine import shadows
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.recover_failed_migration import RecoverFailedMigration
from batch_jobs.search.employees import Employees
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import event, import_all, of, statement
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import digests, engine_of, found, rows, run

JOB = RecoverFailedMigration.name
NAMES = ["acme", "globex", "initech"]


@pytest.fixture
def engine(database: Database) -> Engine:
    found(database, NAMES)
    import_all(database, event("workspace.suspended", workspace_id="initech"))
    made = engine_of(database, RecoverFailedMigration())
    made.catch_up()
    return made


def recover(engine: Engine, *workspaces: str, **parameters: Any) -> list[JobRun]:
    return run(engine, JOB, workspaces or NAMES, parameters=parameters)


def counted(job_run: JobRun) -> dict[str, int]:
    return {name: number for name, number in job_run.counters.items() if number and name != "skipped_reason"}


def forget_statements(engine: Engine) -> None:
    """As if the code of then could not start a statement."""
    with engine.database.owner() as connection:
        connection.execute("DELETE FROM projections.timesheet_statements")
        connection.execute(
            "INSERT INTO batch_jobs.dead_letters "
            "SELECT workspace_id, 'timesheet_statements', position, event_id, type, "
            "'not known' FROM batch_jobs.events WHERE type = 'statement.period_started'"
        )


def test_nothing_is_due_after_a_good_deploy(engine: Engine) -> None:
    assert [(one.status, counted(one)) for one in recover(engine)] == [("completed", {})] * 3


def test_what_other_code_began_is_rebuilt_also_in_suspended_workspaces(engine: Engine) -> None:
    before = digests(engine.database)
    with engine.database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.checkpoints SET version = 99 WHERE projection IN ('employee_directory', 'projects') "
            "AND workspace_id <> 'globex'"
        )
        connection.execute("UPDATE projections.employee_directory SET name = 'Of other code'")
    found_stale = {"projections_stale": 2, "projections_rebuilt": 1, "indexes_rebuilt": 1}
    acme, globex, initech = recover(engine)
    assert [counted(one) for one in (acme, globex, initech)] == [found_stale, {}, found_stale]
    assert acme.plan
    assert {row["before"]["name"] for row in acme.plan} == {"Of other code"}
    assert [counted(one) for one in recover(engine, dry_run=False)] == [found_stale, {}, found_stale]
    assert rows(engine.database, "SELECT count(*) FROM batch_jobs.checkpoints WHERE version = 99") == [(0,)]
    assert rows(
        engine.database, "SELECT DISTINCT workspace_id FROM projections.employee_directory WHERE name = 'Of other code'"
    ) == [("globex",)]
    assert [counted(one) for one in recover(engine)] == [{}, {}, {}]
    kept = digests(engine.database)
    assert {name for name in before if before[name] != kept[name]} == {"projections.employee_directory"}


def test_workspaces_of_a_chunk_may_lack_different_things(engine: Engine) -> None:
    before = digests(engine.database)
    with engine.database.owner() as connection:
        for workspace_id, projection in (("acme", "employees"), ("globex", "employee_directory")):
            connection.execute(
                "UPDATE batch_jobs.checkpoints SET version = 99 WHERE workspace_id = %s AND projection = %s",
                [workspace_id, projection],
            )
        connection.execute("UPDATE search.employees SET title = 'Wrong' WHERE workspace_id = 'acme'")
    kinds = ("projections_stale", "indexes_rebuilt", "projections_rebuilt")
    for dry_run in (True, False):
        acme, globex = recover(engine, "acme", "globex", dry_run=dry_run)
        assert [[one.counters[kind] for kind in kinds] for one in (acme, globex)] == [[1, 1, 0], [1, 0, 1]]
        if dry_run:
            assert [len(one.plan or ()) for one in (acme, globex)] == [3, 0]
    assert digests(engine.database) == before


def test_an_index_of_another_configuration_is_rebuilt(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wider(Employees):
        fields: ClassVar[dict[str, str]] = {**Employees.fields, "name": "B"}

    weights = (
        "SELECT DISTINCT w FROM search.employees, unnest(tsvector_to_array(document)) v, substr(v, 7, 1) AS w "
        "WHERE w <> '#'"
    )
    assert rows(engine.database, weights) == [("A",)]
    monkeypatch.setitem(search.registry(), Employees.name, Wider())
    stale = {"projections_stale": 1, "indexes_rebuilt": 1}
    for dry_run in (True, False):
        assert [counted(one) for one in recover(engine, dry_run=dry_run)] == [stale] * 3
    assert rows(engine.database, weights) == [("B",)]
    assert [counted(one) for one in recover(engine)] == [{}] * 3


def test_what_was_made_of_mended_rows_is_named(engine: Engine) -> None:
    with engine.database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.checkpoints SET version = 99 WHERE projection = 'employee_directory' "
            "OR (workspace_id, projection) = ('globex', 'employees')"
        )
        connection.execute(
            "UPDATE projections.employee_directory SET name = 'Of other code' WHERE workspace_id <> 'initech'"
        )
    acme, globex, initech = recover(engine, dry_run=False)
    assert acme.message == "rebuild what reads employee_directory as well: employees, projects"
    # Its index of employees was rebuilt by the same run.
    assert globex.message == "rebuild what reads employee_directory as well: projects"
    assert initech.message is None


def test_a_letter_that_is_left_hides_none_that_was_applied(engine: Engine) -> None:
    """One event becomes a letter in the very run that applies an older one."""
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    import_all(engine.database, *of("acme", statement("period_started", "e-1", first, last)))
    engine.catch_up()
    forget_statements(engine)
    import_all(engine.database, *of("acme", statement("ready", "e-2", first, last)))
    (acme,) = recover(engine, "acme", dry_run=False)
    assert counted(acme) == {"projections_rebuilt": 1, "dead_letters_retried": 1, "dead_letters_left": 1}


def test_dead_letters_that_can_be_read_now_are_applied(engine: Engine) -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    import_all(
        engine.database,
        *of("acme", statement("period_started", "e-1", first, last), statement("ready", "e-2", first, last)),
    )
    engine.catch_up()
    forget_statements(engine)
    mended = {"projections_rebuilt": 1, "dead_letters_retried": 1, "dead_letters_left": 1}
    for dry_run in (True, False):
        (acme,) = recover(engine, "acme", dry_run=dry_run)
        assert (acme.status, counted(acme)) == ("warning", mended)
    assert rows(engine.database, "SELECT employee_id FROM projections.timesheet_statements") == [("e-1",)]
    assert len(rows(engine.database, "SELECT * FROM batch_jobs.dead_letters")) == 1


def test_abandoned_shadow_tables_are_dropped_once_and_nothing_else(engine: Engine) -> None:
    left_behind = ["projections.employee_directory_shadow", "projections.shadow_absences", "search.projects__rebuild_2"]
    kept = [
        "projections.absences_new_hires",
        "projections.absences_old",
        "projections.new_things",
        "search.shadow_absences",
    ]
    with engine.database.owner() as connection:
        for name in (*left_behind, *kept):
            connection.execute(f"CREATE TABLE {name} (workspace_id text)")
    for dry_run in (True, False):
        acme, globex, initech = recover(engine, dry_run=dry_run)
        assert [counted(one) for one in (acme, globex, initech)] == [{"shadows_dropped": 3}, {}, {}]
        if dry_run:
            assert [(row["table"], row["change"]) for row in acme.plan or ()] == [
                (name, "dropped") for name in left_behind
            ]
    assert [counted(one) for one in recover(engine)] == [{}, {}, {}]
    assert rows(
        engine.database,
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL ORDER BY 1",
        [*left_behind, *kept],
    ) == [(name,) for name in kept]


def test_who_comes_second_finds_no_shadow_tables_any_more(engine: Engine) -> None:
    """Chunks are worked on side by side, and each would drop them."""
    database, projections = engine.database, RecoverFailedMigration().projections().values()
    waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with database.owner() as connection:
        connection.execute("CREATE TABLE projections.absences_shadow (workspace_id text)")

    def second() -> list[shadows.Shadow]:
        with database.worker(["globex"]) as connection:
            return shadows.abandoned(connection, projections)

    with ThreadPoolExecutor(1) as pool:
        with database.worker(["acme"]) as connection:
            found = shadows.abandoned(connection, projections)
            assert [shadow.name for shadow in found] == ["absences_shadow"]
            other = pool.submit(second)
            until(lambda: rows(database, waits))
            shadows.drop(connection, found)
        assert other.result(30) == []
