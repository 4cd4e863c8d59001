"""The catalogue holds the event types of the contract, all of them and no other."""

import pytest

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.calendars import CustomDay
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES, MODELS, REGISTRY
from batch_jobs_tests.store.examples import EXAMPLES

CONTRACT = """
workspace.created workspace.suspended workspace.resumed workspace.deleted user.defined employee.defined employee.removed
employment.defined org_unit.defined employment_terms.defined work_time_policy.defined holiday_calendar.defined
activity.defined project.defined time_account.defined time_off_policy.defined allowance_policy.defined
change.scheduled change.cancelled change.applied
time_off.requested time_off.approved time_off.rejected time_off.cancelled time_off.interrupted time_off.consumed
absence.registered accrual.forecast_computed account.credited account.expired time.entered time.removed
statement.period_started statement.ready statement.overdue statement.submitted statement.approved statement.reopened
norm.published notification.created notification.read notification.dismissed notification.purged
user.invitation_expired
"""


def test_the_types_are_those_of_the_contract() -> None:
    assert sorted(REGISTRY.types) == sorted(CONTRACT.split())


def test_there_is_an_example_of_each_type() -> None:
    assert sorted(EXAMPLES) == sorted(REGISTRY.types)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.type)
def test_the_example_fills_in_every_field(model: type[Payload]) -> None:
    assert sorted(EXAMPLES[model.type]["payload"]) == sorted(model.model_fields)


def test_each_defined_event_names_its_kind_of_entity_and_the_field_of_its_id() -> None:
    assert DEFINED_ENTITIES == {
        "user.defined": ("user", "user_id"),
        "employee.defined": ("employee", "employee_id"),
        "employment.defined": ("employment", "employment_id"),
        "org_unit.defined": ("org_unit", "org_unit_id"),
        "employment_terms.defined": ("employment_terms", "terms_id"),
        "work_time_policy.defined": ("work_time_policy", "policy_id"),
        "holiday_calendar.defined": ("holiday_calendar", "calendar_id"),
        "activity.defined": ("activity", "activity_id"),
        "project.defined": ("project", "project_id"),
        "time_account.defined": ("time_account", "account_id"),
        "time_off_policy.defined": ("time_off_policy", "policy_id"),
        "allowance_policy.defined": ("allowance_policy", "policy_id"),
    }


@pytest.mark.parametrize("event_type", DEFINED_ENTITIES)
def test_a_defined_event_may_carry_the_day_from_which_it_holds(event_type: str) -> None:
    model = REGISTRY.versions(event_type)[1]
    assert not model.model_fields["effective_date"].is_required()
    assert model.model_fields[DEFINED_ENTITIES[event_type].id_field].is_required()


def test_what_is_left_out_means_what_the_contract_says() -> None:
    defaults = {
        (model.type, name): field.default
        for model in MODELS
        for name, field in model.model_fields.items()
        if not field.is_required() and field.default is not None
    }
    assert defaults == {
        ("workspace.created", "locale"): "en",
        ("user.defined", "email_notifications"): True,
        ("employment_terms.defined", "time_off_policy_ids"): (),
        ("employment_terms.defined", "allowance_policy_ids"): (),
        ("work_time_policy.defined", "flex_tracking"): False,
        ("holiday_calendar.defined", "custom_days"): (),
        ("project.defined", "requires_approval"): False,
        ("time_off.requested", "fraction"): 1.0,
        ("time_off.requested", "approval_required"): True,
    }
    assert CustomDay.model_fields["fraction"].default == 1.0
