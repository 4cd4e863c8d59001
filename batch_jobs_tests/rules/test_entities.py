"""Entities: what `from_payload` makes of a validated payload (domain 2.1)."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from batch_jobs.rules.definitions import ENTITY_KINDS, Definitions
from batch_jobs.rules.entities import (
    CustomDay,
    Employment,
    EmploymentTerms,
    HolidayCalendar,
    User,
    Workspace,
    WorkTimePolicy,
)
from batch_jobs.rules.versions import ALWAYS, Versions


def test_a_full_payload_is_read_whole():
    payload = {
        "terms_id": "t-1",
        "name": "Office",
        "approval_period": "weekly",
        "norm": [[444, 444, 444, 444, 444, 0, 0], [480, 480, 480, 480, 0, 0, 0]],
        "time_off_policy_ids": ["vacation"],
        "allowance_policy_ids": ["lunch"],
        "work_time_policy_id": "flex",
        "holiday_calendar_id": "dk",
    }
    terms = EmploymentTerms.from_payload(payload)
    assert terms.norm == ((444, 444, 444, 444, 444, 0, 0), (480, 480, 480, 480, 0, 0, 0))
    assert (terms.time_off_policy_ids, terms.allowance_policy_ids) == (("vacation",), ("lunch",))
    assert (terms.work_time_policy_id, terms.holiday_calendar_id) == ("flex", "dk")
    assert hash(terms)


def test_what_is_left_out_has_the_contract_s_default():
    terms = EmploymentTerms.from_payload({"terms_id": "t", "name": "t", "approval_period": "none", "norm": [[0] * 7]})
    assert (terms.time_off_policy_ids, terms.work_time_policy_id) == ((), None)
    assert Workspace.from_payload({"name": "Acme", "timezone": "UTC"}).locale == "en"
    assert User.from_payload({"user_id": "u", "email": "u@acme.example", "status": "active"}).email_notifications
    assert CustomDay.from_payload({"date": "2024-12-24", "name": "x"}) == CustomDay(
        date(2024, 12, 24), "x", Fraction(1)
    )
    assert WorkTimePolicy.from_payload({"policy_id": "p", "name": "p"}) == WorkTimePolicy("p", "p")
    assert HolidayCalendar.from_payload({"calendar_id": "c", "name": "c"}) == HolidayCalendar("c", "c")


def test_dates_and_instants():
    employment = Employment.from_payload(
        {"employment_id": "e-1/1", "employee_id": "e-1", "start_date": "2024-02-29", "end_date": None, "terms_id": "t"}
    )
    assert (employment.start_date, employment.end_date) == (date(2024, 2, 29), None)
    assert not employment.covers(date(2024, 2, 28))
    assert employment.covers(date(2024, 2, 29))
    user = User.from_payload(
        {"user_id": "u", "email": "u@acme.example", "status": "invited", "invited_at": "2024-05-01T02:00:00+02:00"}
    )
    assert user.invited_at == datetime(2024, 5, 1, tzinfo=UTC)


def test_definitions_keep_the_order_of_positions():
    rows = [
        ("employee", "e-1", None, {"employee_id": "e-1", "name": "Ada"}),
        ("employee", "e-1", date(2024, 5, 1), {"employee_id": "e-1", "name": "Ada King"}),
        ("employee", "e-1", date(2024, 5, 1), {"employee_id": "e-1", "name": "Ada Lovelace"}),
    ]
    found = Definitions.from_rows("acme", Workspace("Acme", "UTC"), rows).employees["e-1"]
    assert [(day, person.name) for day, person in zip(found.starts(), found.values(), strict=True)] == [
        (ALWAYS, "Ada"),
        (date(2024, 5, 1), "Ada Lovelace"),
    ]
    assert isinstance(found, Versions)


def test_a_kind_that_is_not_read_is_refused():
    assert "org_unit" in ENTITY_KINDS
    with pytest.raises(KeyError):
        Definitions.from_rows("acme", Workspace("Acme", "UTC"), [("project", "p-1", None, {})])
