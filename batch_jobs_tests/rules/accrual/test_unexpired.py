"""What lets policy years expire that a forecast of itself does not come to."""

from datetime import date, timedelta

import pytest

from batch_jobs.rules.accrual.unexpired import with_unexpired
from batch_jobs_tests.accrual_events import MONTHLY
from batch_jobs_tests.rules.accrual.test_forecast import accruals

RUN_DATE = date(2026, 6, 10)
YEARS = [date(year, 1, 1) for year in (2025, 2023, 2024, 2026)]


def expiries(months, *materialized):
    """Days of expiry by year; the employee has left, and by the definitions of now has earned nothing before 2026."""
    expiration = {} if months is None else {"expiration": {"months_after_year_end": months}}
    of = accruals(MONTHLY, date(2026, 1, 1), date(2026, 5, 31), **expiration)
    forecast = of.forecast("e", "p", RUN_DATE)
    found = with_unexpired(forecast, of, "e", "p", unexpired=YEARS, materialized=materialized)
    assert found._replace(entries=forecast.entries) == forecast
    assert [entry.due_date for entry in found.entries] == sorted(entry.due_date for entry in found.entries)
    return {entry.year_start.year: str(entry.due_date) for entry in found.entries if entry.kind == "expiry"}


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (None, {}),
        (3, {2023: "2026-06-10", 2024: "2026-06-11", 2025: "2026-06-12", 2026: "2027-04-01"}),
        (12, {2023: "2026-06-10", 2024: "2026-06-11", 2025: "2027-01-01", 2026: "2028-01-01"}),
        # What lies beyond the horizon is for a later forecast.
        (36, {2023: "2027-01-01", 2024: "2028-01-01"}),
    ],
)
def test_each_year_expires_on_its_day_or_where_that_is_past_on_the_first_that_is_free(months, expected):
    assert expiries(months) == expected


def test_a_day_on_which_another_year_has_expired_is_not_free():
    taken = [f"e:p:expiry:{RUN_DATE + timedelta(number)}" for number in (0, 2)]
    assert expiries(3, *taken) == {2023: "2026-06-11", 2024: "2026-06-13", 2025: "2026-06-14", 2026: "2027-04-01"}
