"""Indexes follow the events: whatever way these come in, the documents are those of a fresh start."""

import itertools
from datetime import date, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from batch_jobs import search
from batch_jobs.engine.stale import stale
from batch_jobs.installation import all_projections
from batch_jobs.search.employees import Employees
from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, employee, employment, import_all, of, removed, unit, workspace
from batch_jobs_tests.projections.catching_up import finish_run
from batch_jobs_tests.search.searching import activity, catch_up_indexes, documents, ids, index_events, project

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(8)]

since = st.none() | st.sampled_from(DAYS)
names = st.sampled_from(["Ada", "Søren Holm", "O'Neil", "李雷"])
people = st.sampled_from(["e-1", "e-2", "e-3"])
units = st.sampled_from(["ou-1", "ou-2", "ou-3"])
works = st.sampled_from(["a-1", "a-2", "a-3"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


events = st.one_of(
    st.builds(make.employee, people, since=since, name=names, preferred_name=maybe(names), email=st.just("")),
    st.builds(make.removed, people),
    st.builds(
        make.employment,
        st.sampled_from(["e-1/1", "e-2/1"]),
        st.sampled_from(DAYS),
        maybe(st.sampled_from(DAYS)),
        since=since,
        employee_id=people,
        job_title=maybe(names),
        org_unit_id=maybe(units),
    ),
    st.builds(make.unit, units, maybe(units), since=since, name=names),
    st.builds(make.user, st.just("u-1"), maybe(people)),
    st.builds(project, st.sampled_from(["p-1", "p-2"]), since=since, name=names, manager_id=maybe(people)),
    st.builds(activity, works, maybe(works), since=since, name=names),
)
happenings = st.lists(st.tuples(events, st.sampled_from(["", "catch up", "run"])), min_size=1, max_size=12)
numbers = itertools.count(1)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(happenings)
def test_every_split_gives_the_documents_of_a_fresh_start(shared: Database, happened: list[tuple[Event, str]]) -> None:
    number = next(numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    days, last = iter(DAYS), None
    for event, then in happened:
        import_all(shared, *of(split, event))
        if then == "run":
            last = next(days, last)
            assert last
            finish_run(shared, last, split)
        if then:
            catch_up_indexes(shared, split)
    catch_up_indexes(shared, split)
    import_all(shared, *of(whole, *(event for event, _ in happened)))
    if last:
        finish_run(shared, last, whole)
    catch_up_indexes(shared, whole)
    assert documents(shared, split) == documents(shared, whole)


COMPANY = [
    workspace(),
    unit("ou-1", name="Root"),
    unit("ou-2", "ou-1", name="Middle"),
    unit("ou-3", name="Elsewhere"),
    employee("e-1", name="Ada"),
    employee("e-2", name="Bo"),
    employee("e-3", name="Cy"),
    employment("e-1/1", org_unit_id="ou-2"),
    employment("e-2/1", org_unit_id="ou-3"),
    project("p-1", manager_id="e-1"),
    project("p-2", manager_id="e-2"),
    activity("a-1", name="Above"),
    activity("a-2", "a-1", name="Below"),
]


def test_a_change_reaches_the_documents_that_it_concerns(database: Database) -> None:
    index_events(database, *COMPANY)
    index_events(database, unit("ou-1", name="Stem"))
    assert (ids(database, "root"), ids(database, "stem")) == ([], ["e-1"])
    index_events(database, unit("ou-2", "ou-3", name="Middle"))
    assert (ids(database, "stem"), ids(database, "elsewhere")) == ([], ["e-1", "e-2"])
    index_events(database, employee("e-1", name="Eve"))
    assert (ids(database, "ada", "projects"), ids(database, "eve", "projects")) == ([], ["p-1"])
    index_events(database, removed("e-1"))
    assert (ids(database, "eve"), ids(database, "eve", "projects")) == ([], [])
    index_events(database, activity("a-1", name="Over"))
    assert ids(database, "over", "activities") == ["a-1", "a-2"]
    index_events(database, activity("a-2", name="Below"))
    assert ids(database, "over", "activities") == ["a-1"]


def test_what_holds_from_a_day_on_is_found_from_then_on(database: Database) -> None:
    index_events(
        database,
        *COMPANY,
        employee("e-2", since=DAYS[3], name="Zoe"),
        project("p-2", since=DAYS[2], name="Later", manager_id="e-2"),
        unit("ou-3", since=DAYS[4], name="Renamed"),
        employment("e-3/1", DAYS[5], job_title="Pilot"),
        employment("e-3/2", DAYS[6], job_title="Captain"),
    )
    found = []
    for day in DAYS:
        finish_run(database, day)
        catch_up_indexes(database)
        asked = [("zoe", "employees"), ("zoe", "projects"), ("later", "projects"), ("renamed", "employees")]
        found.append([bool(ids(database, *one)) for one in asked] + [ids(database, "captain") == ["e-3"]])
    assert [sum(seen) for seen in zip(*found, strict=True)] == [5, 5, 6, 4, 2]


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (unit("ou-1", name="Stem"), {"employees": 1}),
        (employee("e-2", name="Zoe"), {"employees": 1, "projects": 1}),
        (employee("e-2", name="Bo"), {"employees": 0, "projects": 0}),
        (activity("a-2", "a-1", name="Under"), {"activities": 1}),
        (make.terms(), {}),
    ],
)
def test_only_what_an_event_concerns_is_written(database: Database, event: Event, changed: dict[str, int]) -> None:
    index_events(database, *COMPANY)
    done = index_events(database, event)
    assert {name: rows for name, rows in done.rows_changed.items() if name in search.registry()} == changed


def test_an_index_of_another_configuration_is_stale_until_it_is_rebuilt(database: Database) -> None:
    class Wider(Employees):
        fields: ClassVar[dict[str, str]] = {**Employees.fields, "job_title": "B"}

    assert Wider.configuration != Employees.configuration
    index_events(database, *COMPANY)
    changed = {**all_projections(), "employees": Wider()}
    with database.reader() as connection:
        assert stale(connection, all_projections().values()) == {}
        assert stale(connection, changed.values()) == {"employees": 1}
    index_events(database, employee("e-9", name="Ida"))
    with database.reader() as connection:
        assert stale(connection, changed.values()) == {"employees": 1}
