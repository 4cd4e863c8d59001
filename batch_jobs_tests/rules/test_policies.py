"""Policies, accounts and activities as their payloads carry them (domain 2.1)."""

import pytest

from batch_jobs.rules.policies import (
    Activity,
    AllowancePolicy,
    DanishVacationPlan,
    MonthlyPlan,
    TimeAccount,
    TimeOffPolicy,
    YearlyPlan,
)
from batch_jobs.store.payloads.catalog import MODELS
from batch_jobs.store.payloads.policies import DanishVacation, MonthlyAccrual, YearlyAccrual

NAMED = {"policy_id": "p", "name": "Holiday"}


@pytest.mark.parametrize(
    ("accrual", "plan"),
    [
        (None, None),
        ({"plugin": "monthly", "annual": 2500}, MonthlyPlan(annual=2500)),
        ({"plugin": "yearly", "annual": 500, "timing": "year_start"}, YearlyPlan(annual=500, timing="year_start")),
        ({"plugin": "danish_vacation"}, DanishVacationPlan()),
    ],
)
def test_plans(accrual, plan):
    assert TimeOffPolicy.from_payload(NAMED | {"accrual": accrual}).accrual == plan


def test_what_is_left_out_means_what_the_events_say():
    assert MonthlyAccrual(annual=1).model_dump(exclude={"plugin"}) == {
        name: getattr(MonthlyPlan(annual=1), name) for name in MonthlyPlan.__slots__
    }
    assert YearlyAccrual(annual=1).model_dump(exclude={"plugin"}) == {
        name: getattr(YearlyPlan(annual=1), name) for name in YearlyPlan.__slots__
    }
    assert DanishVacation().model_dump(exclude={"plugin"}) == {}


def test_an_expiration_is_its_months():
    assert TimeOffPolicy.from_payload(NAMED).expires_after_months is None
    policy = TimeOffPolicy.from_payload(NAMED | {"expiration": {"months_after_year_end": 0}})
    assert policy.expires_after_months == 0


def test_the_other_kinds():
    assert AllowancePolicy.from_payload(NAMED | {"account_id": "a"}) == AllowancePolicy("p", "Holiday", "a")
    account = {"account_id": "a", "name": "Days", "kind": "time_off", "unit": "days"}
    assert TimeAccount.from_payload(account) == TimeAccount("a", "Days", "time_off", "days")
    activity = {"activity_id": "x", "name": "Holiday", "kind": "time_off", "parent_id": "y"}
    assert Activity.from_payload(activity) == Activity("x", "Holiday", "time_off", "y")


@pytest.mark.parametrize("entity", [TimeOffPolicy, AllowancePolicy, TimeAccount, Activity])
def test_no_field_of_the_event_is_forgotten(entity):
    type_of = {
        TimeOffPolicy: "time_off_policy",
        AllowancePolicy: "allowance_policy",
        TimeAccount: "time_account",
        Activity: "activity",
    }
    model = next(model for model in MODELS if model.type == f"{type_of[entity]}.defined")
    renamed = {"expiration": "expires_after_months"}
    assert {renamed.get(name, name) for name in model.model_fields} - {"effective_date"} == set(entity.__slots__)
