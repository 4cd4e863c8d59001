"""Accrual plans are told apart by their plugin, with the defaults of the contract."""

from typing import Any

import pytest
from pydantic import ValidationError

from batch_jobs.store.payloads.policies import DanishVacation, MonthlyAccrual, TimeOffPolicyDefined, YearlyAccrual


def policy(accrual: Any) -> TimeOffPolicyDefined:
    return TimeOffPolicyDefined.model_validate({"policy_id": "p", "name": "Vacation", "accrual": accrual})


def test_monthly_has_the_defaults_of_the_contract() -> None:
    assert policy({"plugin": "monthly", "annual": 2500}).accrual == MonthlyAccrual(
        annual=2500,
        year_start_month=1,
        rounding="difference_on_last",
        prorate_employment=False,
        prorate_hours=False,
        full_time_weekly_minutes=2220,
    )


def test_yearly_has_the_defaults_of_the_contract() -> None:
    assert policy({"plugin": "yearly", "annual": 2500}).accrual == YearlyAccrual(
        annual=2500,
        year_start_month=1,
        timing="year_end",
        prorate_employment=False,
        prorate_hours=False,
        full_time_weekly_minutes=2220,
    )


def test_the_danish_holiday_year_has_nothing_to_choose() -> None:
    assert policy({"plugin": "danish_vacation"}).accrual == DanishVacation()


def test_no_accrual_is_no_plan() -> None:
    assert policy(None).accrual is None


@pytest.mark.parametrize(
    "accrual",
    [
        {},
        "monthly",
        {"plugin": "weekly", "annual": 1},
        {"plugin": None},
        {"plugin": "monthly"},
        {"plugin": "monthly", "annual": -1},
        {"plugin": "monthly", "annual": 25.0},
        {"plugin": "monthly", "annual": 1, "year_start_month": 0},
        {"plugin": "monthly", "annual": 1, "year_start_month": 13},
        {"plugin": "monthly", "annual": 1, "full_time_weekly_minutes": 0},
        {"plugin": "monthly", "annual": 1, "timing": "year_end"},
        {"plugin": "monthly", "annual": 1, "rounding": "up"},
        {"plugin": "yearly", "annual": 1, "rounding": "difference_on_last"},
        {"plugin": "danish_vacation", "annual": 2500},
    ],
)
def test_refuses(accrual: Any) -> None:
    with pytest.raises(ValidationError):
        policy(accrual)


@pytest.mark.parametrize("months", [-1, 1201, 1.0, "4", None])
def test_an_expiration_counts_whole_months(months: Any) -> None:
    with pytest.raises(ValidationError):
        TimeOffPolicyDefined.model_validate(
            {"policy_id": "p", "name": "Vacation", "expiration": {"months_after_year_end": months}}
        )
