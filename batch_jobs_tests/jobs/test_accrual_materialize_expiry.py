"""When what a policy year earned expires, and how much of it is left by then."""

from datetime import date, timedelta

import pytest

from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import account, away, consumed, time_off_policy
from batch_jobs_tests.accrual_events import DANISH, MONTHLY, YEARLY, carrying, company, credited, forecast
from batch_jobs_tests.engine.company import digests, engine_of, rows, run
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
