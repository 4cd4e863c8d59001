"""Who gets which statement: by examples, and against the rule written out plainly over random histories."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.jobs.timesheet_statement_generate import TimesheetStatementGenerate
from batch_jobs.projections.workforces import load_workforces
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import digests, engine_of, rows, run

JOB = TimesheetStatementGenerate.name
DAY = date(2026, 11, 20)

_STATEMENTS = """
    SELECT employee_id, terms_id, period_start, period_end FROM projections.timesheet_statements
    WHERE workspace_id = %s ORDER BY 1, 3, 4
"""


@pytest.fixture
def engine(database):
    return engine_of(database, ApplyScheduledChanges(), TimesheetStatementGenerate())


def _generate(engine, day=DAY, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def _periods(engine, workspace_id="acme"):
    return [(who, str(start), str(end)) for who, _, start, end in rows(engine.database, _STATEMENTS, workspace_id)]


@pytest.mark.parametrize(
    ("kind", "day", "start", "end"),
    [
        ("monthly", "2026-11-20", "2026-11-01", "2026-11-30"),
        ("monthly", "2028-02-29", "2028-02-01", "2028-02-29"),
        # Week 53 of 2026 ends in 2027, week 1 of 2025 began in 2024.
        ("weekly", "2027-01-02", "2026-12-28", "2027-01-03"),
        ("weekly", "2024-12-30", "2024-12-30", "2025-01-05"),
        ("biweekly", "2024-01-14", "2024-01-01", "2024-01-14"),
        ("biweekly", "2023-12-31", "2023-12-18", "2023-12-31"),
    ],
)
def test_the_run_date_picks_the_period(engine, kind, day, start, end):
    builders.import_all(
        engine.database,
        builders.workspace(timezone="Europe/Copenhagen"),
        builders.terms(approval_period=kind),
        builders.employee("e-1"),
        builders.employment("e-1/1", date(2020, 1, 1)),
    )
    one = _generate(engine, date.fromisoformat(day))
    assert (one.status, one.counters) == ("completed", {"created": 1, "errors": 0})
    assert _periods(engine) == [("e-1", start, end)]
    ((event_id, actor, about, payload, local),) = rows(
        engine.database,
        "SELECT event_id, actor, employee_id, payload, (occurred_at AT TIME ZONE 'Europe/Copenhagen')::text "
        "FROM batch_jobs.events WHERE type = 'statement.period_started'",
    )
    assert event_id == deterministic_event_id("acme", JOB, "e-1", start, end)
    assert (actor, about, local) == (f"job:{JOB}", "e-1", f"{day} 00:00:00")
    assert payload == {
        "statement_id": f"e-1:{start}:{end}",
        "employee_id": "e-1",
        "terms_id": "t-1",
        "period_start": start,
        "period_end": end,
    }


def test_twice_the_same_night_changes_nothing(engine):
    builders.import_all(
        engine.database, builders.workspace(), builders.terms(), builders.employee("e-1"), builders.employment("e-1/1")
    )
    _generate(engine)
    before = digests(engine.database)
    again = _generate(engine)
    assert digests(engine.database) == before
    assert again.counters["skipped_reason"] == "every statement of the period exists already"


def test_a_change_of_the_period_in_its_midst_keeps_the_old_statement(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(),
        builders.terms(approval_period="weekly", since=date(2026, 11, 16)),
        builders.employee("e-1"),
        builders.employment("e-1/1"),
    )
    _generate(engine, date(2026, 11, 15))
    _generate(engine, date(2026, 11, 16))
    assert _periods(engine) == [("e-1", "2026-11-01", "2026-11-30"), ("e-1", "2026-11-16", "2026-11-22")]


def test_a_period_that_begins_on_the_same_day_but_ends_later_is_another_one(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(approval_period="weekly"),
        builders.terms(approval_period="biweekly", since=date(2026, 11, 18)),
        builders.employee("e-1"),
        builders.employment("e-1/1"),
    )
    _generate(engine, date(2026, 11, 17))
    _generate(engine, date(2026, 11, 18))
    assert _periods(engine) == [("e-1", "2026-11-16", "2026-11-22"), ("e-1", "2026-11-16", "2026-11-29")]


def test_only_active_employees_on_terms_with_approval_get_one(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(),
        builders.terms("t-none", approval_period="none"),
        *map(builders.employee, ("active", "ended", "pending", "free", "last-day", "gone")),
        builders.employment("active/1"),
        builders.employment("ended/1", end=DAY - timedelta(days=1)),
        builders.employment("pending/1", DAY + timedelta(days=1)),
        builders.employment("free/1", terms_id="t-none"),
        builders.employment("last-day/1", end=DAY),
        builders.employment("gone/1"),
        builders.removed("gone"),
    )
    assert _generate(engine).counters == {"created": 2, "errors": 0}
    assert [who for who, *_ in _periods(engine)] == ["active", "last-day"]


def test_of_overlapping_employments_the_latest_start_and_then_the_greatest_id_counts(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(),
        builders.terms("t-week", approval_period="weekly"),
        builders.terms("t-none", approval_period="none"),
        *map(builders.employee, ("late", "tie", "free")),
        builders.employment("late/1", date(2025, 1, 1)),
        builders.employment("late/0", date(2026, 1, 1), terms_id="t-week"),
        builders.employment("tie/1"),
        builders.employment("tie/2", terms_id="t-week"),
        builders.employment("free/1"),
        builders.employment("free/2", terms_id="t-none"),
    )
    assert _generate(engine).counters["created"] == 2
    assert _periods(engine) == [("late", "2026-11-16", "2026-11-22"), ("tie", "2026-11-16", "2026-11-22")]


def test_undefined_references_are_row_errors_that_a_retry_mends(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(),
        *map(builders.employee, ("e-1", "e-2")),
        builders.employment("e-1/1"),
        builders.employment("e-2/1", terms_id="t-9"),
        builders.employment("e-3/1"),
    )
    first = _generate(engine)
    assert (first.status, first.counters) == ("warning", {"created": 1, "errors": 2})
    errors = rows(
        engine.database, "SELECT entity, entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY entity_id"
    )
    assert errors == [
        (
            "employment",
            "e-2/1",
            "undefined_reference",
            'employment e-2/1: terms_id "t-9" is not defined in workspace "acme"; '
            "import its employment_terms.defined first",
        ),
        (
            "employment",
            "e-3/1",
            "undefined_reference",
            'employment e-3/1: employee_id "e-3" is not defined in workspace "acme"; import its employee.defined first',
        ),
    ]
    builders.import_all(engine.database, builders.terms("t-9"))
    (second,) = engine.retry(first.job_run_id, actor="user:anna")
    assert second.counters == {"created": 1, "errors": 1}
    assert [who for who, *_ in _periods(engine)] == ["e-1", "e-2"]


def test_without_approval_nothing_is_due_and_the_run_says_why(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(approval_period="none"),
        builders.employee("e-1"),
        builders.employment("e-1/1"),
    )
    assert engine.due(run_date=DAY).due == []
    one = _generate(engine)
    assert one.status == "completed"
    assert one.counters == {
        "created": 0,
        "errors": 0,
        "skipped_reason": "no employment terms with approval enabled",
    }


def test_the_first_and_the_last_day_of_the_calendar(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        builders.terms(approval_period="weekly"),
        builders.employee("e-1"),
        builders.employment("e-1/1", date(1, 1, 1)),
    )
    for day in (date.max, date(1, 1, 2)):
        assert _generate(engine, day).counters["created"] == 1


_people = st.sampled_from(["e-1", "e-2", "e-3"])
_terms = st.sampled_from(["t-1", "t-2", "t-9"])
_days = st.dates(date(2026, 10, 25), date(2026, 12, 8))
_since = st.none() | _days


@st.composite
def _spells(draw):
    start = draw(_days)
    end = draw(st.none() | st.dates(start, start + timedelta(days=40)))
    who, number = draw(_people), draw(st.sampled_from("12"))
    return builders.employment(f"{who}/{number}", start, end, since=draw(_since), terms_id=draw(_terms))


_histories = st.lists(
    st.builds(builders.employee, _people)
    | _spells()
    | _spells()
    | st.builds(
        lambda name, kind, since: builders.terms(name, approval_period=kind, since=since),
        st.sampled_from(["t-1", "t-2"]),
        st.sampled_from(["none", "weekly", "biweekly", "monthly"]),
        _since,
    )
    | st.builds(builders.removed, _people),
    max_size=14,
)
_workspace_ids = st.text(string.ascii_lowercase, min_size=12, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workspace_id=_workspace_ids,
    first=_histories,
    then=_histories,
    nights=st.lists(_days, min_size=1, max_size=4),
)
def test_random_histories_give_what_the_rule_says(engine, workspace_id, first, then, nights):
    """Each night: for each active employee by their current employment the period of its terms, none twice."""
    if rows(engine.database, "SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s", workspace_id):
        return
    builders.import_all(engine.database, builders.workspace(workspace_id), *builders.of(workspace_id, *first))
    expected: set[tuple[str, date, date]] = set()
    for number, night in enumerate(sorted(nights)):
        if number == 1:
            builders.import_all(engine.database, *builders.of(workspace_id, *then))
        engine.catch_up(workspaces=[workspace_id])
        wanted, dangling = _by_the_rule(engine, workspace_id, night)
        one = _generate(engine, night, workspace_id)
        assert one.counters["created"] == len(wanted - expected)
        assert one.errors == dangling
        expected |= wanted
        stored = [(who, start, end) for who, _, start, end in rows(engine.database, _STATEMENTS, workspace_id)]
        assert len(stored) == len(set(stored))
        assert set(stored) == expected


def _by_the_rule(engine, workspace_id, day):
    """The statements of a day and the number of employments that name what is not defined."""
    with engine.database.worker([workspace_id]) as connection:
        workforce, removed = load_workforces(connection, {workspace_id: None})[workspace_id]
    wanted, dangling = set(), 0
    for who in {"e-1", "e-2", "e-3"} - removed:
        try:
            period = workforce.approval_period(who, day)
        except UndefinedReferenceError:
            dangling += 1
            continue
        if period and who not in workforce.definitions.employees:
            # A dangling employee is an error for as long as there is a statement to be made.
            dangling += 1
        elif period:
            wanted.add((who, period.start, period.end))
    return wanted, dangling
