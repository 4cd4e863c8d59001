"""Absences and their days as events come in: by examples, and against the rule applied event by event."""

import itertools
import json
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.absences import EVENT_TYPES, Absence, apply, bucket
from batch_jobs.rules.errors import TransitionError
from batch_jobs.store.database import Database
from batch_jobs_tests import absence_events as make
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import catch_up_all, column, finish_run, rows, take_in

MONDAY = date(2026, 3, 2)


def day(number: int) -> date:
    return date(2026, 3, number)


def week(first: int, last: int) -> list[date]:
    return [day(number) for number in range(first, last + 1)]


def days_of(database: Database, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute(
            "SELECT absence_id, date, employee_id, activity_id, account_id, minutes, amount, registered "
            "FROM projections.absence_days ORDER BY absence_id, date"
        ).fetchall()


def dates(database: Database, absence_id: str) -> list[int]:
    return [when.day for name, when, *_ in days_of(database) if name == absence_id]


def letters(database: Database, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute(
            "SELECT position, reason FROM batch_jobs.dead_letters WHERE projection = 'absences' ORDER BY position"
        ).fetchall()


@pytest.mark.every_postgres
def test_from_request_to_consumption(database: Database) -> None:
    take_in(database, make.requested("a-1", MONDAY, day(13), occurred_at="2026-02-01T10:00:00+01:00", fraction=0.33))
    (row,) = rows(database, "absences")
    assert (row["state"], row["bucket"], row["unconsumed_from"]) == ("requested", None, None)
    assert (row["requested_at"].isoformat(), str(row["fraction"])) == ("2026-02-01T09:00:00+00:00", "0.33")
    take_in(database, make.decided("approved", "a-1"))
    take_in(database, make.consumed("a-1", MONDAY, day(8), week(2, 6)))
    (row,) = rows(database, "absences")
    assert (row["state"], row["bucket"], row["consumed_to"], row["unconsumed_from"]) == (
        "approved",
        "planned",
        day(8),
        day(9),
    )
    assert days_of(database)[0] == ("a-1", MONDAY, "e-1", "free", "days", 444, 100, False)
    take_in(database, make.consumed("a-1", day(9), day(13), week(9, 13)))
    (row,) = rows(database, "absences")
    assert (row["bucket"], row["consumed_to"], row["unconsumed_from"]) == ("used", day(13), None)
    assert dates(database, "a-1") == [2, 3, 4, 5, 6, 9, 10, 11, 12, 13]


@pytest.mark.parametrize("at_once", [True, False])
def test_interruption_and_cancellation_refund_days(database: Database, at_once: bool) -> None:
    first = [
        make.away("a-1", MONDAY, day(6)),
        make.consumed("a-1", MONDAY, day(6), week(2, 6)),
        make.sick("a-2", MONDAY),
        *(make.registered("a-2", when) for when in week(2, 5)),
    ]
    then = [make.interrupted("a-1", day(5)), make.interrupted("a-2", day(4))]
    if not at_once:
        take_in(database, *first)
        assert (dates(database, "a-1"), dates(database, "a-2")) == ([2, 3, 4, 5, 6], [2, 3, 4, 5])
    take_in(database, *([*first, *then] if at_once else then))
    assert (dates(database, "a-1"), dates(database, "a-2")) == ([2, 3, 4], [2, 3])
    assert column(database, "absences", "bucket") == {"a-1": "used", "a-2": "planned"}
    take_in(database, make.decided("cancelled", "a-1"))
    assert (dates(database, "a-1"), dates(database, "a-2")) == ([], [2, 3])
    assert letters(database) == []


def test_what_is_refused_leaves_no_day_and_says_why(database: Database) -> None:
    take_in(
        database,
        make.away("a-1", MONDAY, day(6)),
        make.sick("a-2", MONDAY),
        make.consumed("a-1", day(3), day(6), week(3, 6)),
        make.consumed("a-9", day(3), day(6), week(3, 6)),
        make.registered("a-9", day(3)),
        make.registered("a-2", date(2026, 3, 1)),
        make.registered("a-2", day(3), employee_id="e-2"),
        make.registered("a-2", day(3)),
        make.interrupted("a-2", day(4)),
        make.registered("a-2", day(4)),
    )
    assert days_of(database) == [("a-2", day(3), "e-1", "ill", None, 444, 0, True)]
    found = dict(letters(database))
    assert sorted(found) == [3, 4, 5, 6, 7, 10]
    assert found[3].endswith("expected days from 2026-03-02 on, 2026-03-06 at the latest")
    assert found[4] == found[5] == 'absence "a-9" was never requested; import its time_off.requested first'
    assert found[6] == (
        'absence "a-2" is approved, from 2026-03-02 to no end; '
        "2026-03-01 can be registered only while it is approved and covers that day"
    )
    assert found[7] == 'absence "a-2" belongs to employee "e-1", not to "e-2"'
    assert "from 2026-03-02 to 2026-03-03; 2026-03-04 can be registered only while" in found[10]


def test_the_bucket_of_an_open_ended_absence_follows_the_as_of_date(database: Database) -> None:
    take_in(database, make.sick("a-1", MONDAY), make.sick("a-2", MONDAY), make.interrupted("a-2", day(5)))
    found = []
    for when in (date(2026, 3, 1), MONDAY, day(4), day(5)):
        finish_run(database, when)
        catch_up_all(database)
        found.append(column(database, "absences", "bucket"))
    assert found == [
        {"a-1": "planned", "a-2": "planned"},
        {"a-1": "active", "a-2": "active"},
        {"a-1": "active", "a-2": "active"},
        {"a-1": "active", "a-2": "used"},
    ]


# Any order of any events: the rule says which of them are allowed.
DAYS = [date(2026, 1, 1) + timedelta(number) for number in range(12)]
_day, _name = st.sampled_from(DAYS), st.sampled_from(["a-1", "a-2"])
_spans = st.tuples(_day, _day).map(sorted)


def _consumed(name: str, span: list[date]) -> Event:
    days = [one for one in DAYS if span[0] <= one <= span[1] and one.weekday() < 5]
    return make.consumed(name, *span, days)


_events = st.one_of(
    st.builds(lambda name, span: make.away(name, *span), _name, _spans),
    st.builds(make.requested, _name, st.just(DAYS[2]), _day | st.none(), fraction=st.sampled_from([1.0, 0.125, 0.7])),
    st.builds(make.sick, _name, _day),
    st.builds(make.decided, st.sampled_from(["approved", "approved", "rejected", "cancelled"]), _name),
    st.builds(make.interrupted, _name, _day),
    st.builds(_consumed, _name, _spans),
    st.builds(_consumed, _name, st.tuples(st.just(DAYS[2]), _day).map(sorted)),
    st.builds(make.registered, _name, _day, activity_id=st.sampled_from(["ill", "free"])),
    st.builds(make.registered, _name, _day),
)
_happenings = st.lists(st.tuples(_events, st.sampled_from(["", "", "catch up", "run"])), min_size=1, max_size=14)
_numbers = itertools.count(1)


@settings(max_examples=60)
@given(_happenings)
def test_every_split_gives_what_the_rule_says(shared: Database, happened: list[tuple[Event, str]]) -> None:
    number = next(_numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    runs, last = iter(DAYS), None
    for event, then in happened:
        import_all(shared, *of(split, event))
        if then == "run":
            last = next(runs, last)
            assert last
            finish_run(shared, last, split)
        if then:
            catch_up_all(shared, split)
    catch_up_all(shared, split)
    import_all(shared, *of(whole, *(event for event, _ in happened)))
    if last:
        finish_run(shared, last, whole)
    catch_up_all(shared, whole)
    found = rows(shared, "absences", whole)
    assert rows(shared, "absences", split) == found
    assert days_of(shared, split) == days_of(shared, whole)
    assert letters(shared, split) == letters(shared, whole)

    absences, days, refused = _one_by_one([event for event, _ in happened])
    assert [position for position, _ in letters(shared, whole)] == refused
    assert {
        (row["absence_id"], row["state"], row["start_date"], row["end_date"], row["consumed_to"]) for row in found
    } == {(one.absence_id, one.state, one.start_date, one.end_date, one.consumed_to) for one in absences.values()}
    today = last or DAYS[0]
    assert {row["absence_id"]: row["bucket"] for row in found} == {
        name: bucket(one, today) for name, one in absences.items()
    }
    for row in found:
        left = absences[row["absence_id"]].unconsumed()
        assert row["unconsumed_from"] == (left.start if left else None)
    assert {(name, when): registered for name, when, *_, registered in days_of(shared, whole)} == days


class _Read(NamedTuple):
    type: str
    payload: dict[str, Any]


def _one_by_one(
    events: list[Event],
) -> tuple[dict[str, Absence], dict[tuple[str, date], bool], list[int]]:
    """The absences, their days (whether registered) and the positions of what was refused, event by event."""
    absences: dict[str, Absence] = {}
    days: dict[tuple[str, date], bool] = {}
    refused = []
    for position, event in enumerate(events, 1):
        payload = json.loads(json.dumps(event["payload"], default=date.isoformat))
        name = payload["absence_id"]
        if event["type"] in EVENT_TYPES:
            try:
                absences[name] = apply(absences.get(name), _Read(event["type"], payload))
            except TransitionError:
                refused.append(position)
                continue
            for one in payload.get("days", ()):
                days[name, date.fromisoformat(one["date"])] = False
        elif name in absences and absences[name].stands_on(date.fromisoformat(payload["date"])):
            days[name, date.fromisoformat(payload["date"])] = True
        else:
            refused.append(position)
        days = {key: kind for key, kind in days.items() if absences[key[0]].stands_on(key[1])}
    return absences, days, refused
