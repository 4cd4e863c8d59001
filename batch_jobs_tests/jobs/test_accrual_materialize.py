"""What is credited and what expires, and that it does not matter when or how often the job runs."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from batch_jobs.jobs.accrual_materialize import AccrualMaterialize
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import account, activity, away, consumed, decided, time_off_policy
from batch_jobs_tests.accrual_events import DANISH, MONTHLY, YEARLY, carrying, company, credited, forecast
from batch_jobs_tests.engine.company import digests, engine_of, rows, run
from batch_jobs_tests.jobs.test_accrual_forecast import Alone as Forecast

JOB = AccrualMaterialize.name
HIRED = date(2025, 1, 1)
NEW_YEAR = date(2026, 1, 1)


class Alone(AccrualMaterialize):
    """The job without those before it."""

    after = ()


@pytest.fixture
def engine(database):
    return engine_of(database, Forecast(), Alone())


def forecasts(engine, day, workspace_id="acme"):
    run(engine, Forecast.name, [workspace_id], day, allow_future=True)


def materialize(engine, day, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def counters(entries=0, employees=0, errors=0):
    return {"entries_materialized": entries, "employees_processed": employees, "errors": errors}


def movements(engine, workspace_id="acme"):
    return rows(
        engine.database,
        "SELECT date::text, credited, expired FROM projections.account_movements WHERE workspace_id = %s "
        "ORDER BY date, position",
        workspace_id,
    )


def balance(engine, who="e-1"):
    found = rows(
        engine.database,
        "SELECT credited, used, expired, planned, balance FROM projections.account_balances WHERE employee_id = %s",
        who,
    )
    return found[0] if found else None


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


def test_a_danish_holiday_year_expires_on_new_year_after_it(engine):
    """Ferieloven, section 21: what was earned to August 2026 can be taken until 31 December 2026. 22 days of March are
    1.54 days, five months 10.40; of the 11.94 four were taken, one of them after the year: it comes from the next.
    """
    builders.import_all(engine.database, *company(DANISH, date(2026, 3, 10)))
    forecasts(engine, date(2026, 3, 10))
    days = [date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 4), date(2027, 1, 5)]
    builders.import_all(
        engine.database, away("a-1", days[0], days[-1]), consumed("a-1", days[0], days[-1], days[:2] + days[2:])
    )
    assert materialize(engine, date(2027, 1, 1)).counters == counters(11, 1)
    assert movements(engine)[-1] == ("2027-01-01", 0, 154 + 5 * 208 - 200)
    assert balance(engine) == (154 + 9 * 208, 400, 994, 0, 4 * 208 - 200)


def test_nothing_left_to_expire_is_written_too(engine):
    builders.import_all(engine.database, *company(YEARLY, HIRED, expiration={"months_after_year_end": 0}))
    forecasts(engine, date(2025, 1, 1))
    builders.import_all(engine.database, credited(-500, date(2025, 12, 31)))
    materialize(engine, NEW_YEAR)
    assert movements(engine) == [("2025-12-31", -500, 0), ("2025-12-31", 500, 0), ("2026-01-01", 0, 0)]


def test_entries_of_one_run_count_for_each_other(engine):
    """After three years' outage: each year expires after the one before it, less what was taken of it."""
    builders.import_all(engine.database, *company(YEARLY, date(2023, 1, 1), expiration={"months_after_year_end": 12}))
    due_dates = {date(year, 12, 31): 500 for year in (2023, 2024, 2025)}
    entries = forecast(date(2023, 1, 1), due_dates)
    for year in (2023, 2024):
        day = date(year + 2, 1, 1)
        entry = {"entry_id": f"e-1:holiday:expiry:{day}", "kind": "expiry", "due_date": day, "amount": 0}
        entries["payload"]["entries"].append({**entry, "year_start": date(year, 1, 1)})
    july = [date(2024, 7, 1), date(2024, 7, 2)]
    builders.import_all(engine.database, entries, away("a-1", *july), consumed("a-1", *july, july))
    materialize(engine, NEW_YEAR)
    assert [(day, gone) for day, _, gone in movements(engine) if gone] == [("2025-01-01", 300), ("2026-01-01", 500)]
    assert balance(engine) == (1500, 200, 800, 0, 500)


@pytest.mark.parametrize("months", [12, 24])
@pytest.mark.parametrize(
    ("taken", "gone"),
    [
        (date(2027, 7, 1), [("2027-04-01", 2500), ("2028-04-01", 500)]),
        # What expires next is used first, although it was to last longer than what came after it.
        (date(2027, 2, 1), [("2027-04-01", 500), ("2028-04-01", 2500)]),
    ],
)
def test_a_year_expires_and_is_used_by_the_policy_as_it_is_by_then(engine, months, taken, gone):
    """Credited when they were to last for a year or two; from December 2026 on it is three months."""
    builders.import_all(engine.database, *company(MONTHLY, NEW_YEAR, expiration={"months_after_year_end": months}))
    forecasts(engine, NEW_YEAR)
    materialize(engine, date(2026, 11, 30))
    shorter = {"accrual": MONTHLY, "account_id": "days", "expiration": {"months_after_year_end": 3}}
    used = [taken + timedelta(number) for number in range(20)]
    builders.import_all(
        engine.database,
        time_off_policy("holiday", since=date(2026, 12, 1), **shorter),
        away("a-1", used[0], used[-1]),
        consumed("a-1", used[0], used[-1], used),
    )
    for day in (date(2026, 12, 1), date(2027, 4, 1), date(2028, 4, 1)):
        forecasts(engine, day)
        materialize(engine, day)
    assert [(day, amount) for day, _, amount in movements(engine) if amount] == gone
    assert balance(engine) == (5000 + 3 * 208, 2000, 3000, 0, 3 * 208)


@pytest.mark.parametrize(
    ("imported", "gone"),
    [
        ({}, [("2028-04-01", 200)]),
        # Given by hand for 2026, to be used by the end of March 2027: it is used before what expires at new year.
        (
            {"policy_id": "holiday", "year_start": NEW_YEAR, "expires_on": date(2027, 3, 31)},
            [("2028-01-01", 500), ("2028-04-01", 200)],
        ),
    ],
)
def test_what_lasts_longer_by_the_policy_as_it_is_now_is_used_later(engine, imported, gone):
    """The holiday of 2026 was to last until March 2027, and from December 2026 on until March 2028: the extra days of
    2026 expire before it, at the end of 2027.
    """
    yearly = YEARLY | {"annual": 1000, "timing": "year_start"}
    extra = {"accrual": YEARLY, "account_id": "days", "expiration": {"months_after_year_end": 12}}
    longer = {"accrual": yearly, "account_id": "days", "expiration": {"months_after_year_end": 15}}
    taken = [date(2027, 5, 3) + timedelta(number) for number in range(5)]
    later = [date(2028, 2, 1) + timedelta(number) for number in range(8)]
    builders.import_all(
        engine.database,
        *company(yearly, NEW_YEAR, expiration={"months_after_year_end": 3}),
        time_off_policy("extra", **extra),
        carrying("holiday", "extra"),
    )
    forecasts(engine, NEW_YEAR)
    materialize(engine, NEW_YEAR)
    builders.import_all(
        engine.database,
        time_off_policy("holiday", since=date(2026, 12, 1), **longer),
        *([credited(500, date(2026, 3, 1), **imported)] if imported else []),
        away("a-1", taken[0], taken[-1]),
        consumed("a-1", taken[0], taken[-1], taken),
        away("a-2", later[0], later[-1]),
        consumed("a-2", later[0], later[-1], later),
    )
    for day in (date(2026, 12, 1), date(2028, 1, 1), date(2028, 4, 1)):
        forecasts(engine, day)
        materialize(engine, day)
    assert [(day, amount) for day, _, amount in movements(engine) if amount] == gone


@pytest.mark.parametrize(
    ("changed_on", "changed", "gone"),
    [
        # By then it had expired in March: what is taken in May is not taken from it.
        (date(2026, 6, 10), {"months": 3}, ("2026-06-10", 2200)),
        (date(2026, 1, 10), {"plan": MONTHLY | {"year_start_month": 9}}, ("2027-01-01", 2000)),
        (date(2026, 1, 10), {"plan": None}, ("2027-01-01", 2000)),
        (date(2026, 1, 10), {"policies": []}, ("2027-01-01", 2000)),
    ],
    ids=["sooner", "other years", "no plan", "not on the terms"],
)
def test_what_was_earned_expires_once_whatever_is_defined_in_hindsight(engine, changed_on, changed, gone):
    """2025 was to expire at the end of 2026 when it was credited; 300 of it are taken in February, 200 in May."""
    expiration = {"expiration": {"months_after_year_end": changed.get("months", 12)}}
    february, may = ([date(2026, month, day) for day in range(4, last)] for month, last in ((2, 7), (5, 6)))
    builders.import_all(
        engine.database,
        *company(MONTHLY, HIRED, expiration={"months_after_year_end": 12}),
        away("a-1", february[0], february[-1]),
        consumed("a-1", february[0], february[-1], february),
        away("a-2", may[0], may[-1]),
        consumed("a-2", may[0], may[-1], may),
    )
    forecasts(engine, HIRED)
    materialize(engine, changed_on - timedelta(1))
    policy = time_off_policy("holiday", accrual=changed.get("plan", MONTHLY), account_id="days", **expiration)
    builders.import_all(engine.database, policy, carrying(*changed.get("policies", ["holiday"])))
    for day in (changed_on, changed_on, date.fromisoformat(gone[0])):
        forecasts(engine, day)
        materialize(engine, day)
    assert [(day, amount) for day, _, amount in movements(engine) if amount] == [gone]
    before = digests(engine.database)
    for name in (Forecast.name, JOB):
        (again,) = run(engine, name, ["acme"], date.fromisoformat(gone[0]), allow_future=True)
        assert "skipped_reason" in again.counters
    assert digests(engine.database) == before
    run(engine, Forecast.name, ["acme"], changed_on, allow_future=True, parameters={"force_recompute": True})
    found = rows(
        engine.database,
        "SELECT due_date::text FROM projections.accrual_forecast WHERE kind = 'expiry' AND year_start = %s",
        HIRED,
    )
    assert found == [(gone[0],)]


def test_two_years_that_expire_on_one_day_expire_both(engine):
    """The policy gave twelve months, then none: 2024 and 2025 end with 2025, too soon for what is taken next day."""
    none = time_off_policy(
        "holiday", since=HIRED, accrual=YEARLY, account_id="days", expiration={"months_after_year_end": 0}
    )
    builders.import_all(
        engine.database, *company(YEARLY, date(2024, 1, 1), expiration={"months_after_year_end": 12}), none
    )
    taken = [away("a-1", NEW_YEAR, NEW_YEAR), consumed("a-1", NEW_YEAR, NEW_YEAR, [NEW_YEAR])]
    builders.import_all(engine.database, *taken)
    forecasts(engine, date(2024, 12, 1))
    for day in (NEW_YEAR, date(2026, 1, 2)):
        materialize(engine, day)
    assert [(day, gone) for day, _, gone in movements(engine) if gone] == [("2026-01-01", 500), ("2026-01-02", 500)]


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


def test_what_expires_is_taken_from_the_account_that_holds_it(engine):
    """Another account from February 2026 on: 2025 is on the old one, of 2026 one month is."""
    lasting = {"expiration": {"months_after_year_end": 3}}
    builders.import_all(
        engine.database,
        *company(MONTHLY, HIRED, **lasting),
        account("new"),
        time_off_policy("holiday", since=date(2026, 2, 1), accrual=MONTHLY, account_id="new", **lasting),
    )
    forecasts(engine, HIRED)
    materialize(engine, date(2026, 3, 1))
    forecasts(engine, date(2026, 3, 1))
    # The account that holds the credits of 2025 has nothing to be written in this run but what expires.
    assert materialize(engine, date(2026, 4, 1)).counters == counters(2, 1)
    assert materialize(engine, date(2027, 4, 1)).counters == counters(13, 1)
    found = rows(
        engine.database,
        "SELECT payload ->> 'date', payload ->> 'account_id', (payload ->> 'amount')::int, event_id "
        "FROM batch_jobs.events WHERE type = 'account.expired' ORDER BY position",
    )
    ids = [
        deterministic_event_id("acme", JOB, *parts)
        for parts in (
            ["e-1:holiday:expiry:2026-04-01"],
            ["e-1:holiday:expiry:2027-04-01"],
            ["e-1:holiday:expiry:2027-04-01", "days"],
        )
    ]
    assert found == [
        ("2026-04-01", "days", 2500, ids[0]),
        ("2027-04-01", "new", 2292, ids[1]),
        ("2027-04-01", "days", 208, ids[2]),
    ]
    left = rows(engine.database, "SELECT account_id, balance FROM projections.account_balances ORDER BY 1")
    assert left == [("days", 0), ("new", 3 * 208)]


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


def test_a_year_with_a_credit_unwritten_does_not_expire_yet(engine):
    """Its policy had no account when the credit was due: what would expire is not known."""
    of = company(YEARLY, HIRED, expiration={"months_after_year_end": 0})
    without = time_off_policy("holiday", accrual=YEARLY, expiration={"months_after_year_end": 0})
    later = {**without["payload"], "account_id": "days", "effective_date": NEW_YEAR}
    builders.import_all(engine.database, *of, without, builders.event("time_off_policy.defined", later))
    forecasts(engine, HIRED)
    assert materialize(engine, NEW_YEAR).counters == counters(0, 1, 1)
    builders.import_all(engine.database, builders.event("time_off_policy.defined", of[3]["payload"]))
    assert materialize(engine, NEW_YEAR).counters == counters(2, 1)
    assert movements(engine) == [("2025-12-31", 500, 0), ("2026-01-01", 0, 500)]


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
