"""A rebuild gives the rows of the catch-up, names what differs, and takes over just that."""

import itertools
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from batch_jobs import projections, search
from batch_jobs.engine import folding, rebuild
from batch_jobs.engine.catch_up import catch_up, in_order
from batch_jobs.engine.rebuild import Rebuild
from batch_jobs.installation import all_projections
from batch_jobs.search import index
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import import_all, of
from batch_jobs_tests.engine.company import digests, found, rows
from batch_jobs_tests.projections.catching_up import catch_up_all, everything, finish_run

PEOPLE = ("acme", "globex", "initech")


def rebuilt(
    database: Database,
    names: Iterable[str] | None = None,
    workspaces: Iterable[str] = PEOPLE,
    *,
    between: Any = lambda: None,
    swap: bool = True,
) -> dict[str, dict[str, int]]:
    """Rebuild, and return how many rows of each table differed, by workspace and kind of change."""
    names, workspaces = list(names or projections.registry()), sorted(workspaces)
    drifts: dict[str, dict[str, int]] = {}
    with database.worker(workspaces) as connection:
        building = Rebuild(connection, projections.registry(), names, workspaces)
        building.build()
        between()
        lock_workspaces(connection, workspaces)
        building.catch_up()
        for projection in building.wanted:
            found_here = building.compare(projection, samples=100)
            for drift in found_here.drifts:
                for workspace_id, changes in drift.changes.items():
                    drifts[f"{workspace_id} {drift.table}"] = dict(changes)
            if swap:
                building.swap(found_here)
    return drifts


def indexed(connection: Transaction, relation: str) -> set[str]:
    """The keys and indexes of a table, without their names; those for words are left out."""
    rows = connection.execute(
        r"""
        SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ON \S+', 'ON'), indisprimary FROM pg_index
        WHERE indrelid = to_regclass(%s) AND pg_get_indexdef(indexrelid) NOT LIKE '%%USING gin%%'
        """,
        [relation],
    )
    return {f"{definition} {is_primary}" for definition, is_primary in rows}


@pytest.fixture
def company(database: Database) -> Database:
    found(database, PEOPLE)
    import_all(
        database,
        *of("acme", make.statement("ready", "e-1", date(2026, 1, 1), date(2026, 1, 31))),
        *of("acme", make.unit("ou-1", head_id="e-2"), make.employment("e-1/2", date(2026, 2, 1), org_unit_id="ou-1")),
    )
    finish_run(database, date(2026, 3, 1))
    catch_up_all(database, *PEOPLE)
    return database


def test_what_is_in_step_does_not_differ_and_stays_to_the_byte(company: Database) -> None:
    before = digests(company)
    assert rebuilt(company) == {}
    assert digests(company) == before


def test_each_wrong_row_is_named_and_mended_and_no_other_is_touched(company: Database) -> None:
    before = digests(company)
    untouched = rows(company, "SELECT ctid, xmin, employee_id FROM projections.employee_directory ORDER BY 3")
    with company.owner() as connection:
        connection.execute(
            "UPDATE projections.employee_directory SET is_manager = NOT is_manager "
            "WHERE workspace_id = 'acme' AND employee_id = 'e-2'"
        )
        connection.execute(
            "DELETE FROM projections.definitions WHERE workspace_id = 'globex' AND kind = 'employee' "
            "AND entity_id = 'e-1'"
        )
        connection.execute("INSERT INTO projections.employment_owners VALUES ('initech', 'nobody', 'e-9')")
    wrong = {
        "acme projections.employee_directory": {"changed": 1},
        "globex projections.definitions": {"added": 1},
        "initech projections.employment_owners": {"removed": 1},
    }
    assert rebuilt(company, swap=False) == wrong
    assert rebuilt(company) == wrong
    assert digests(company) == before
    now = rows(company, "SELECT ctid, xmin, employee_id FROM projections.employee_directory ORDER BY 3")
    assert len(set(untouched) - set(now)) == 1
    assert rebuilt(company) == {}


def test_one_projection_leaves_the_others_alone(company: Database) -> None:
    with company.owner() as connection:
        connection.execute("UPDATE projections.employee_directory SET name = 'X'")
        connection.execute("UPDATE projections.employment_periods SET has_overlap = true")
        connection.execute("""UPDATE projections.definitions SET "values" = '{}' WHERE kind = 'org_unit'""")
    others = {name: digest for name, digest in digests(company).items() if name != "projections.employee_directory"}
    drifts = rebuilt(company, ["employee_directory"])
    assert drifts == {f"{name} projections.employee_directory": {"changed": 3} for name in PEOPLE}
    assert others.items() <= digests(company).items()
    assert rows(company, "SELECT count(*) FROM projections.employee_directory WHERE name = 'X'") == [(0,)]


def test_one_workspace_leaves_the_others_alone(company: Database) -> None:
    with company.owner() as connection:
        connection.execute("DELETE FROM projections.employee_directory")
    rebuilt(company, workspaces=["globex"])
    assert rows(company, "SELECT DISTINCT workspace_id FROM projections.employee_directory") == [("globex",)]


def test_an_empty_projection_is_filled(company: Database) -> None:
    before = digests(company)
    with company.owner() as connection:
        tables = ", ".join(
            f"{one.schema}.{table.name}" for one in projections.registry().values() for table in one.tables
        )
        connection.execute(f"TRUNCATE {tables}")
        connection.execute("DELETE FROM batch_jobs.dead_letters")
        connection.execute("DELETE FROM batch_jobs.checkpoints")
    rebuilt(company)
    assert digests(company) == before


def test_what_is_recorded_during_the_rebuild_is_in(company: Database) -> None:
    def meanwhile() -> None:
        import_all(company, *of("acme", make.employee("e-1", name="Later"), make.employee("e-8", name="New")))
        finish_run(company, date(2026, 4, 1))

    rebuilt(company, between=meanwhile)
    assert rows(
        company,
        "SELECT name FROM projections.employee_directory WHERE workspace_id = 'acme' AND "
        "employee_id IN ('e-1', 'e-8') ORDER BY 1",
    ) == [("Later",), ("New",)]
    assert rows(company, "SELECT DISTINCT position, as_of FROM batch_jobs.checkpoints WHERE workspace_id = 'acme'") == [
        (rows(company, "SELECT head FROM batch_jobs.workspaces WHERE workspace_id = 'acme'")[0][0], date(2026, 4, 1))
    ]
    kept = everything(company)
    assert rebuilt(company) == {}
    assert everything(company) == kept
    assert catch_up_all(company, *PEOPLE).caught_up == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 25_000])
def test_documents_follow_what_is_recorded_while_they_are_made(
    company: Database, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    everyone = all_projections()
    serving = in_order(everyone, search.registry())

    def take_in() -> None:
        with company.worker(["acme"]) as connection:
            lock_workspaces(connection, ["acme"])
            catch_up(connection, serving, ["acme"])

    def meanwhile(_: int) -> None:
        number = next(numbers)
        import_all(company, *of("acme", make.employee(f"e-0{number}"), make.employee(f"e-2{number}")))
        take_in()

    take_in()
    numbers = itertools.count(1)
    monkeypatch.setattr(index, "SLICE", size)
    with company.worker(["acme"]) as connection:
        building = Rebuild(connection, everyone, search.registry(), ["acme"])
        building.build(meanwhile)
        assert next(numbers) > 3
        import_all(company, *of("acme", make.employee("e-1", name="Later"), make.employee("e-8", name="New")))
        finish_run(company, date(2026, 4, 1))
        lock_workspaces(connection, ["acme"])
        catch_up(connection, serving, ["acme"])
        building.catch_up()
        (employees,) = (one for one in building.wanted if one.name == "employees")
        (drift,) = building.compare(employees).drifts
        assert not drift.changes
        titles = connection.execute("SELECT title FROM pg_temp.employees WHERE entity_id IN ('e-1', 'e-8')").fetchall()
        assert sorted(titles) == [("Later",), ("New",)]
        assert building.goals["acme"].as_of == date(2026, 4, 1)


def test_many_pending_events_are_found_by_their_type(company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    made = "SELECT to_regclass('pg_temp.pending_by_type')::text"
    for many, by_type in ((1, "pending_by_type"), (1_000_000, None)):
        monkeypatch.setattr(folding, "MANY_EVENTS", many)
        with company.worker(PEOPLE) as connection:
            Rebuild(connection, projections.registry(), projections.registry(), PEOPLE).build()
            assert connection.execute(made).fetchone() == (by_type,)


def test_huge_workspaces_are_folded_in_steps(company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(company)
    monkeypatch.setattr(rebuild, "STEP_EVENTS", 2)
    assert rebuilt(company) == {}
    assert digests(company) == before


def test_dead_letters_and_version_are_those_of_this_fold(company: Database) -> None:
    with company.owner() as connection:
        (kept,) = connection.execute("SELECT * FROM batch_jobs.dead_letters").fetchall()
        connection.execute("UPDATE batch_jobs.checkpoints SET version = 99")
        connection.execute(
            "INSERT INTO batch_jobs.dead_letters SELECT workspace_id, projection, 1, event_id, type, 'wrong', now() "
            "FROM batch_jobs.dead_letters"
        )
    rebuilt(company)
    assert rows(company, "SELECT * FROM batch_jobs.dead_letters") == [kept]
    assert set(rows(company, "SELECT projection, version FROM batch_jobs.checkpoints")) == {
        (name, one.version) for name, one in projections.registry().items()
    }


def test_a_catch_up_beside_a_rebuild_writes_the_tables_that_serve(company: Database) -> None:
    import_all(company, *of("acme", make.employee("e-1", name="Later")))
    with company.worker(["acme"]) as connection:
        Rebuild(connection, projections.registry(), ["employee_directory"], ["acme"]).build()
        lock_workspaces(connection, ["acme"])
        catch_up(connection, in_order(projections.registry()), ["acme"])
    assert ("Later",) in rows(company, "SELECT name FROM projections.employee_directory")


def test_tables_beside_have_the_keys_and_indexes_of_those_that_serve(company: Database) -> None:
    with company.worker(PEOPLE) as connection:
        building = Rebuild(connection, all_projections(), all_projections(), PEOPLE)
        building.build()
        for projection in building.projections:
            for table in projection.tables:
                serving = indexed(connection, f"{projection.schema}.{table.name}")
                assert serving
                assert indexed(connection, f"pg_temp.{table.name}") == serving, table.name
