"""Catching up: what is behind, dead letters, versions, workspaces apart, and one connection for all."""

from datetime import date
from typing import ClassVar

import pytest

from batch_jobs import projections
from batch_jobs.engine.catch_up import behind, catch_up, in_order
from batch_jobs.engine.folding import local_date
from batch_jobs.projections.timesheet_statements import TimesheetStatements
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests.builders import (
    employee,
    employment,
    event,
    import_all,
    of,
    removed,
    statement,
    terms,
    unit,
    user,
    workspace,
)
from batch_jobs_tests.projections.catching_up import (
    catch_up_all,
    column,
    everything,
    finish_run,
    rows,
    take_in,
)

JANUARY = date(2026, 1, 1), date(2026, 1, 31)
PEOPLE = [workspace(), terms(), employee("e-1"), employment("e-1/1"), employee("e-2"), employment("e-2/1")]


def lagging(database: Database) -> dict[str, int]:
    with database.reader() as connection:
        return behind(connection, in_order(projections.registry()))


@pytest.mark.every_postgres
def test_what_is_behind_and_by_how_much(database: Database) -> None:
    assert lagging(database) == {}
    import_all(database, *of("acme", *PEOPLE), *of("globex", *PEOPLE[:2]))
    assert lagging(database) == {"acme": 6, "globex": 2}
    result = catch_up_all(database, "acme")
    assert {(one.workspace_id, one.projection, one.position, one.lag) for one in result.caught_up} == {
        ("acme", name, 6, 6) for name in projections.registry()
    }
    assert result.rows_changed["employee_directory"] == 2
    assert lagging(database) == {"globex": 2}
    assert everything(database, "globex")["definitions"] == []
    assert catch_up_all(database, "acme").caught_up == []
    finish_run(database, date(2026, 2, 1), "acme")
    assert lagging(database) == {"acme": 0, "globex": 2}
    moved = {one.projection for one in catch_up_all(database, "acme").caught_up}
    assert moved == {name for name, projection in projections.registry().items() if projection.follows_as_of}
    assert lagging(database) == {"globex": 2}


@pytest.mark.every_postgres
def test_workspaces_together_or_apart_make_no_difference(database: Database) -> None:
    for name in ("a", "b", "c"):
        import_all(database, *of(name, *PEOPLE))
    catch_up_all(database, "c", "a")
    catch_up_all(database, "b")
    assert everything(database, "a") == everything(database, "b") == everything(database, "c")
    before = everything(database, "a")
    import_all(database, *of("b", removed("e-1"), unit("ou-1", head_id="e-2")))
    catch_up_all(database, "b")
    assert everything(database, "a") == before


@pytest.mark.every_postgres
def test_an_event_that_can_not_be_applied_is_recorded_once_and_the_rest_goes_on(database: Database) -> None:
    first = take_in(
        database,
        statement("ready", "e-9", *JANUARY),
        statement("period_started", "e-1", *JANUARY),
        statement("approved", "e-1", *JANUARY, by="e-2"),
        statement("ready", "e-1", *JANUARY),
    )
    assert first.dead_letters == 2
    assert column(database, "timesheet_statements", "state") == {"e-1:2026-01-01:2026-01-31": "ready"}
    assert take_in(database, statement("overdue", "e-1", *JANUARY)).dead_letters == 0
    with database.reader() as connection:
        letters = connection.execute(
            "SELECT position, type, reason FROM batch_jobs.dead_letters ORDER BY position"
        ).fetchall()
    assert [letter[:2] for letter in letters] == [(1, "statement.ready"), (3, "statement.approved")]
    assert "was never started" in letters[0][2]
    assert "is pending; statement.approved is allowed only when" in letters[1][2]


def test_a_projection_of_another_version_stays_visibly_so(database: Database) -> None:
    class Newer(TimesheetStatements):
        version: ClassVar[int] = 2

    def version_after(projection: TimesheetStatements) -> int:
        with database.worker(["acme"]) as connection:
            lock_workspaces(connection, ["acme"])
            catch_up(connection, [projection], ["acme"])
            row = connection.execute("SELECT version FROM batch_jobs.checkpoints").fetchone()
            assert row
            return int(row[0])

    import_all(database, workspace())
    assert version_after(TimesheetStatements()) == 1
    import_all(database, statement("period_started", "e-1", *JANUARY))
    assert version_after(Newer()) == 1
    assert len(rows(database, "timesheet_statements")) == 1


def test_what_a_projection_reads_is_caught_up_before_it() -> None:
    names = [projection.name for projection in in_order(projections.registry(), ["employee_directory"])]
    assert names == ["definitions", "employee_directory"]


def test_an_employee_who_moves_between_employments_and_users(database: Database) -> None:
    take_in(database, *PEOPLE, user("u-1", "e-1"))
    take_in(database, employment("e-1/1", employee_id="e-2"), user("u-1", "e-2"))
    assert column(database, "employee_directory", "status") == {"e-1": "ended", "e-2": "active"}
    assert column(database, "employee_directory", "user_id") == {"e-1": None, "e-2": "u-1"}
    assert {row["employment_id"] for row in rows(database, "employment_periods")} == {"e-1/1", "e-2/1"}
    take_in(database, user("u-1"))
    assert column(database, "employee_directory", "user_id") == {"e-1": None, "e-2": None}


def test_someone_removed_leaves_and_comes_back(database: Database) -> None:
    take_in(database, *PEOPLE)
    before = rows(database, "employee_directory"), rows(database, "employment_periods")
    take_in(database, removed("e-1"))
    assert list(column(database, "employee_directory", "name")) == ["e-2"]
    assert list(column(database, "employment_periods", "start_date")) == ["e-2"]
    take_in(database, employment("e-1/1", job_title="Late"))
    assert list(column(database, "employment_periods", "start_date")) == ["e-2"]
    take_in(database, employee("e-1"), employment("e-1/1"))
    assert (rows(database, "employee_directory"), rows(database, "employment_periods")) == before


def test_who_manages_is_right_after_each_step(database: Database) -> None:
    def managers() -> set[str]:
        return {who for who, does in column(database, "employee_directory", "is_manager").items() if does}

    take_in(database, *PEOPLE)
    assert managers() == set()
    take_in(database, unit("ou-1", head_id="e-1"))
    assert managers() == set()
    take_in(database, employment("e-2/1", org_unit_id="ou-1", end=date(2026, 1, 10)))
    assert managers() == {"e-1"}
    take_in(database, unit("ou-1", head_id="e-2"), employment("e-1/1", org_unit_id="ou-1"))
    assert managers() == {"e-2"}
    take_in(database, unit("ou-1", "ou-2"), unit("ou-2", "ou-1", head_id="e-1"))
    assert managers() == {"e-1"}
    finish_run(database, date(2026, 1, 11))
    catch_up_all(database)
    assert managers() == set()
    take_in(database, removed("e-1"))
    assert managers() == set()


def test_the_first_date_may_be_at_the_end_of_the_calendar(database: Database) -> None:
    take_in(database, {**event("workspace.suspended"), "occurred_at": "0001-01-01T00:00:00+00:00"})
    take_in(database, workspace(timezone="America/New_York"))
    with database.reader() as connection:
        first = connection.execute("SELECT first_event_at FROM batch_jobs.workspaces").fetchone()
    assert first
    assert local_date(first[0], "America/New_York") == date(1, 1, 1)
    assert local_date(first[0], None) == date(1, 1, 1)


@pytest.mark.every_postgres
def test_one_connection_for_owner_and_workers(database: Database) -> None:
    import_all(database, *PEOPLE)
    ordered = in_order(projections.registry())
    with database.owner() as connection:
        catch_up(connection, ordered, ["acme"])
        process = connection.info.backend_pid
    take_in(database, employee("e-3"))
    with database.owner() as connection:
        assert connection.info.backend_pid == process
    assert list(column(database, "employee_directory", "name")) == ["e-1", "e-2", "e-3"]
