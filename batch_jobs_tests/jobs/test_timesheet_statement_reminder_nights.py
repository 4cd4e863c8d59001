"""Statements move as the rule says, whoever they belong to, however the nights fall and however the work is cut."""

import string
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.projections.workforces import load_workforces
from batch_jobs.rules.approval_periods import Period, period
from batch_jobs.rules.statement_deadlines import deadline, overdue_day
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import engine_of, rows, run
from batch_jobs_tests.jobs.statement_reminders import (
    COUNTERS,
    JOB,
    JUNE,
    STEPS,
    TOLD,
    counts,
    jobs,
    remind,
    staff,
    steps,
)
from batch_jobs_tests.jobs.time_off import off


@pytest.fixture
def engine(database):
    return engine_of(database, *jobs())


_days = st.dates(date(2026, 5, 20), date(2026, 7, 20))
_people = st.sampled_from(["e-1", "e-2", "e-3", "e-4"])
_since = st.none() | _days
_employments = st.builds(
    lambda who, number, start, end, since, terms: builders.employment(
        f"{who}/{number}", min(start, end or start), end, since=since, terms_id=terms, manager_id="e-4"
    ),
    _people,
    st.sampled_from("12"),
    st.just(date(2026, 1, 1)) | _days,
    st.none() | _days,
    _since,
    st.sampled_from(["t-1", "t-2"]),
)
_absences = st.lists(st.tuples(_people, _days, st.none() | st.integers(0, 12), st.sampled_from([1.0, 0.5])), max_size=6)
_shift = [[480, 480, 480, 480, 480, 0, 0], [0, 0, 0, 0, 0, 0, 0]]
_settings = st.lists(
    st.builds(
        lambda name, since, norm: builders.terms(name, since=since, norm=norm),
        st.sampled_from(["t-1", "t-2"]),
        _since,
        st.sampled_from([builders.OFFICE_HOURS, _shift, [[60] * 7], [[0] * 7]]),
    ),
    max_size=3,
)
_kinds = st.sampled_from(["weekly", "biweekly", "monthly"])
_workspace_ids = st.text(string.ascii_lowercase, min_size=12, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=_workspace_ids,
    spells=st.lists(_employments, min_size=1, max_size=8),
    absences=_absences,
    terms=_settings,
    owed=st.sets(st.tuples(_people, _kinds, _days), min_size=1, max_size=8),
    nights=st.sets(_days, min_size=1, max_size=4),
)
def test_random_people_are_reminded_as_the_rule_says(engine, name, spells, absences, terms, owed, nights):
    """Each night each statement moves as its deadline and overdue day say, looked at one by one; a dry run says so."""
    if rows(engine.database, "SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s", name):
        return
    statements = sorted({(who, *period(kind, day)) for who, kind, day in owed})
    events = [
        builders.terms("t-1"),
        builders.terms("t-2", holiday_calendar_id="dk"),
        *terms,
        builders.calendar("dk", country="DK"),
        *(
            event
            for number in "1234"
            for event in (builders.employee(f"e-{number}"), builders.user(f"u-{number}", f"e-{number}"))
        ),
        *spells,
        *(
            off(f"a-{number}", start, None if days is None else start + timedelta(days), who, fraction=fraction)
            for number, (who, start, days, fraction) in enumerate(absences)
        ),
        *(builders.statement("period_started", *one) for one in statements),
    ]
    builders.import_all(engine.database, builders.workspace(name), *builders.of(name, *events))
    engine.catch_up(workspaces=[name])
    with engine.database.worker([name]) as connection:
        workforce, _ = load_workforces(connection, {name: None})[name]
    whole = {
        who: [
            (start, None if days is None else start + timedelta(days))
            for one, start, days, part in absences
            if one == who and part == 1
        ]
        for who in ("e-1", "e-2", "e-3", "e-4")
    }
    expected = []
    state = dict.fromkeys(statements, "pending")
    for night in sorted(nights):
        tally = Counter()
        for one in statements:
            who, bounds = one[0], Period(*one[1:])
            before = state[one]
            if before == "pending" and night >= deadline(workforce, who, bounds, whole[who]):
                state[one] = "ready"
            if state[one] == "ready" and night >= overdue_day(workforce, who, bounds, whole[who]):
                state[one] = "overdue"
            tally["processed"] += before != "overdue"
            tally["ready_emitted"] += before == "pending" != state[one]
            tally["overdue_emitted"] += before != "overdue" == state[one]
            tally["skipped"] += before == state[one] != "overdue"
            if before != state[one]:
                kind = "statement_overdue" if state[one] == "overdue" else "statement_deadline"
                expected.append((f"u-{who[2:]}", kind, f"{who}:{bounds.start}:{bounds.end}"))
        dry = remind(engine, night, name, parameters={"dry_run": True})
        real = remind(engine, night, name)
        assert counts(real) == tuple(tally[counter] for counter in COUNTERS)
        assert counts(dry) == counts(real)
    found = rows(
        engine.database,
        "SELECT employee_id, period_start, period_end, state FROM projections.timesheet_statements "
        "WHERE workspace_id = %s",
        name,
    )
    assert {one[:3]: one[3] for one in found} == state
    told = [(user_id, kind, data["statement_id"]) for user_id, kind, data in rows(engine.database, TOLD, name)]
    assert sorted(told) == sorted(expected)
    assert len(told) == len(set(told))
    steps = [one[:2] for one in rows(engine.database, STEPS, name)]
    assert len(steps) == len(set(steps))


def _company(number):
    """A workspace with three people, one of them away at the end of June."""
    others = [
        event
        for who in ("e-2", "e-3")
        for event in (
            builders.employee(who),
            builders.employment(f"{who}/1", manager_id="boss"),
            builders.user(f"u-{who}", who),
            builders.statement("period_started", who, *JUNE),
        )
    ]
    return staff(*others, off("a", date(2026, 6, 30), date(2026, 6, 30), "e-2"), workspace_id=f"company-{number}")


def _what_happened(database, number):
    """Events by what they say, in any order."""
    name = f"company-{number}"
    told = [(user_id, kind, data["statement_id"]) for user_id, kind, data in rows(database, TOLD, name)]
    return sorted(rows(database, STEPS, name)), sorted(told)


def test_neither_chunks_nor_the_order_of_workspaces_matter(database, make_database, migrated):
    with Database(make_database(migrated)) as other:
        for opened, numbers, chunk_rows in ((database, (1, 2, 3), 10_000), (other, (3, 1, 2), 1)):
            builders.import_all(opened, *(event for number in numbers for event in _company(number)))
            engine = engine_of(opened, *jobs(), chunk_rows=chunk_rows)
            for night in (date(2026, 6, 29), date(2026, 6, 30)):
                run(engine, JOB, [f"company-{number}" for number in numbers], night, allow_future=True)
        for number in (1, 2, 3):
            happened = _what_happened(database, number)
            assert happened == _what_happened(other, number)
            assert len(happened[0]) == len(happened[1]) == 3


def test_thirty_nights_and_one_late_night_move_the_same_statements(engine):
    builders.import_all(engine.database, *_company(1), *_company(2))
    for night in (date(2026, 6, 15) + timedelta(number) for number in range(30)):
        remind(engine, night, "company-1")
    remind(engine, date(2026, 7, 14), "company-2")
    on_time, late = _what_happened(engine.database, 1), _what_happened(engine.database, 2)
    assert on_time[0] == late[0]
    assert len(on_time[0]) == 6
    assert Counter(kind for _, kind, _ in on_time[1]) == {"statement_deadline": 3, "statement_overdue": 3}
    assert Counter(kind for _, kind, _ in late[1]) == {"statement_overdue": 3}


def test_only_those_in_scope_move(engine):
    builders.import_all(engine.database, *_company(1), *_company(2))
    one = remind(engine, date(2026, 6, 30), "company-1", parameters={"employee_id": "e-3"})
    assert counts(one) == (1, 1, 0, 0, 0)
    assert [row[0][:3] for row in rows(engine.database, STEPS, "company-1")] == ["e-3"]
    assert steps(engine, "company-2") == []
