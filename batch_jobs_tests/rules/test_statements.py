"""The states of a statement (domain 3.7)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.errors import TransitionError
from batch_jobs.rules.statements import Statement, apply

NOW = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)
WHO = {"statement_id": "e-1:2026-10-01:2026-10-31", "employee_id": "e-1"}


class Event(NamedTuple):
    type: str
    payload: Mapping[str, Any]
    occurred_at: datetime = NOW


START = Event(
    "statement.period_started", {**WHO, "terms_id": "t-1", "period_start": "2026-10-01", "period_end": "2026-10-31"}
)
READY, OVERDUE = Event("statement.ready", WHO), Event("statement.overdue", WHO)


def submit(*approvers: str) -> Event:
    return Event("statement.submitted", {**WHO, "approvers": list(approvers)})


def approve(by: str) -> Event:
    return Event("statement.approved", {**WHO, "by": by})


REOPEN = Event("statement.reopened", {**WHO, "by": "m-1", "note": "Friday is missing"})


def after(*events: Event) -> Statement:
    statement = None
    for event in events:
        statement = apply(statement, event)
    return statement


def test_a_started_period_is_pending():
    assert after(START) == Statement(
        "e-1:2026-10-01:2026-10-31", "e-1", "t-1", date(2026, 10, 1), date(2026, 10, 31), "pending"
    )


def test_every_approver_signs_before_it_is_approved():
    submitted = after(START, READY, OVERDUE, submit("m-1", "m-2"))
    assert (submitted.state, submitted.submitted_at, submitted.approvers) == ("submitted", NOW, ("m-1", "m-2"))
    once = apply(submitted, approve("m-2"))
    assert (once.state, once.approved_by) == ("submitted", ("m-2",))
    twice = apply(once, approve("m-1"))
    assert (twice.state, twice.approved_by) == ("approved", ("m-2", "m-1"))
    assert submitted.approved_by == ()


def test_without_approvers_it_is_approved_at_once():
    statement = after(START, READY, submit())
    assert (statement.state, statement.submitted_at) == ("approved", NOW)


def test_an_approver_listed_twice_signs_once():
    assert after(START, READY, submit("m-1", "m-1"), approve("m-1")).state == "approved"


def test_a_second_signature_changes_nothing():
    submitted = after(START, READY, submit("m-1", "m-2"), approve("m-1"))
    assert apply(submitted, approve("m-1")) == submitted
    approved = apply(submitted, approve("m-2"))
    assert apply(approved, approve("m-2")) == approved


def test_reopening_forgets_submission_and_signatures():
    reopened = after(START, READY, submit("m-1"), approve("m-1"), REOPEN)
    assert reopened == after(START)._replace(state="reopened")
    assert apply(reopened, submit("m-2")).state == "submitted"


@pytest.mark.parametrize(
    ("events", "refused", "reason"),
    [
        ([], READY, "was never started"),
        ([START], START, "was started already; its state is pending"),
        ([START], submit("m-1"), "is pending; statement.submitted is allowed only when it is ready or overdue"),
        ([START], OVERDUE, "is pending"),
        ([START, READY], READY, "is ready"),
        ([START, READY, OVERDUE], READY, "is overdue"),
        ([START, READY], approve("m-1"), "is ready"),
        ([START, READY], REOPEN, "is ready"),
        ([START, READY, submit("m-1")], submit("m-1"), "is submitted"),
        ([START, READY, submit("m-1")], approve("m-2"), '"m-2" is no approver of it; its approvers are: m-1'),
        ([START, READY, submit()], approve("m-1"), "its approvers are: none"),
        ([START, READY, submit("m-1"), REOPEN], approve("m-1"), "is reopened"),
        ([START, READY, submit("m-1"), REOPEN], READY, "is reopened"),
        ([START], Event("statement.ready", {**WHO, "employee_id": "e-2"}), 'belongs to employee "e-1", not to "e-2"'),
        ([START], Event("statement.shredded", WHO), "no event of a statement"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_with_the_reason(events, refused, reason):
    with pytest.raises(TransitionError) as error:
        apply(after(*events), refused)
    assert reason in error.value.reason
    assert str(error.value) == error.value.reason


NEXT_STATES = {
    None: {"pending"},
    "pending": {"ready"},
    "ready": {"overdue", "submitted", "approved"},
    "overdue": {"submitted", "approved"},
    "submitted": {"submitted", "approved", "reopened"},
    "approved": {"approved", "reopened"},
    "reopened": {"submitted", "approved"},
}
PEOPLE = st.sampled_from(["m-1", "m-2", "m-3"])
EVENTS = st.one_of(
    st.sampled_from([START, READY, OVERDUE, REOPEN]),
    st.lists(PEOPLE, max_size=3).map(lambda approvers: submit(*approvers)),
    PEOPLE.map(approve),
)


@given(st.lists(EVENTS, max_size=30))
def test_the_machine_never_leaves_its_states(events):
    statement = None
    for event in [START, READY, *events]:
        before = statement
        try:
            statement = apply(before, event)
        except TransitionError:
            continue
        assert statement.state in NEXT_STATES[before.state if before else None]
        assert set(statement.approved_by) <= set(statement.approvers)
        assert len(set(statement.approved_by)) == len(statement.approved_by)
        handed_in = statement.state in ("submitted", "approved")
        assert (statement.submitted_at is not None) == handed_in
        assert handed_in or not (statement.approvers or statement.approved_by)
        if handed_in:
            assert (statement.state == "approved") == (set(statement.approved_by) == set(statement.approvers))
