"""Weeks of recorded time: by examples, and against entries summed up one by one, however the events come in."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import catch_up_all, everything, rows, take_in

MONDAY = date(2026, 1, 5)
WEEK = timedelta(weeks=1)


def activity(activity_id: str, kind: str, *, since: date | None = None) -> Event:
    return make.event(
        "activity.defined", {"activity_id": activity_id, "name": activity_id, "kind": kind, "effective_date": since}
    )


def removed(entry_id: str, employee_id: str = "e-1") -> Event:
    return make.event("time.removed", {"entry_id": entry_id, "employee_id": employee_id})


def absence(absence_id: str, employee_id: str = "e-1", **fields: Any) -> Event:
    payload = {"absence_id": absence_id, "employee_id": employee_id, "policy_id": "p", "start_date": MONDAY}
    return make.event("time_off.requested", {**payload, "approval_required": False, **fields})


def consumed(absence_id: str, *days: date, employee_id: str = "e-1", **fields: Any) -> Event:
    taken = [{"date": day, "minutes": 444, "amount": 100} for day in days]
    payload = {"absence_id": absence_id, "employee_id": employee_id, "policy_id": "p", "days": taken, "amount": 100}
    return make.event("time_off.consumed", {**payload, "from_date": days[0], "to_date": days[-1], **fields})


def registered(absence_id: str, day: date, **fields: Any) -> Event:
    payload = {"absence_id": absence_id, "employee_id": "e-1", "activity_id": "sick", "date": day, "minutes": 100}
    return make.event("absence.registered", payload | fields)


STAFF = [
    make.workspace(),
    make.terms(),
    make.employee("e-1"),
    make.employment("e-1/1"),
    activity("code", "work"),
    activity("holiday", "time_off"),
    activity("lunch", "non_work"),
    activity("bonus", "allowance"),
]


def weeks(database: Database, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(database, "timesheet_weeks", workspace_id)]


def letters(database: Database) -> list[Any]:
    return [row["letter"] for row in everything(database)["dead_letters"]]


def test_the_kind_of_the_activity_tells_the_column(database: Database) -> None:
    entries = [("code", 400), ("holiday", 30), ("lunch", 20), ("bonus", 7), ("unheard-of", 1)]
    take_in(
        database, *STAFF, *(make.time_entered(f"t-{name}", activity_id=name, minutes=spent) for name, spent in entries)
    )
    assert weeks(database) == [("e-1", MONDAY, 401, 30, 20, 5 * 444)]
    take_in(database, activity("unheard-of", "time_off"))
    assert weeks(database) == [("e-1", MONDAY, 400, 31, 20, 5 * 444)]


def test_a_week_with_an_allowance_only_has_no_row(database: Database) -> None:
    take_in(database, *STAFF, make.time_entered("t-1", activity_id="bonus"), make.time_entered("t-2", minutes=0))
    assert weeks(database) == []


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        # Week 53 of 2026 ends in 2027; week 1 of 2025 began in 2024; 29 February; the ends of the calendar.
        ("2027-01-03", "2026-12-28"),
        ("2025-01-01", "2024-12-30"),
        ("2024-02-29", "2024-02-26"),
        ("0001-01-07", "0001-01-01"),
        ("9999-12-31", "9999-12-27"),
    ],
)
def test_weeks_run_from_monday_to_sunday(database: Database, day: str, monday: str) -> None:
    take_in(database, *STAFF, make.employment("e-1/1", date(1, 1, 1)), make.time_entered("t-1", date=day))
    expected = 5 * 444
    assert weeks(database) == [("e-1", date.fromisoformat(monday), 60, 0, 0, expected)]


def test_an_entry_again_replaces_it_wherever_it_was(database: Database) -> None:
    take_in(database, *STAFF, make.time_entered("t-1"), make.time_entered("t-1", minutes=90))
    assert weeks(database) == [("e-1", MONDAY, 90, 0, 0, 2220)]
    take_in(database, make.time_entered("t-1", date=MONDAY + WEEK))
    assert weeks(database) == [("e-1", MONDAY + WEEK, 60, 0, 0, 2220)]
    take_in(database, make.time_entered("t-1", "e-2"))
    # Somebody whom nobody has defined is expected nowhere, but the time is not lost.
    assert weeks(database) == [("e-2", MONDAY, 60, 0, 0, 0)]
    take_in(database, removed("t-1", "e-2"))
    assert weeks(database) == []
    assert letters(database) == []


def test_removals_of_what_does_not_stand_are_dead_letters(database: Database) -> None:
    result = take_in(database, *STAFF, removed("t-0"), make.time_entered("t-1"), removed("t-1", "e-2"), removed("t-1"))
    take_in(database, removed("t-1"), make.time_entered("t-2"))
    assert result.dead_letters == 2
    assert [reason for *_, reason in letters(database)] == [
        'time entry "t-0" is not recorded, or was removed before; import its time.entered first',
        'time entry "t-1" belongs to employee "e-1"; the removal names "e-2"',
        'time entry "t-1" is not recorded, or was removed before; import its time.entered first',
    ]
    assert weeks(database) == [("e-1", MONDAY, 60, 0, 0, 2220)]


def test_an_activity_counts_as_its_kind_on_the_day(database: Database) -> None:
    entries = [make.time_entered(f"t-{day}", date=MONDAY + timedelta(day), activity_id="code") for day in range(5)]
    take_in(database, *STAFF, *entries)
    take_in(database, activity("code", "non_work", since=MONDAY + timedelta(3)))
    assert weeks(database) == [("e-1", MONDAY, 3 * 60, 0, 2 * 60, 2220)]
    # Before the first version the earliest one holds.
    take_in(
        database, *(make.time_entered("t-9", activity_id="later"), activity("later", "time_off", since=MONDAY + WEEK))
    )
    assert weeks(database) == [("e-1", MONDAY, 3 * 60, 60, 2 * 60, 2220)]


def test_days_of_absence_are_time_off_until_they_are_refunded(database: Database) -> None:
    friday = MONDAY + timedelta(4)
    take_in(
        database,
        *STAFF,
        make.time_entered("t-1"),
        absence("a", start_date=friday, end_date=MONDAY + WEEK),
        consumed("a", friday, MONDAY + WEEK, activity_id="code"),
        absence("open", start_date=MONDAY + WEEK),
        registered("open", MONDAY + WEEK + timedelta(2)),
    )
    second = ("e-1", MONDAY + WEEK, 0, 544, 0, 2220)
    assert weeks(database) == [("e-1", MONDAY, 60, 444, 0, 2220), second]
    saturday = friday + timedelta(1)
    take_in(database, make.event("time_off.interrupted", {"absence_id": "a", "employee_id": "e-1", "date": saturday}))
    assert weeks(database) == [("e-1", MONDAY, 60, 444, 0, 2220), ("e-1", MONDAY + WEEK, 0, 100, 0, 2220)]
    take_in(database, make.event("time_off.cancelled", {"absence_id": "open", "employee_id": "e-1"}))
    assert weeks(database) == [("e-1", MONDAY, 60, 444, 0, 2220)]
    take_in(database, make.event("time_off.cancelled", {"absence_id": "a", "employee_id": "e-1"}))
    assert weeks(database) == [("e-1", MONDAY, 60, 0, 0, 2220)]


def test_expected_minutes_follow_people_and_settings(database: Database) -> None:
    take_in(database, *STAFF, make.time_entered("t-1"))
    half_day = {"custom_days": [{"date": MONDAY, "name": "Short Monday", "fraction": 0.5}]}
    happened = [
        (make.employment("e-1/1", MONDAY + timedelta(1)), 4 * 444),
        (make.terms(norm=[[60] * 7], since=MONDAY + timedelta(6)), 4 * 444 + 60),
        (make.employment("e-1/1"), 5 * 444 + 60),
        (make.calendar("c", **half_day), 5 * 444 + 60),
        (make.workspace(default_holiday_calendar_id="c"), 5 * 444 + 60 - 222),
        (make.policy("wtp"), 5 * 444 + 60 - 222),
        (make.terms(work_time_policy_id="wtp"), 5 * 444 - 222),
        (make.policy("wtp", norm=[[100] * 7]), 650),
        # What can not be told is 0.
        (make.terms(work_time_policy_id="unknown"), 0),
        (make.employment("e-1/1", employee_id="e-2"), 0),
        (make.policy("unknown"), 0),
        (make.employment("e-1/1"), 5 * 444 - 222),
    ]
    for event, expected in happened:
        take_in(database, event)
        assert weeks(database) == [("e-1", MONDAY, 60, 0, 0, expected)], event


_numbers = itertools.count(1)
_day = st.sampled_from([MONDAY + timedelta(number) for number in (0, 3, 6, 7, 12)])
_who = st.sampled_from(["e-1", "e-1", "e-2"])
_entry = st.sampled_from(["t-1", "t-2", "t-3"])
_activity = st.sampled_from(["a-1", "a-2"])
_absence = st.sampled_from(["x", "y"])
_time = st.builds(
    lambda entry, who, day, name, spent: make.time_entered(entry, who, date=day, activity_id=name, minutes=spent),
    _entry,
    _who,
    _day,
    _activity,
    st.sampled_from([0, 1, 10, 100]),
)
_events = st.one_of(
    _time,
    _time,
    st.builds(removed, _entry, _who),
    st.builds(
        lambda name, kind, since: activity(name, kind, since=since),
        _activity,
        st.sampled_from(["work", "time_off", "non_work", "allowance"]),
        st.none() | _day,
    ),
    st.builds(lambda name, end: absence(name, end_date=end), _absence, st.sampled_from([None, MONDAY + timedelta(12)])),
    st.builds(lambda name, day: consumed(name, *sorted({MONDAY, day})), _absence, _day),
    st.builds(registered, _absence, _day),
    st.builds(
        lambda name, day: make.event("time_off.interrupted", {"absence_id": name, "employee_id": "e-1", "date": day}),
        _absence,
        _day,
    ),
    st.builds(lambda name: make.event("time_off.cancelled", {"absence_id": name, "employee_id": "e-1"}), _absence),
    st.builds(lambda day, who: make.employment("e-1/1", day, employee_id=who), _day, _who),
    st.builds(lambda day: make.terms(norm=[[60] * 7], since=day), st.none() | _day),
)
_happenings = st.lists(st.tuples(_events, st.booleans(), st.booleans()), min_size=1, max_size=16)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_happenings)
def test_every_split_gives_the_same_weeks_and_loses_no_minute(
    shared: Database, happened: list[tuple[Event, bool, bool]]
) -> None:
    number = next(_numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    for event, catches_up, people_first in happened:
        import_all(shared, *of(split, event))
        if people_first:
            catch_up_all(shared, split, names=["definitions", "absences"])
        if catches_up:
            catch_up_all(shared, split)
    catch_up_all(shared, split)
    import_all(shared, *of(whole, *(event for event, *_ in happened)))
    catch_up_all(shared, whole)
    assert everything(shared, split) == everything(shared, whole)
    _check_minutes(shared, whole, [event for event, *_ in happened])


def _check_minutes(database: Database, workspace_id: str, happened: list[Event]) -> None:
    """Summed up one by one: entries as they stand, and the days of absence."""
    standing: dict[str, dict[str, Any]] = {}
    kinds: dict[str, dict[date, str]] = {}
    for event in happened:
        payload = event["payload"]
        if event["type"] == "time.entered":
            standing[payload["entry_id"]] = payload
        elif event["type"] == "time.removed":
            entry = standing.get(payload["entry_id"])
            if entry and entry["employee_id"] == payload["employee_id"]:
                del standing[payload["entry_id"]]
        elif event["type"] == "activity.defined":
            since = payload["effective_date"]
            of_activity = {} if since is None else kinds.get(payload["activity_id"], {})
            kinds[payload["activity_id"]] = {**of_activity, since or date.min: payload["kind"]}
    expected: dict[tuple[str, date], dict[str, int]] = {}

    def count(who: str, day: date, kind: str, minutes: int) -> None:
        if kind != "allowance" and minutes:
            week = expected.setdefault((who, day - timedelta(day.weekday())), {"work": 0, "time_off": 0, "non_work": 0})
            week[kind] += minutes

    for entry in standing.values():
        versions = kinds.get(entry["activity_id"], {date.min: "work"})
        begun = [since for since in versions if since <= entry["date"]]
        kind = versions[max(begun, default=min(versions))]
        count(entry["employee_id"], entry["date"], kind, entry["minutes"])
    with database.worker([workspace_id]) as connection:
        for who, day, minutes in connection.execute(
            "SELECT employee_id, date, minutes FROM projections.absence_days"
        ).fetchall():
            count(who, day, "time_off", minutes)
    assert {row[:2]: row[2:5] for row in weeks(database, workspace_id)} == {
        key: (week["work"], week["time_off"], week["non_work"]) for key, week in expected.items()
    }
