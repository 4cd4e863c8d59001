"""Which days are put on timesheets: by examples of the catalogue, and day by day over random histories."""

import itertools
from datetime import UTC, date, datetime, timedelta
from math import floor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.absence_registration import AbsenceRegistration
from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.projections.workforces import load_workforces
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import (
    activity,
    away,
    decided,
    interrupted,
    policies,
    registered,
    requested,
    sick,
    time_off_policy,
)
from batch_jobs_tests.engine.company import Clock, digests, engine_of, rows, run

JOB = AbsenceRegistration.name

_DAYS = """
    SELECT absence_id, date, activity_id, minutes FROM projections.absence_days
    WHERE workspace_id = %s AND registered ORDER BY 1, 2
"""
_ERRORS = "SELECT entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY entity_id"


@pytest.fixture
def engine(database):
    return engine_of(database, ApplyScheduledChanges(), AbsenceRegistration())


def march(number):
    return date(2026, 3, number)


def company(*events, workspace_id="acme"):
    people = [builders.employee("e-1"), builders.employment("e-1/1")]
    return [
        builders.workspace(workspace_id),
        *builders.of(workspace_id, builders.terms(), *people, *policies(), *events),
    ]


def register(engine, day, workspace_id="acme", **wishes) -> JobRun:
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def days(engine, workspace_id="acme"):
    return [(name, when.day) for name, when, *_ in rows(engine.database, _DAYS, workspace_id)]


def counters(entries=0, no_activity=0, errors=0):
    return {"entries_registered": entries, "no_activity": no_activity, "errors": errors}


def test_yesterday_is_registered_from_the_second_day_on(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(3), fraction=0.5)))
    assert engine.due([JOB], run_date=march(4)).due == []
    assert register(engine, march(4)).counters["entries_registered"] == 0
    one = register(engine, march(5))
    assert (one.status, one.counters) == ("completed", counters(1))
    ((event_id, actor, about, payload),) = rows(
        engine.database,
        "SELECT event_id, actor, employee_id, payload FROM batch_jobs.events WHERE type = 'absence.registered'",
    )
    # No job part: an application that registers the first day makes its ids by the same rule.
    assert event_id == deterministic_event_id("acme", "e-1", "ill", "2026-03-04")
    assert (actor, about) == (f"job:{JOB}", "e-1")
    assert payload == {
        "absence_id": "a-1",
        "employee_id": "e-1",
        "activity_id": "ill",
        "date": "2026-03-04",
        "minutes": 222,
    }


def test_twice_the_same_night_changes_nothing(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(3))))
    register(engine, march(5))
    before = digests(engine.database)
    again = register(engine, march(5))
    assert digests(engine.database) == before
    assert again.counters == {**counters(), "skipped_reason": "no open-ended absence has a day to register"}


def test_a_weekend_is_looked_at_once_and_has_nothing_to_register(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(3))))
    assert [item.rows for item in engine.due([JOB], run_date=march(8)).due] == [1]
    assert register(engine, march(8)).counters == counters()
    assert engine.due([JOB], run_date=march(8)).due == []


def test_an_interruption_counts_from_its_date_on(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(2)), interrupted("a-1", march(5))))
    for day in range(3, 8):
        register(engine, march(day))
    assert days(engine) == [("a-1", 3), ("a-1", 4)]
    builders.import_all(engine.database, interrupted("a-1", march(4)))
    register(engine, march(5))
    assert days(engine) == [("a-1", 3)]
    builders.import_all(engine.database, decided("cancelled", "a-1"))
    register(engine, march(4))
    assert days(engine) == []


def test_only_open_ended_approved_absences_are_registered(engine):
    builders.import_all(
        engine.database,
        *company(
            away("closed", march(2), march(20), policy_id="sickness"),
            requested("asked", march(2), policy_id="sickness"),
            requested("refused", march(2), policy_id="sickness"),
            decided("rejected", "refused"),
            sick("now", march(2)),
        ),
    )
    assert register(engine, march(5)).counters == counters(1)
    assert days(engine) == [("now", 4)]


def test_what_anybody_registered_is_passed_over(engine):
    """By another absence, under whatever event id, but not on another activity."""
    builders.import_all(
        engine.database,
        *company(
            activity("child"),
            time_off_policy("child-ill", activity_id="child"),
            sick("a-1", march(2)),
            sick("a-2", march(3)),
            sick("a-3", march(3), policy_id="child-ill"),
            registered("a-2", march(4)),
        ),
    )
    one = register(engine, march(5))
    assert (one.status, one.counters) == ("completed", counters(1))
    assert days(engine) == [("a-2", 4), ("a-3", 4)]
    assert register(engine, march(6)).counters == counters(2)
    assert days(engine) == [("a-1", 5), ("a-2", 4), ("a-3", 4), ("a-3", 5)]


def test_a_refunded_day_is_not_registered_again_but_said(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(2))))
    register(engine, march(5))
    builders.import_all(engine.database, decided("cancelled", "a-1"), sick("a-2", march(2)))
    one = register(engine, march(5))
    assert (one.status, one.counters) == ("warning", counters(errors=1))
    ((entity_id, error, message),) = rows(engine.database, _ERRORS)
    assert (entity_id, error) == ("a-2", "registered_before")
    assert message == (
        'absence a-2: 2026-03-04 was recorded on activity "ill" before, for absence "a-1", and does not count any '
        "more; a day is registered once on an activity: enter its time by hand"
    )
    assert register(engine, march(6)).counters == counters(1)


def test_a_policy_without_activity_is_a_warning(engine):
    builders.import_all(engine.database, *company(sick("a-1", march(2), policy_id="leave"), sick("a-2", march(2))))
    one = register(engine, march(5))
    assert (one.status, one.counters) == ("warning", counters(1, no_activity=1))
    ((entity_id, error, message),) = rows(engine.database, _ERRORS)
    assert (entity_id, error) == ("a-1", "no_activity")
    assert message == (
        'absence a-1: time-off policy "leave" names no activity, so that 2026-03-04 can not go on the timesheet; '
        "give it one with a new time_off_policy.defined"
    )
    assert register(engine, march(9)).counters == counters()
    builders.import_all(engine.database, time_off_policy("leave", activity_id="free"))
    (again,) = engine.retry(one.job_run_id, actor="user:anna")
    assert again.counters == counters(1)
    assert days(engine) == [("a-1", 4), ("a-2", 4)]


def test_bad_data_is_a_row_error_and_the_others_go_on(engine):
    builders.import_all(
        engine.database,
        *company(
            time_off_policy("dangling", activity_id="nowhere"),
            *(builders.employee(name) for name in ("e-2", "gone")),
            builders.employment("e-2/1", terms_id="t-9"),
            builders.employment("ghost/1"),
            builders.employment("gone/1"),
            builders.removed("gone"),
            sick("a-1", march(2), policy_id="nowhere"),
            sick("a-2", march(2), employee_id="e-2"),
            sick("a-3", march(2), policy_id="dangling"),
            sick("a-4", march(2), employee_id="ghost"),
            sick("a-5", march(2), employee_id="gone"),
            sick("a-6", date(206, 3, 2)),
            sick("a-7", date(9206, 3, 2)),
        ),
    )
    one = register(engine, march(5))
    assert (one.status, one.counters) == ("warning", counters(1, errors=4))
    assert [row[:2] for row in rows(engine.database, _ERRORS)] == [
        (f"a-{number}", "undefined_reference") for number in (1, 2, 3, 4)
    ]
    assert days(engine) == [("a-6", 4)]


def test_the_first_and_the_last_day_of_the_calendar(engine):
    builders.import_all(
        engine.database,
        *company(
            builders.employment("e-1/1", date(1, 1, 1)), sick("a-1", date(1, 1, 1)), sick("a-2", date(9999, 1, 1))
        ),
    )
    assert register(engine, date(1, 1, 2)).counters["entries_registered"] == 0
    assert register(engine, date(1, 1, 3)).counters["entries_registered"] == 1
    assert register(engine, date.max).counters["entries_registered"] == 1


def test_missed_nights_are_made_good_day_by_day(database):
    clock = Clock()
    engine = engine_of(database, ApplyScheduledChanges(), AbsenceRegistration(), clock=clock)
    builders.import_all(database, *company(sick("a-1", march(1))))
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.workspaces SET recorded_at = '2026-03-02T08:00:00Z'")
    for night in (3, 4, 14):
        clock.now = datetime(2026, 3, night, 12, tzinfo=UTC)
        while due := engine.schedule(JOB).due:
            run(engine, JOB, [due[0].workspace_id], due[0].run_date)
    assert days(engine) == [("a-1", number) for number in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]


FIRST = date(2026, 1, 1)
_days = st.dates(FIRST, FIRST + timedelta(25))
_people = st.sampled_from(["e-1", "e-2"])
_numbers = itertools.count(1)


@st.composite
def _absences(draw):
    name, who, start = f"a-{next(_numbers)}", draw(_people), draw(_days)
    policy_id = draw(st.sampled_from(["sickness", "sickness", "holiday", "leave"]))
    events = [
        sick(name, start, employee_id=who, policy_id=policy_id, fraction=draw(st.sampled_from([1.0, 0.001, 0.7])))
    ]
    if draw(st.booleans()):
        events.append(interrupted(name, draw(st.dates(start, FIRST + timedelta(30))), employee_id=who))
    return events


_spells = st.builds(
    lambda who, number, start, length: builders.employment(
        f"{who}/{number}", start, start + timedelta(length) if length else None
    ),
    _people,
    st.sampled_from("12"),
    _days,
    st.sampled_from([None, 5, 20]),
)
_ACTIVITY = {"sickness": "ill", "holiday": "free", "leave": None}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spells=st.lists(_spells, max_size=3),
    absences=st.lists(_absences(), min_size=1, max_size=4),
    nights=st.lists(st.integers(0, 29), min_size=1, max_size=6, unique=True),
)
def test_random_histories_in_any_order_of_nights_give_what_the_rule_says(engine, spells, absences, nights):
    name = f"w-{next(_numbers)}"
    history = [*spells, builders.employee("e-2"), *itertools.chain(*absences)]
    builders.import_all(engine.database, *company(*history, workspace_id=name))
    expected, unnamed = {}, 0
    for night in nights:
        run_date = FIRST + timedelta(night)
        engine.catch_up(workspaces=[name])
        wanted, without = _by_the_rule(engine, name, run_date - timedelta(1))
        expected |= wanted
        one = register(engine, run_date, name)
        assert one.counters["entries_registered"] == len(wanted)
        assert (one.counters["no_activity"], one.counters["errors"]) == (without, 0)
        unnamed += without
    found = rows(
        engine.database,
        "SELECT employee_id, activity_id, date, absence_id, minutes FROM projections.absence_days "
        "WHERE workspace_id = %s",
        name,
    )
    assert {row[:3]: row[3:] for row in found} == expected
    assert len(found) == len(expected)


def _by_the_rule(engine, name, day):
    """By employee, activity and day the smallest absence that covers it and began before, with its minutes."""
    with engine.database.worker([name]) as connection:
        workforce, _ = load_workforces(connection, {name: None})[name]
        found = connection.execute(
            "SELECT absence_id, employee_id, policy_id, fraction FROM projections.absences "
            "WHERE start_date < %(day)s AND coalesce(end_date, 'infinity') >= %(day)s ORDER BY absence_id",
            {"day": day},
        ).fetchall()
    wanted, without = {}, 0
    for absence_id, employee_id, policy_id, fraction in found:
        minutes = floor(workforce.expected_minutes(employee_id, day) * fraction)
        without += bool(minutes) and _ACTIVITY[policy_id] is None
        if minutes and _ACTIVITY[policy_id]:
            wanted.setdefault((employee_id, _ACTIVITY[policy_id], day), (absence_id, minutes))
    return wanted, without


def test_neither_chunk_size_nor_dry_run_nor_scope_changes_what_is_counted(database):
    people = [
        event
        for number in range(2, 8)
        for event in (builders.employee(f"e-{number}"), builders.employment(f"e-{number}/1"))
    ]
    absences = [
        sick(f"a-{number:02}", march(2), employee_id=f"e-{1 + number % 7}", policy_id=policy_id)
        for number, policy_id in zip(range(20), itertools.cycle(["sickness", "sickness", "leave"]), strict=False)
    ]
    for name in ("one", "two", "three"):
        builders.import_all(database, *company(*people, *absences, workspace_id=name))
    jobs = ApplyScheduledChanges(), AbsenceRegistration()
    usual, small = engine_of(database, *jobs), engine_of(database, *jobs, chunk_rows=3)
    usual.catch_up()
    before = digests(database)
    dry = register(usual, march(5), "one", parameters={"dry_run": True})
    assert digests(database) == before
    assert len(dry.plan) == 7
    real, sliced = register(usual, march(5), "one"), register(small, march(5), "two")
    assert dry.counters == real.counters == sliced.counters == counters(7, no_activity=6)
    assert rows(database, _DAYS, "one") == rows(database, _DAYS, "two")
    assert days(usual, "three") == []
    register(usual, march(5), "three", parameters={"employee_id": "e-3"})
    assert days(usual, "three") == [("a-09", 4)]
