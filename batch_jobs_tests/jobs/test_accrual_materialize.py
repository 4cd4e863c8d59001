"""What is credited, and that it does not matter when or how often the job runs."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import account, activity, away, consumed, decided, time_off_policy
from batch_jobs_tests.accrual_events import DANISH, MONTHLY, YEARLY, carrying, company, credited, forecast
from batch_jobs_tests.engine.company import digests, engine_of, rows
from batch_jobs_tests.jobs.materializing import (
    HIRED,
    JOB,
    NEW_YEAR,
    Alone,
    Forecast,
    balance,
    counters,
    forecasts,
    materialize,
    movements,
)


@pytest.fixture
def engine(database):
    return engine_of(database, Forecast(), Alone())


def due(engine, day):
    return [one.workspace_id for one in engine.due(run_date=day).due if one.job == JOB]


def test_2500_a_year_is_credited_as_11_times_208_and_212(engine):
    builders.import_all(engine.database, *company(MONTHLY, HIRED))
    forecasts(engine, NEW_YEAR)
    assert materialize(engine, date(2026, 12, 31)).counters == counters(12, 1)
    amounts = [credit for _, credit, _ in movements(engine)]
    assert (amounts, balance(engine)) == ([208] * 11 + [212], (2500, 0, 0, 0, 2500))


def test_the_credit_says_where_it_comes_from(engine):
    builders.import_all(
        engine.database,
        *company(MONTHLY | {"year_start_month": 9}, HIRED, expiration={"months_after_year_end": 4}),
    )
    forecasts(engine, NEW_YEAR)
    materialize(engine, date(2026, 2, 1))
    ((event_id, actor, about, payload, local),) = rows(
        engine.database,
        "SELECT event_id, actor, employee_id, payload, occurred_at::date::text FROM batch_jobs.events "
        "WHERE type = 'account.credited'",
    )
    entry_id = "e-1:holiday:accrual:2026-01-31"
    assert event_id == deterministic_event_id("acme", JOB, entry_id)
    assert (actor, about, local) == (f"job:{JOB}", "e-1", "2026-02-01")
    assert payload == {
        "employee_id": "e-1",
        "account_id": "days",
        "date": "2026-01-31",
        "amount": 208,
        "source": "accrual",
        "policy_id": "holiday",
        "entry_id": entry_id,
        "expires_on": "2026-12-31",
        "year_start": "2025-09-01",
    }


def test_an_entry_is_materialised_once_also_when_somebody_else_credited_it(engine):
    builders.import_all(engine.database, *company(MONTHLY, HIRED))
    imported = credited(208, date(2026, 1, 31), entry_id="e-1:holiday:accrual:2026-01-31")
    builders.import_all(engine.database, imported)
    forecasts(engine, NEW_YEAR)
    assert materialize(engine, date(2026, 2, 28)).counters == counters(1, 1)
    forecasts(engine, date(2026, 2, 28))
    before = digests(engine.database)
    again = materialize(engine, date(2026, 2, 28))
    assert again.counters == counters() | {"skipped_reason": "nothing is due"}
    assert digests(engine.database) == before
    assert due(engine, date(2026, 3, 30)) == []
    assert due(engine, date(2026, 3, 31)) == ["acme"]


def test_the_account_is_that_of_the_due_date(engine):
    builders.import_all(
        engine.database,
        *company(MONTHLY, HIRED),
        account("new"),
        time_off_policy("holiday", since=date(2026, 2, 1), accrual=MONTHLY, account_id="new"),
    )
    forecasts(engine, NEW_YEAR)
    materialize(engine, date(2026, 3, 1))
    found = rows(engine.database, "SELECT date::text, account_id FROM projections.account_movements ORDER BY 1")
    assert found == [("2026-01-31", "days"), ("2026-02-28", "new")]


def test_policies_without_an_account_are_row_errors_and_stay_owed(engine):
    builders.import_all(
        engine.database,
        *company(MONTHLY, HIRED),
        time_off_policy("care", accrual=YEARLY | {"timing": "year_start"}),
        time_off_policy("free", accrual=YEARLY | {"timing": "year_start"}, account_id="gone"),
        carrying("holiday", "care", "free"),
    )
    forecasts(engine, NEW_YEAR)
    one = materialize(engine, date(2026, 1, 31))
    assert (one.status, one.counters) == ("warning", counters(1, 1, 2))
    errors = rows(engine.database, "SELECT entity_id, error, message FROM batch_jobs.job_run_errors ORDER BY 1")
    assert errors == [
        (
            "e-1:care:accrual:2026-01-01",
            "no_account",
            'time-off policy "care" has no account_id on 2026-01-01, when e-1:care:accrual:2026-01-01 is due in '
            'workspace "acme"; import a time_off_policy.defined with the account to credit',
        ),
        (
            "e-1:free:accrual:2026-01-01",
            "undefined_reference",
            'time-off policy "free": account_id "gone" is not defined in workspace "acme"; '
            "import its time_account.defined first",
        ),
    ]
    builders.import_all(engine.database, account("gone"))
    (second,) = engine.retry(one.job_run_id, actor="user:anna")
    assert second.counters == counters(1, 1, 1)


def test_someone_removed_gets_nothing_new_and_someone_undefined_is_an_error(engine):
    builders.import_all(
        engine.database,
        *company(MONTHLY, HIRED),
        forecast(NEW_YEAR, {date(2026, 1, 31): 208}, employee_id="e-9"),
    )
    forecasts(engine, NEW_YEAR)
    builders.import_all(engine.database, builders.removed("e-1"))
    one = materialize(engine, date(2026, 2, 1))
    assert (one.counters, movements(engine)) == (counters(0, 1, 1), [])
    # Back again, with a name from a day on: the removal stands beside it.
    builders.import_all(engine.database, builders.employee("e-1", since=date(2026, 2, 1)), builders.employee("e-9"))
    assert materialize(engine, date(2026, 2, 1)).counters == counters(2, 2)


def test_a_policy_that_left_the_terms_still_owes_what_was_earned_before(engine):
    builders.import_all(engine.database, *company(MONTHLY, HIRED))
    forecasts(engine, NEW_YEAR)
    builders.import_all(engine.database, carrying())
    forecasts(engine, date(2026, 3, 10))
    materialize(engine, date(2026, 12, 31))
    assert [day for day, _, _ in movements(engine)] == ["2026-01-31", "2026-02-28"]


@pytest.mark.parametrize(("computed_from", "credits"), [(date(2026, 1, 2), 1), (date(2026, 3, 5), 2)])
def test_after_missed_nights_a_forecast_from_the_first_of_them_mends_what_is_owed(engine, computed_from, credits):
    builders.import_all(engine.database, *company(MONTHLY, HIRED))
    forecasts(engine, NEW_YEAR)
    builders.import_all(engine.database, builders.employment("e-1/1", HIRED, date(2026, 1, 15)))
    forecasts(engine, computed_from)
    materialize(engine, date(2026, 3, 5))
    assert [credit for _, credit, _ in movements(engine)] == [208] * credits


def test_a_dry_run_counts_the_same_and_changes_nothing(engine):
    builders.import_all(engine.database, *company(MONTHLY, HIRED))
    forecasts(engine, NEW_YEAR)
    before = digests(engine.database)
    dry = materialize(engine, date(2026, 6, 30), parameters={"dry_run": True})
    assert digests(engine.database) == before
    assert dry.counters == materialize(engine, date(2026, 6, 30)).counters == counters(6, 1)


def two_people():
    return [
        *company(MONTHLY | {"year_start_month": 7}, date(2024, 1, 1), expiration={"months_after_year_end": 0}),
        time_off_policy("care", accrual=DANISH, account_id="days"),
        carrying("holiday", "care"),
        builders.employee("e-2"),
        builders.employment("e-2/1", date(2026, 5, 12), date(2026, 7, 3)),
    ]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_run_a_day_for_thirty_days_is_one_run_on_the_thirtieth(database, chunk_rows):
    """Across the end of a policy year, with absences: the same events in the same order for each employee."""
    engine = engine_of(database, Forecast(), Alone(), chunk_rows=chunk_rows)
    first = date(2026, 6, 15)
    absence = [date(2026, 6, 18), date(2026, 6, 19)]
    taken = [away("a-1", *absence), consumed("a-1", *absence, absence)]
    for workspace_id in ("daily", "once"):
        builders.import_all(database, *builders.of(workspace_id, *two_people(), *taken))
        forecasts(engine, first, workspace_id)
    for number in range(30):
        day = first + timedelta(number)
        materialize(engine, day, "daily")
    materialize(engine, first + timedelta(29), "once")

    def stored(table, columns):
        return [
            rows(database, f"SELECT {columns} FROM {table} WHERE workspace_id = %s ORDER BY {columns}", workspace_id)
            for workspace_id in ("daily", "once")
        ]

    daily, once = stored("projections.account_balances", "employee_id, credited, used, expired, planned")
    assert daily == once
    assert [row[0] for row in once] == ["e-1", "e-2"]
    daily, once = stored(
        "projections.account_movements", "employee_id, date, credited, expired, entry_id, expires_on, year_start"
    )
    assert daily == once
    # The month and the end of the holiday year in June, and what expires of it, for each of them.
    assert len(once) == 6
    daily, once = stored(
        "projections.accrual_forecast", "entry_id, amount, due_date, year_start, materialized_at IS NULL"
    )
    assert daily == once


amounts = st.integers(-300, 600).filter(bool)
days = st.dates(date(2024, 6, 1), date(2026, 12, 31))
absences = st.lists(st.tuples(days, st.integers(0, 4), st.booleans()), max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    months=st.none() | st.integers(0, 5),
    moved=st.none() | days,
    adjustments=st.lists(st.tuples(amounts, days), max_size=4),
    taken=absences,
    nights=st.lists(days, min_size=1, max_size=3),
)
@example(months=3, moved=date(2024, 9, 1), adjustments=[], taken=[], nights=[date(2024, 12, 1), date(2025, 7, 1)])
def test_what_was_credited_less_used_less_expired_is_the_balance(engine, months, moved, adjustments, taken, nights):
    # Of its own for each example: those that hypothesis draws come again.
    workspace_id = f"w-{uuid4()}"
    expiration = {} if months is None else {"expiration": {"months_after_year_end": months}}
    events = [
        *company(MONTHLY, date(2024, 3, 9), **expiration),
        activity("free"),
        account("new"),
        *(credited(amount, day) for amount, day in adjustments),
    ]
    if moved is not None:
        events.append(time_off_policy("holiday", since=moved, accrual=MONTHLY, account_id="new", **expiration))
    used = 0
    for number, (start, length, stays) in enumerate(taken):
        end = start + timedelta(length)
        span = [start + timedelta(step) for step in range(length + 1)]
        events += [away(f"a-{number}", start, end), consumed(f"a-{number}", start, end, span)]
        events += [] if stays else [decided("cancelled", f"a-{number}")]
        used += 100 * len(span) * stays
    builders.import_all(engine.database, *builders.of(workspace_id, *events))
    forecasts(engine, date(2024, 6, 1), workspace_id)
    for night in sorted(nights):
        forecasts(engine, night, workspace_id)
        materialize(engine, night, workspace_id)
    moved = movements(engine, workspace_id)
    of_events = sum(credit for _, credit, _ in moved), sum(gone for _, _, gone in moved)
    found = rows(
        engine.database,
        "SELECT account_id, credited, used, expired, balance FROM projections.account_balances WHERE workspace_id = %s",
        workspace_id,
    )
    sums = [sum(column) for column in zip(*(amounts for _, *amounts in found), strict=True)] or [0] * 4
    assert sums == [of_events[0], used, of_events[1], of_events[0] - used - of_events[1]]
    # What could be used up to a day before the last night is used or gone, whatever account it is on.
    ended = rows(
        engine.database,
        "SELECT account_id, sum(credited)::int FROM projections.account_movements "
        "WHERE workspace_id = %s AND expires_on < %s GROUP BY 1",
        workspace_id,
        max(nights),
    )
    down = sum(min(amount, 0) for amount, _ in adjustments)
    by_account = {account_id: (used, expired) for account_id, _, used, expired, _ in found}
    for account_id, amount in ended:
        assert by_account[account_id][1] >= amount - by_account[account_id][0] + (down if account_id == "days" else 0)
    # Nobody loses more by expiry than was ever credited by accrual.
    accrued = of_events[0] - sum(amount for amount, _ in adjustments)
    assert 0 <= of_events[1] <= accrued
