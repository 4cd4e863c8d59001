"""The fingerprint covers what the entries depend on, and nothing else (domain 6.1)."""

from datetime import date

import pytest

from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs_tests.rules.people import calendar, employment, policy, terms, time_off_policy, workforce

PLAN = {"plugin": "monthly", "annual": 2500, "prorate_hours": True}
CARRYING = {"time_off_policy_ids": ["p"]}
HIRED = date(2026, 1, 5)
PART_TIME = [[222] * 5 + [0, 0]]


USUAL = {
    "hired": employment("e/1", HIRED),
    "carried": terms("t-1", **CARRYING),
    "of": time_off_policy("p", accrual=PLAN),
}


def fingerprint(*more, **instead):
    rows = (USUAL | instead).values()
    return Accruals(workforce(*rows, *more, default_calendar="c")).fingerprint("e", "p")


def test_it_is_the_same_on_every_machine():
    """Pinned: a change computes all forecasts again, which must be meant (`FORMULA`)."""
    assert fingerprint() == "c9a01846ba5c34eae0af6c1c5c6667d64437490d074297aa2c50db34a3ecf6ff"


def test_it_is_pinned_for_policies_that_change_too():
    """Pinned: a change computes the forecasts of all policies with several plans again (`FORMULA_OF_CHANGES`)."""
    changed = fingerprint(time_off_policy("p", since=date(2026, 7, 1), accrual=PLAN | {"annual": 3000}))
    assert changed == "1a5afbb66bf13e801a4e9875e79335dced420a1e7657e1c62b5d70715bbfbd32"


@pytest.mark.parametrize(
    "change",
    [
        {"of": time_off_policy("p", accrual=PLAN | {"annual": 2600})},
        {"of": time_off_policy("p", accrual=PLAN | {"plugin": "yearly"})},
        {"of": time_off_policy("p", accrual=PLAN | {"full_time_weekly_minutes": 2400})},
        {"of": time_off_policy("p", accrual=PLAN, expiration={"months_after_year_end": 0})},
        {"hired": employment("e/1", date(2026, 1, 6))},
        {"hired": employment("e/1", HIRED, date(2030, 1, 1))},
        {"carried": terms("t-1", norm=PART_TIME, **CARRYING)},
        {"carried": terms("t-1")},
    ],
)
def test_another_input_makes_another_one(change):
    assert fingerprint(**change) != fingerprint()


@pytest.mark.parametrize(
    "row",
    [
        terms("t-1", since=date(2026, 3, 1), norm=PART_TIME, **CARRYING),
        terms("t-1", since=date(2026, 3, 1)),
        time_off_policy("p", since=date(2026, 3, 1), accrual=PLAN | {"annual": 1}),
        employment("e/2", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_so_does_one_from_a_day_on(row):
    assert fingerprint(row) != fingerprint()


@pytest.mark.parametrize(
    "more",
    [
        [employment("f/1", HIRED)],
        [employment("e/1", HIRED, since=date(2026, 2, 1), job_title="Smith")],
        [terms("t-1", since=date(2026, 3, 1), name="New", **CARRYING)],
        [time_off_policy("p", since=date(2026, 3, 1), accrual=PLAN, name="Holiday", account_id="days")],
        [calendar("c", country="DK"), calendar("c", since=date(2026, 3, 1), country="SE")],
        [policy("w", norm=PART_TIME)],
    ],
)
def test_what_does_not_matter_does_not_show(more):
    assert fingerprint(*more) == fingerprint()


def test_hours_matter_only_to_plans_that_ask_for_them():
    whole = time_off_policy("p", accrual=PLAN | {"prorate_hours": False})
    changed = terms("t-1", since=date(2026, 3, 1), norm=PART_TIME, **CARRYING)
    assert fingerprint(changed, of=whole) == fingerprint(of=whole)
