"""What stands published, and under which fingerprint: by examples, and however the events come in."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import catch_up_all, nameless, rows, take_in

MONDAY = date(2026, 1, 5)
WEEK = timedelta(weeks=1)
NEVER = date.min


def week(monday: date, minutes: int = 444, *holidays: tuple[date, str]) -> dict[str, Any]:
    named = [{"date": day, "name": name} for day, name in holidays]
    return {"monday": monday, "minutes": [minutes] * 7, "holidays": named}


def published(*weeks: dict[str, Any], who: str = "e-1", through: date = MONDAY, fingerprint: str = "f") -> Event:
    payload = {"employee_id": who, "through_week": through, "fingerprint": fingerprint, "weeks": list(weeks)}
    return make.event("norm.published", payload)


def table(database: Database, name: str, key: str, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    with database.worker([workspace_id]) as connection:
        found = connection.execute(f"SELECT * FROM projections.{name} ORDER BY {key}").fetchall()  # type: ignore[call-overload]
        return [row[1:] for row in found]


def cursors(database: Database, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    return table(database, "published_norm_cursors", "employee_id", workspace_id)


def fingerprints(database: Database, workspace_id: str = "acme") -> dict[str, tuple[Any, ...]]:
    return {row["employee_id"]: tuple(row.values())[1:] for row in rows(database, "norm_fingerprints", workspace_id)}


def test_the_week_named_last_stands(database: Database) -> None:
    new_year = (date(2026, 1, 6), "Epiphany")
    take_in(
        database,
        make.workspace(),
        published(week(MONDAY, 1), week(MONDAY, 2), week(MONDAY + WEEK, 3, new_year), through=MONDAY + WEEK),
        published(week(MONDAY, 4), fingerprint="g"),
        published(week(MONDAY, 9), who="e-2"),
    )
    weeks = [tuple(row.values()) for row in rows(database, "published_norms")]
    holiday = [{"date": "2026-01-06", "name": "Epiphany"}]
    assert weeks == [
        ("e-1", MONDAY, [4] * 7, []),
        ("e-1", MONDAY + WEEK, [3] * 7, holiday),
        ("e-2", MONDAY, [9] * 7, []),
    ]
    assert cursors(database) == [("e-1", MONDAY, "g", 3, MONDAY + WEEK), ("e-2", MONDAY, "f", 4, MONDAY)]
    take_in(database, published(through=MONDAY + 2 * WEEK, fingerprint="h"))
    assert cursors(database)[0] == ("e-1", MONDAY + 2 * WEEK, "h", 5, MONDAY + 2 * WEEK)


def test_until_when_someone_is_employed_and_why_there_is_no_fingerprint(database: Database) -> None:
    until = date(2026, 5, 31)
    take_in(
        database,
        make.workspace(),
        make.terms(),
        *map(make.employee, ("open", "left", "twice", "none", "dangling", "gone")),
        make.employment("open/1", MONDAY),
        make.employment("left/1", MONDAY, until),
        make.employment("twice/1", MONDAY, until),
        make.employment("twice/2", MONDAY),
        make.employment("dangling/1", MONDAY, until, terms_id="t-9"),
        make.employment("gone/1"),
        make.removed("gone"),
        make.employment("stranger/1"),
    )
    found = fingerprints(database)
    assert {who: facts[1] for who, facts in found.items()} == {
        "open": None,
        "left": until,
        "twice": None,
        "none": NEVER,
        "dangling": until,
    }
    assert found["dangling"][0] is None
    assert found["dangling"][2] == (
        'employment "dangling/1": terms_id "t-9" is not defined in workspace "acme"; '
        "import its employment_terms.defined first"
    )
    assert found["open"][0] == found["twice"][0] != found["left"][0]


def test_published_through_holds_under_the_same_fingerprint_only(database: Database) -> None:
    take_in(database, make.workspace(), make.terms(), make.employee("e-1"), make.employment("e-1/1"))
    fingerprint = fingerprints(database)["e-1"][0]
    assert fingerprints(database)["e-1"][3:] == (NEVER, NEVER)
    take_in(database, published(through=MONDAY, fingerprint=fingerprint))
    assert fingerprints(database)["e-1"][3:] == (MONDAY, MONDAY)
    take_in(database, make.terms(norm=[[1] * 7]))
    assert fingerprints(database)["e-1"][3:] == (NEVER, MONDAY)
    # What was so before is so again.
    take_in(database, make.terms())
    assert fingerprints(database)["e-1"] == (fingerprint, None, None, MONDAY, MONDAY)
    take_in(database, published(through=MONDAY - WEEK, fingerprint="other"))
    assert fingerprints(database)["e-1"][3:] == (NEVER, MONDAY)


@pytest.fixture(scope="module")
def usual(shared: Database) -> str:
    """The fingerprint of someone on the usual terms."""
    take_in(shared, *of("usual", make.workspace(), make.terms(), make.employee("e-1"), make.employment("e-1/1")))
    return str(fingerprints(shared, "usual")["e-1"][0])


_numbers = itertools.count(1)
_who = st.sampled_from(["e-1", "e-2"])
_mondays = st.sampled_from([MONDAY, MONDAY + WEEK])
_weeks = st.lists(st.builds(week, _mondays, st.sampled_from([1, 2])), max_size=3)
_events = st.one_of(
    st.builds(
        lambda weeks, who, through, fingerprint: published(*weeks, who=who, through=through, fingerprint=fingerprint),
        _weeks,
        _who,
        _mondays,
        st.sampled_from(["usual", "usual", "f"]),
    ),
    st.builds(make.employee, _who),
    st.builds(make.removed, _who),
    st.builds(lambda who: make.employment("e-1/1", employee_id=who), _who),
    st.builds(lambda minutes: make.terms(norm=[[minutes] * 7]), st.sampled_from([1, 2])),
    st.just(make.terms()),
    st.builds(lambda name: make.workspace(default_holiday_calendar_id=name), st.sampled_from([None, "c"])),
    st.builds(lambda name: make.calendar("c", country=name), st.sampled_from(["DK", "FR"])),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_events, st.sampled_from(["", "all", "definitions", "published_norms"])), max_size=14))
def test_every_split_gives_the_same_rows(shared: Database, usual: str, happened: list[tuple[Event, str]]) -> None:
    number = next(_numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    for event, _ in happened:
        if event["payload"].get("fingerprint") == "usual":
            event["payload"]["fingerprint"] = usual
    for event, catches_up in [(make.workspace(), ""), *happened, (make.employee("e-3"), "all")]:
        import_all(shared, *of(split, event))
        if catches_up:
            catch_up_all(shared, split, names=None if catches_up == "all" else [catches_up])
    import_all(shared, *of(whole, make.workspace(), *(event for event, _ in happened), make.employee("e-3")))
    catch_up_all(shared, whole)
    for name in ("published_norms", "norm_fingerprints"):
        assert nameless(rows(shared, name, split), split) == nameless(rows(shared, name, whole), whole)
    assert cursors(shared, split) == cursors(shared, whole)
