"""What a scheduled change makes of an entity, and in which order changes apply (domain 2.1, 6.1)."""

import json
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.scheduled_changes import (
    COUNTED_AS,
    ChangeError,
    ScheduledChange,
    changed_payload,
    due,
    state_after,
    undefined_references,
    with_version,
)
from batch_jobs.rules.versions import ALWAYS, Versions
from batch_jobs.store.payloads.changes import ChangeScheduled
from batch_jobs.store.payloads.people import EmploymentDefined

MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)
HIRED = {"employment_id": "e/1", "employee_id": "e", "start_date": "2024-01-01", "terms_id": "t-1", "manager_id": "m"}


def change(values, effective_date=MARCH, change_id="c-1", position=1):
    return ScheduledChange(change_id, "employment", "e/1", effective_date, values, position)


def made(versions, of):
    return changed_payload(versions, of, id_field="employment_id")


def test_named_fields_are_overwritten_and_null_clears():
    found = made(Versions.always(HIRED), change({"terms_id": "t-2", "manager_id": None}))
    assert found == {
        "employment_id": "e/1",
        "employee_id": "e",
        "start_date": "2024-01-01",
        "terms_id": "t-2",
        "effective_date": "2026-03-01",
    }
    assert EmploymentDefined.model_validate_json(json.dumps(found)).effective_date == MARCH


def test_it_builds_on_the_version_of_its_own_day():
    versions = Versions([(ALWAYS, HIRED), (MAY, HIRED | {"terms_id": "t-9", "effective_date": "2026-05-01"})])
    assert made(versions, change({"job_title": "Smith"}))["terms_id"] == "t-1"
    later = made(versions, change({"job_title": "Smith"}, MAY))
    assert (later["terms_id"], later["effective_date"]) == ("t-9", "2026-05-01")


def test_two_changes_of_one_day_add_up():
    versions = Versions.always(HIRED)
    versions = with_version(versions, MARCH, made(versions, change({"job_title": "Smith"})))
    versions = with_version(versions, MARCH, made(versions, change({"terms_id": "t-2"}, change_id="c-2")))
    in_force = versions.on(MARCH)
    assert (in_force["job_title"], in_force["terms_id"]) == ("Smith", "t-2")
    assert versions.on(date(2026, 2, 28)) == HIRED


@pytest.mark.parametrize(
    ("versions", "values", "reason"),
    [
        (None, {}, 'change "c-1": employment "e/1" is not defined; import its employment.defined first'),
        (Versions.always(HIRED), {"employment_id": "e/2"}, 'employment_id "e/2" can not replace "e/1"'),
        (Versions.always(HIRED), {"employment_id": None}, 'employment_id "None" can not replace "e/1"'),
        (Versions.always(HIRED), {"effective_date": "2026-04-01"}, "values.effective_date is no field of employment"),
    ],
)
def test_what_can_not_be_applied_says_why(versions, values, reason):
    with pytest.raises(ChangeError) as error:
        made(versions, change(values))
    assert reason in str(error.value)


def test_references_that_are_not_defined_are_found():
    defined = {("employee", "e"), ("employment_terms", "t-1"), ("time_off_policy", "p")}
    assert undefined_references("employment", HIRED, lambda *of: of in defined) == [("manager_id", "employee", "m")]
    terms = {"time_off_policy_ids": ["p", "q"], "holiday_calendar_id": "c"}
    assert undefined_references("employment_terms", terms, lambda *of: of in defined) == [
        ("time_off_policy_ids", "time_off_policy", "q"),
        ("holiday_calendar_id", "holiday_calendar", "c"),
    ]
    assert undefined_references("employee", {"employee_id": "x"}, lambda *of: False) == []


def test_every_kind_that_can_be_scheduled_is_counted():
    assert set(COUNTED_AS) == set(get_args(ChangeScheduled.model_fields["entity"].annotation))


CHANGES = st.lists(
    st.tuples(st.dates(MARCH, date(2026, 3, 5)), st.integers(1, 99)), unique_by=lambda one: one[1], max_size=8
)


@given(CHANGES, st.dates(MARCH, date(2026, 3, 6)), st.randoms())
def test_order_is_by_day_then_by_scheduling(found, run_date, random):
    changes = [change({}, day, str(position), position) for day, position in found]
    expected = [(day, position) for day, position in sorted(found) if day <= run_date]
    shuffled = random.sample(changes, len(changes))
    assert [(one.effective_date, one.position) for one in due(shuffled, run_date)] == expected


@pytest.mark.parametrize(
    ("state", "event_type", "then"),
    [
        (None, "change.scheduled", "scheduled"),
        ("scheduled", "change.scheduled", "scheduled"),
        ("cancelled", "change.scheduled", "scheduled"),
        ("scheduled", "change.cancelled", "cancelled"),
        ("cancelled", "change.cancelled", "cancelled"),
        ("scheduled", "change.applied", "applied"),
    ],
)
def test_what_may_become_of_a_change(state, event_type, then):
    assert state_after(state, event_type, "c-1") == then


@pytest.mark.parametrize(
    ("state", "event_type", "why"),
    [
        (None, "change.cancelled", "is not scheduled"),
        (None, "change.applied", "is not scheduled"),
        ("applied", "change.scheduled", "was applied already"),
        ("applied", "change.cancelled", "was applied already"),
        ("applied", "change.applied", "was applied already"),
        ("cancelled", "change.applied", "was cancelled"),
    ],
)
def test_what_may_not_become_of_a_change(state, event_type, why):
    with pytest.raises(TransitionError, match=f'change "c-1" {why}'):
        state_after(state, event_type, "c-1")
