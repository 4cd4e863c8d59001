"""Documents that differ are shown by the dry run, mended by the run, and the projections are left alone."""

from typing import Any

import pytest

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import import_all, of, unit
from batch_jobs_tests.engine.company import digests, engine_of, found, run

DIRECTORY = "projections.employee_directory"


@pytest.fixture
def company(database: Database) -> Database:
    found(database, ["acme", "globex"])
    import_all(database, *of("acme", unit("ou-1")))
    engine_of(database).catch_up()
    return database


def rebuild(database: Database, **parameters: Any) -> list[JobRun]:
    engine = engine_of(database, RebuildSearchIndexes())
    return run(engine, RebuildSearchIndexes.name, ["acme", "globex"], parameters=parameters)


def drift(job_run: JobRun) -> tuple[int, ...]:
    return tuple(job_run.counters[f"documents_{what}"] for what in ("added", "changed", "removed"))


def test_documents_are_named_and_mended_and_projections_are_left_alone(company: Database) -> None:
    before = digests(company)
    assert [drift(one) for one in rebuild(company)] == [(0, 0, 0), (0, 0, 0)]
    with company.owner() as connection:
        connection.execute("DELETE FROM search.employees WHERE workspace_id = 'acme' AND entity_id = 'e-1'")
        connection.execute("UPDATE search.employees SET title = 'Wrong' WHERE workspace_id = 'globex'")
        connection.execute("UPDATE projections.employee_directory SET name = 'Wrong'")
    wrong = digests(company)
    acme, globex = rebuild(company)
    assert (acme.counters["documents_indexed"], drift(acme), drift(globex)) == (3, (1, 0, 0), (0, 3, 0))
    assert acme.plan
    assert (acme.plan[0]["table"], acme.plan[0]["change"], acme.plan[0]["key"]) == (
        "search.employees",
        "added",
        {"entity_id": "e-1"},
    )
    assert digests(company) == wrong
    assert [drift(one) for one in rebuild(company, dry_run=False, index="employees")] == [(1, 0, 0), (0, 3, 0)]
    assert digests(company) == before | {DIRECTORY: wrong[DIRECTORY]}
