"""Documents that differ are shown by the dry run, mended by the run, and the projections are left alone."""

from datetime import date
from typing import Any

import pytest

from batch_jobs import search
from batch_jobs.engine.batch import Preparation
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.rebuild_job import Prepared
from batch_jobs.installation import all_projections
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.search import index
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, employment, import_all, of, unit
from batch_jobs_tests.engine.company import digests, engine_of, found, rows, run
from batch_jobs_tests.projections.catching_up import finish_run
from batch_jobs_tests.search.searching import activity, project

NAMES = ["acme", "globex"]


@pytest.fixture
def company(database: Database) -> Database:
    found(database, NAMES)
    import_all(database, *of("acme", unit("ou-1"), project("p-1", manager_id="e-2"), activity("a-1")))
    engine_of(database).catch_up()
    return database


def rebuild(database: Database, **parameters: Any) -> list[JobRun]:
    engine = engine_of(database, RebuildSearchIndexes())
    return run(engine, RebuildSearchIndexes.name, NAMES, parameters=parameters)


def drift(job_run: JobRun) -> tuple[int, ...]:
    return tuple(job_run.counters[f"documents_{what}"] for what in ("added", "changed", "removed"))


def test_documents_are_named_and_mended_and_projections_are_left_alone(company: Database) -> None:
    before = digests(company)
    assert [drift(one) for one in rebuild(company)] == [(0, 0, 0), (0, 0, 0)]
    with company.owner() as connection:
        connection.execute("DELETE FROM search.employees WHERE workspace_id = 'acme' AND entity_id = 'e-1'")
        connection.execute("UPDATE search.employees SET title = 'Wrong' WHERE workspace_id = 'globex'")
    wrong = digests(company)
    acme, globex = rebuild(company)
    assert (acme.counters["documents_indexed"], drift(acme), drift(globex)) == (5, (1, 0, 0), (0, 3, 0))
    assert acme.plan
    assert (acme.plan[0]["table"], acme.plan[0]["change"], acme.plan[0]["key"]) == (
        "search.employees",
        "added",
        {"entity_id": "e-1"},
    )
    assert digests(company) == wrong
    assert [drift(one) for one in rebuild(company, dry_run=False, index="employees")] == [(1, 0, 0), (0, 3, 0)]
    assert digests(company) == before


def test_documents_are_made_from_the_projections_as_these_are(company: Database) -> None:
    before = digests(company)
    with company.owner() as connection:
        connection.execute("UPDATE projections.employee_directory SET name = 'Wrong' WHERE employee_id = 'e-2'")
    assert [drift(one) for one in rebuild(company, dry_run=False)] == [(0, 2, 0), (0, 1, 0)]
    assert rows(company, "SELECT title FROM search.employees WHERE entity_id = 'e-2'") == [("Wrong",)] * 2
    engine = engine_of(company, RebuildEmployeeProjections())
    run(engine, RebuildEmployeeProjections.name, NAMES, parameters={"dry_run": False})
    assert [drift(one) for one in rebuild(company, dry_run=False)] == [(0, 2, 0), (0, 1, 0)]
    assert digests(company) == before


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7])
def test_indexes_are_made_slice_by_slice(company: Database, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    before = digests(company)
    monkeypatch.setattr(index, "SLICE", size)
    with company.owner() as connection:
        connection.execute("DELETE FROM search.employees")
        connection.execute("DELETE FROM search.activities")
    assert [drift(one) for one in rebuild(company, dry_run=False)] == [(4, 0, 0), (3, 0, 0)]
    assert digests(company) == before


def test_what_the_projections_have_not_taken_in_is_in(company: Database) -> None:
    """Events, days and whole workspaces."""
    late = employee("e-3", name="Later", since=date(2026, 3, 1))
    import_all(company, *of("acme", employee("e-1", name="New"), late, project("p-2", manager_id="e-3")))
    finish_run(company, date(2026, 4, 1), "acme")
    with company.owner() as connection:
        for projection in all_projections().values():
            for table in projection.tables:
                connection.execute(f"DELETE FROM {projection.schema}.{table.name} WHERE workspace_id = 'globex'")
        connection.execute("DELETE FROM batch_jobs.checkpoints WHERE workspace_id = 'globex'")
    assert [drift(one) for one in rebuild(company, dry_run=False)] == [(0, 0, 0), (0, 0, 0)]
    found_documents = rows(company, "SELECT entity_id, title FROM search.employees WHERE workspace_id = 'acme'")
    assert sorted(found_documents) == [("e-1", "New"), ("e-2", "e-2"), ("e-3", "Later")]
    managers = "SELECT shown ->> 'manager' FROM search.projects WHERE workspace_id = 'acme' ORDER BY entity_id"
    assert rows(company, managers) == [("e-2",), ("Later",)]
    assert rows(company, "SELECT count(*) FROM search.employees WHERE workspace_id = 'globex'") == [(3,)]
    lagging = {one.projection for one in engine_of(company).catch_up().caught_up}
    assert lagging
    assert not lagging & {"definitions", "employee_directory", *search.registry()}


def test_projections_that_can_not_be_caught_up_are_rebuilt_first(company: Database) -> None:
    with company.owner() as connection:
        connection.execute("ALTER TABLE projections.employee_directory ADD CHECK (name <> 'New')")
    import_all(company, *of("acme", employee("e-1", name="New")))
    before = digests(company)
    acme, globex = rebuild(company, dry_run=False)
    assert (acme.status, globex.status) == ("failed", "completed")
    assert "rebuild them as a whole first: batch-jobs run rebuild_employee_projections" in acme.message
    assert digests(company) == before


def test_projections_that_are_rebuilt_meanwhile_are_read_once_more(company: Database) -> None:
    before = digests(company)
    with company.owner() as connection:
        connection.execute("UPDATE projections.employee_directory SET name = 'Wrong' WHERE employee_id = 'e-2'")
    mend = engine_of(company, RebuildEmployeeProjections())
    mended: list[JobRun] = []

    class Overtaken(RebuildSearchIndexes):
        def prepare(self, preparation: Preparation) -> Prepared:
            prepared = super().prepare(preparation)
            if not mended:
                mended.extend(run(mend, RebuildEmployeeProjections.name, NAMES, parameters={"dry_run": False}))
            return prepared

    runs = run(engine_of(company, Overtaken()), RebuildSearchIndexes.name, NAMES, parameters={"dry_run": False})
    assert [one.counters["rows_changed"] for one in mended] == [1, 1]
    assert [(one.status, drift(one)) for one in runs] == [("completed", (0, 0, 0))] * 2
    assert digests(company) == before


def test_units_that_are_nowhere_are_left_out(company: Database) -> None:
    import_all(company, *of("acme", employment("e-1/1", employee_id="e-1", org_unit_id="ou-1")))
    engine_of(company).catch_up()
    units = "SELECT shown -> 'org_units' FROM search.employees WHERE entity_id = 'e-1' AND workspace_id = 'acme'"
    assert rows(company, units) == [(["ou-1"],)]
    with company.owner() as connection:
        connection.execute("DELETE FROM projections.definitions WHERE kind = 'org_unit'")
    assert [(one.status, drift(one)) for one in rebuild(company, dry_run=False)] == [
        ("completed", (0, 1, 0)),
        ("completed", (0, 0, 0)),
    ]
    assert rows(company, units) == [([],)]
