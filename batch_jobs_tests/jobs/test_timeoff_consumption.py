"""What is consumed when: by examples of the catalogue, and against the rule over random histories and nights."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.jobs.timeoff_consumption import TimeoffConsumption
from batch_jobs.projections.workforces import load_workforces
from batch_jobs.rules.absence_days import approval_kind, chunks
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.fractions import exact
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import away, decided, interrupted, policies, requested, time_off_policy
from batch_jobs_tests.engine.company import digests, engine_of, rows, run

JOB = TimeoffConsumption.name

_EVENTS = """
    SELECT payload ->> 'absence_id', payload ->> 'from_date', payload ->> 'to_date',
        jsonb_array_length(payload -> 'days'), (payload ->> 'amount')::int
    FROM batch_jobs.events WHERE type = 'time_off.consumed' AND workspace_id = %s ORDER BY position
"""
_DAYS = """
    SELECT absence_id, date, minutes, amount FROM projections.absence_days WHERE workspace_id = %s ORDER BY 1, 2
"""


@pytest.fixture
def engine(database):
    return engine_of(database, ApplyScheduledChanges(), TimeoffConsumption())


def march(number):
    return date(2026, 3, number)


def company(*events, kind="monthly", workspace_id="acme"):
    people = [builders.employee("e-1"), builders.employment("e-1/1")]
    return [
        builders.workspace(workspace_id),
        *builders.of(workspace_id, builders.terms(approval_period=kind), *people, *policies(), *events),
    ]


def consume(engine, day, workspace_id="acme", **wishes) -> JobRun:
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def consumed(engine, workspace_id="acme"):
    return rows(engine.database, _EVENTS, workspace_id)


def test_a_month_with_a_part_of_a_day_is_one_event(engine):
    builders.import_all(engine.database, *company(away("a-1", march(5), date(2026, 4, 10), fraction=0.125)))
    assert engine.due([JOB], run_date=march(4)).due == []
    one = consume(engine, march(5))
    assert (one.status, one.counters) == ("completed", {"periods_consumed": 1, "consumption_errs": 0})
    ((event_id, actor, about, payload),) = rows(
        engine.database,
        "SELECT event_id, actor, employee_id, payload FROM batch_jobs.events WHERE type = 'time_off.consumed'",
    )
    assert event_id == deterministic_event_id("acme", JOB, "a-1", "2026-03-05")
    assert (actor, about) == (f"job:{JOB}", "e-1")
    days = payload.pop("days")
    assert payload == {
        "absence_id": "a-1",
        "employee_id": "e-1",
        "policy_id": "holiday",
        "account_id": "days",
        "activity_id": "free",
        "from_date": "2026-03-05",
        "to_date": "2026-03-31",
        "amount": 19 * 13,
    }
    assert days[0] == {"date": "2026-03-05", "minutes": 55, "amount": 13}
    assert len(days) == 19


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [("2026-03-05", "2026-04-12", 27)]),
        ("monthly", [("2026-03-05", "2026-03-31", 19), ("2026-04-01", "2026-04-12", 8)]),
        ("biweekly", [("2026-03-05", "2026-03-08", 2), ("2026-03-09", "2026-03-22", 10)]),
        ("weekly", [("2026-03-05", "2026-03-08", 2), ("2026-03-09", "2026-03-15", 5), ("2026-03-16", "2026-03-22", 5)]),
    ],
)
def test_one_event_for_each_approval_period_up_to_that_of_the_run_date(engine, kind, expected):
    builders.import_all(engine.database, *company(away("a-1", march(5), date(2026, 4, 12)), kind=kind))
    day = date(2026, 4, 1) if kind == "monthly" else march(17)
    assert consume(engine, day).counters["periods_consumed"] == len(expected)
    assert consumed(engine) == [("a-1", start, end, days, 100 * days) for start, end, days in expected]


def test_twice_the_same_night_changes_nothing(engine):
    builders.import_all(engine.database, *company(away("a-1", march(5), date(2026, 4, 12)), kind="weekly"))
    consume(engine, march(17))
    before = digests(engine.database)
    again = consume(engine, march(17))
    assert digests(engine.database) == before
    assert again.counters["skipped_reason"] == "no absence has days to consume"


@pytest.mark.parametrize(
    ("policy_id", "charged", "amount"),
    [("holiday", ("days", "free"), 100), ("overtime", ("hours", None), 444), ("leave", (None, None), 0)],
)
def test_the_account_says_what_a_day_takes(engine, policy_id, charged, amount):
    builders.import_all(engine.database, *company(away("a-1", march(5), march(8), policy_id=policy_id)))
    consume(engine, march(5))
    assert consumed(engine) == [("a-1", "2026-03-05", "2026-03-08", 2, 2 * amount)]
    found = rows(engine.database, "SELECT DISTINCT account_id, activity_id, minutes FROM projections.absence_days")
    assert found == [(*charged, 444)]


def test_a_weekend_is_consumed_without_a_day_and_no_longer_due(engine):
    builders.import_all(engine.database, *company(away("a-1", march(7), march(8)), kind="weekly"))
    consume(engine, march(7))
    assert consumed(engine) == [("a-1", "2026-03-07", "2026-03-08", 0, 0)]
    assert rows(engine.database, "SELECT bucket FROM projections.absences") == [("used",)]
    assert engine.due([JOB], run_date=march(9)).due == []


def test_from_monthly_to_weekly_approval_in_mid_month(engine):
    terms = builders.terms(approval_period="weekly", since=march(16))
    builders.import_all(engine.database, *company(terms, away("a-1", march(2), date(2026, 4, 10))))
    found = []
    for offset in range(45):
        day = march(1) + timedelta(offset)
        due = bool(engine.due([JOB], run_date=day).due)
        number = consume(engine, day).counters["periods_consumed"]
        assert due == bool(number)
        found += [day] * number
    assert found == [march(2), march(30), date(2026, 4, 6)]
    assert [one[1:4] for one in consumed(engine)] == [
        ("2026-03-02", "2026-03-31", 22),
        ("2026-04-01", "2026-04-05", 3),
        ("2026-04-06", "2026-04-10", 5),
    ]


def test_an_interruption_refunds_and_what_is_left_is_consumed_once(engine):
    builders.import_all(engine.database, *company(away("a-1", march(2), march(31)), kind="weekly"))
    consume(engine, march(17))
    builders.import_all(engine.database, interrupted("a-1", march(20)))
    consume(engine, march(19))
    assert [when.day for _, when, *_ in rows(engine.database, _DAYS, "acme")] == [
        *range(2, 7),
        *range(9, 14),
        16,
        17,
        18,
        19,
    ]
    builders.import_all(engine.database, decided("cancelled", "a-1"))
    assert consume(engine, march(30)).counters["periods_consumed"] == 0
    assert rows(engine.database, _DAYS, "acme") == []


def test_only_approved_closed_absences_that_have_begun(engine):
    builders.import_all(
        engine.database,
        *company(
            requested("asked", march(2), march(3)),
            requested("refused", march(2), march(3)),
            decided("rejected", "refused"),
            away("taken-back", march(2), march(3)),
            decided("cancelled", "taken-back"),
            away("open", march(2)),
            interrupted("open", march(4)),
            away("later", march(4), march(5)),
            away("now", march(2), march(3)),
        ),
    )
    consume(engine, march(3))
    assert [one[0] for one in consumed(engine)] == ["now"]


def test_someone_who_left_is_consumed_by_their_last_approval_period(engine):
    builders.import_all(
        engine.database,
        *company(
            builders.terms("t-2", approval_period="none"),
            builders.employment("e-1/1", date(2025, 1, 1), march(6)),
            builders.employee("e-2"),
            builders.employment("e-2/1", date(2025, 1, 1), march(6), terms_id="t-2"),
            builders.employment("e-2/2", date(2026, 6, 1)),
            builders.employee("e-3"),
            away("a-1", march(5), march(31)),
            away("a-2", march(5), march(31), employee_id="e-2"),
            away("a-3", march(5), march(31), employee_id="e-3"),
            kind="weekly",
        ),
    )
    consume(engine, march(10))
    assert [one[:4] for one in consumed(engine)] == [
        ("a-1", "2026-03-05", "2026-03-08", 2),
        ("a-1", "2026-03-09", "2026-03-15", 0),
        ("a-2", "2026-03-05", "2026-03-31", 2),
        ("a-3", "2026-03-05", "2026-03-31", 0),
    ]


def test_bad_data_is_a_row_error_and_the_others_go_on(engine):
    builders.import_all(
        engine.database,
        *company(
            time_off_policy("dangling", account_id="nowhere"),
            *(builders.employee(name) for name in ("e-2", "e-4", "gone")),
            builders.employment("e-2/1", terms_id="t-9"),
            builders.terms("t-none", approval_period="none"),
            builders.employment("e-4/1", terms_id="t-none"),
            builders.employment("gone/1"),
            builders.removed("gone"),
            away("a-1", march(2), march(2), policy_id="nowhere"),
            away("a-2", march(2), march(2), employee_id="e-2"),
            away("a-4", march(2), date(9026, 3, 2), employee_id="e-4"),
            away("a-5", date(206, 3, 2), march(3)),
            away("a-6", march(2), march(2), employee_id="ghost"),
            away("a-7", march(2), march(2), employee_id="gone"),
            away("a-8", march(2), march(2), policy_id="dangling"),
            away("a-9", march(2), march(2)),
        ),
    )
    one = consume(engine, march(3))
    assert (one.status, one.counters) == ("warning", {"periods_consumed": 1, "consumption_errs": 6})
    found = rows(engine.database, "SELECT entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY entity_id")
    assert [row[:2] for row in found] == [
        ("a-1", "undefined_reference"),
        ("a-2", "undefined_reference"),
        ("a-4", "too_long"),
        ("a-5", "too_long"),
        ("a-6", "undefined_reference"),
        ("a-8", "undefined_reference"),
    ]
    assert found[0][2] == (
        'absence a-1: time-off policy "nowhere" is not defined in workspace "acme"; '
        "import its time_off_policy.defined first"
    )
    assert found[2][2] == (
        "absence a-4: 2026-03-02 to 9026-03-02 would be consumed at once; expected at most 3660 days. "
        "Cancel it, and request it again with the right dates"
    )
    assert [row[0] for row in consumed(engine)] == ["a-9"]
    builders.import_all(engine.database, time_off_policy("nowhere"))
    (again,) = engine.retry(one.job_run_id, actor="user:anna")
    assert again.counters == {"periods_consumed": 1, "consumption_errs": 5}


def test_chunks_before_the_one_that_can_not_be_consumed_are(engine):
    """As they would have been by runs on the days before."""
    terms = builders.terms(approval_period="weekly", since=march(9), work_time_policy_id="nowhere")
    builders.import_all(engine.database, *company(terms, away("a-1", march(2), march(31)), kind="weekly"))
    assert consume(engine, march(17)).counters == {"periods_consumed": 1, "consumption_errs": 1}
    assert [one[1:3] for one in consumed(engine)] == [("2026-03-02", "2026-03-08")]


FIRST = date(2026, 1, 1)
_days = st.dates(FIRST, FIRST + timedelta(50))
_people = st.sampled_from(["e-1", "e-2"])
_kinds = st.sampled_from(["none", "weekly", "biweekly", "monthly"])
_numbers = itertools.count(1)


@st.composite
def _absences(draw):
    start, end = sorted((draw(_days), draw(_days)))
    name, who = f"a-{next(_numbers)}", draw(_people)
    policy_id, fraction = draw(st.sampled_from(["holiday", "overtime", "leave"])), draw(st.sampled_from([1.0, 0.33]))
    events = [away(name, start, end, employee_id=who, policy_id=policy_id, fraction=fraction)]
    if draw(st.integers(0, 3)) == 0:
        events.append(interrupted(name, draw(st.dates(start, end)), employee_id=who))
    return events


_spells = st.builds(
    lambda who, number, start, length, terms_id: builders.employment(
        f"{who}/{number}", start, start + timedelta(length) if length else None, terms_id=terms_id
    ),
    _people,
    st.sampled_from("12"),
    _days,
    st.sampled_from([None, 5, 20]),
    st.sampled_from(["t-1", "t-2", "t-2"]),
)
_terms = st.builds(
    lambda kind, since: builders.terms("t-2", approval_period=kind, since=since), _kinds, st.none() | _days
)
_histories = st.tuples(
    st.lists(_spells, max_size=4), st.lists(_terms, max_size=3), st.lists(_absences(), min_size=1, max_size=5)
).map(
    lambda parts: [*parts[0], builders.terms("t-2"), *parts[1], builders.employee("e-2"), *itertools.chain(*parts[2])]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_histories, nights=st.lists(_days, min_size=1, max_size=5))
def test_random_histories_give_what_the_rule_says(engine, history, nights):
    """The need-check finds exactly the absences with a chunk due, and each chunk of the rule is one event."""
    name = f"w-{next(_numbers)}"
    builders.import_all(engine.database, *company(*history, workspace_id=name))
    for night in nights:
        engine.catch_up(workspaces=[name])
        expected = _by_the_rule(engine, name, night)
        due = sum(item.rows for item in engine.due([JOB], run_date=night, workspaces=[name]).due)
        done = rows(
            engine.database, "SELECT FROM batch_jobs.job_runs WHERE workspace_id = %s AND run_date = %s", name, night
        )
        assert done or due == len({absence_id for absence_id, _, _ in expected})
        before = len(consumed(engine, name))
        one = consume(engine, night, name)
        assert one.counters["consumption_errs"] == 0
        assert sorted(row[:3] for row in consumed(engine, name)[before:]) == expected
    letters = rows(engine.database, "SELECT reason FROM batch_jobs.dead_letters WHERE workspace_id = %s", name)
    assert letters == []


def _by_the_rule(engine, name, night):
    with engine.database.worker([name]) as connection:
        workforce, _ = load_workforces(connection, {name: None})[name]
        found = connection.execute(
            "SELECT absence_id, employee_id, policy_id, state, start_date, end_date, fraction, open_ended, consumed_to "
            "FROM projections.absences"
        ).fetchall()
    return sorted(
        (absence.absence_id, str(chunk.start), str(chunk.end))
        for absence in (Absence(*row[:6], exact(row[6]), *row[7:]) for row in found)
        for chunk in chunks(absence, night, approval_kind(workforce, absence.employee_id, night))
    )


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=_kinds,
    absences=st.lists(_absences(), min_size=1, max_size=3),
    missed=st.sets(st.sampled_from(range(0, 60, 6))),
)
def test_whatever_nights_were_missed_the_same_days_are_consumed(engine, kind, absences, missed):
    number = next(_numbers)
    names = [f"nightly-{number}", f"late-{number}"]
    history = [*itertools.chain(*absences), builders.employee("e-2"), builders.employment("e-2/1")]
    for name in names:
        builders.import_all(engine.database, *company(*history, kind=kind, workspace_id=name))
    for offset in range(0, 60, 6):
        there = names if offset not in missed else names[:1]
        run(engine, JOB, there, FIRST + timedelta(offset), allow_future=True)
    run(engine, JOB, names, FIRST + timedelta(60), allow_future=True)
    nightly, late = ((rows(engine.database, _DAYS, name), sorted(consumed(engine, name))) for name in names)
    assert nightly == late


def test_neither_chunk_size_nor_dry_run_nor_scope_changes_what_is_counted(database):
    people = [
        event
        for number in range(2, 8)
        for event in (builders.employee(f"e-{number}"), builders.employment(f"e-{number}/1"))
    ]
    absences = [away(f"a-{number}", march(2), march(20), employee_id=f"e-{1 + number % 7}") for number in range(20)]
    for name in ("one", "two", "three"):
        builders.import_all(database, *company(*people, *absences, workspace_id=name, kind="weekly"))
    usual, small = (
        engine_of(database, ApplyScheduledChanges(), TimeoffConsumption()),
        engine_of(database, ApplyScheduledChanges(), TimeoffConsumption(), chunk_rows=3),
    )
    usual.catch_up()
    before = digests(database)
    dry = consume(usual, march(17), "one", parameters={"dry_run": True})
    assert digests(database) == before
    assert len(dry.plan) == 60
    real, sliced = consume(usual, march(17), "one"), consume(small, march(17), "two")
    assert dry.counters == real.counters == sliced.counters == {"periods_consumed": 60, "consumption_errs": 0}
    assert consumed(usual, "one") == consumed(usual, "two")
    assert consumed(usual, "three") == []
    part = consume(usual, march(17), "three", parameters={"employee_id": "e-3"})
    assert part.counters["periods_consumed"] == 9
    assert rows(database, "SELECT DISTINCT employee_id FROM projections.absence_days WHERE workspace_id = 'three'") == [
        ("e-3",)
    ]
