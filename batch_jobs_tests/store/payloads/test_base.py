"""Payloads as jobs use them: made from Python values, compared by meaning, written as compact JSON."""

import json
from datetime import date

import pytest
from pydantic import ValidationError

from batch_jobs.store.payloads.calendars import CustomDay, HolidayCalendarDefined
from batch_jobs.store.payloads.changes import ChangeScheduled
from batch_jobs.store.payloads.people import EmploymentDefined
from batch_jobs.store.payloads.policies import MonthlyAccrual, TimeOffPolicyDefined
from batch_jobs.store.payloads.statements import StatementPeriodStarted, StatementSubmitted
from batch_jobs.store.payloads.time_off import TimeOffRequested


def test_a_job_makes_a_payload_and_writes_it_compactly() -> None:
    started = StatementPeriodStarted(
        statement_id="e-12:2026-11-16:2026-11-22",
        employee_id="e-12",
        terms_id="t-1",
        period_start=date(2026, 11, 16),
        period_end=date(2026, 11, 22),
    )
    assert (started.type, started.version) == ("statement.period_started", 1)
    assert started.to_json() == (
        '{"statement_id":"e-12:2026-11-16:2026-11-22","employee_id":"e-12","terms_id":"t-1",'
        '"period_start":"2026-11-16","period_end":"2026-11-22"}'
    )


def test_empty_optional_fields_are_left_out_and_defaults_written() -> None:
    requested = TimeOffRequested(
        absence_id="ab-1", employee_id="e-1", policy_id="p", start_date=date(2026, 1, 5), end_date=None
    )
    assert json.loads(requested.to_json()) == {
        "absence_id": "ab-1",
        "employee_id": "e-1",
        "policy_id": "p",
        "start_date": "2026-01-05",
        "fraction": 1.0,
        "approval_required": True,
    }


def test_what_a_sender_wrote_is_kept_as_it_was() -> None:
    text = '{"absence_id":"ab-1","employee_id":"e-1","policy_id":"p","start_date":"2026-01-05","end_date":null}'
    assert TimeOffRequested.model_validate_json(text).as_given() == text


def test_a_null_that_clears_a_field_is_never_left_out() -> None:
    change = ChangeScheduled(
        change_id="c",
        entity="employment",
        entity_id="e",
        effective_date=date(2026, 1, 1),
        values={"end_date": None, "x": [{"y": None}]},
    )
    assert json.loads(change.to_json())["values"] == {"end_date": None, "x": [{"y": None}]}


def test_payloads_are_equal_when_they_mean_the_same() -> None:
    short = TimeOffRequested.model_validate_json(
        '{"absence_id":"ab-1","employee_id":"e-1","policy_id":"p","start_date":"2026-01-05","fraction":1}'
    )
    assert short == TimeOffRequested.model_validate_json(short.to_json())
    assert short != short.model_copy(update={"fraction": 0.5})


def test_lists_may_come_as_lists_or_tuples() -> None:
    days = [CustomDay(date=date(2026, 6, 5), name="Grundlovsdag")]
    calendar = HolidayCalendarDefined(calendar_id="dk", name="Denmark", country="DK", custom_days=days)  # type: ignore[arg-type]
    assert calendar.custom_days == tuple(days)
    submitted = StatementSubmitted(statement_id="s", employee_id="e", approvers=("e-3",))
    assert json.loads(submitted.to_json())["approvers"] == ["e-3"]


def test_parts_of_a_payload_are_written_in_full() -> None:
    policy = TimeOffPolicyDefined(policy_id="p", name="Vacation", accrual=MonthlyAccrual(annual=2500))
    assert json.loads(policy.to_json())["accrual"] == {
        "plugin": "monthly",
        "annual": 2500,
        "year_start_month": 1,
        "rounding": "difference_on_last",
        "prorate_employment": False,
        "prorate_hours": False,
        "full_time_weekly_minutes": 2220,
    }


def test_text_of_any_language_is_written_as_it_is() -> None:
    change = ChangeScheduled(
        change_id="c", entity="employee", entity_id="李雷", effective_date=date(2026, 1, 1), values={"name": "Łukasz"}
    )
    assert '"李雷"' in change.to_json()
    assert '{"name":"Łukasz"}' in change.to_json()


def test_a_payload_can_not_be_changed() -> None:
    started = StatementSubmitted(statement_id="s", employee_id="e", approvers=())
    with pytest.raises(ValidationError):
        started.employee_id = "e-2"  # type: ignore[misc]


def test_a_job_can_not_write_what_an_import_would_refuse() -> None:
    with pytest.raises(ValidationError):
        StatementSubmitted(statement_id="a|b", employee_id="e", approvers=())
    with pytest.raises(ValidationError):
        StatementSubmitted(statement_id="s", employee_id="e", approvers="e-3")  # type: ignore[arg-type]


def test_an_end_before_the_start_is_left_to_the_jobs() -> None:
    never_began = EmploymentDefined(
        employment_id="e/1", employee_id="e", start_date=date(2026, 2, 1), end_date=date(2026, 1, 31), terms_id="t"
    )
    assert never_began.end_date == date(2026, 1, 31)
