"""The states of an absence (domain 3.6)."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.absences import Absence, apply, bucket
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import TransitionError
from batch_jobs_tests.rules.absent_people import (
    APPROVED,
    CANCELLED,
    REJECTED,
    WHO,
    Event,
    after,
    approved,
    consumed,
    interrupted,
    requested,
)

MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 20)
ASK, ASK_OPEN = requested(MONDAY, FRIDAY), requested(MONDAY)


def day(number: int) -> date:
    return date(2026, 3, number)


def test_a_request_waits_for_its_approval():
    assert after([ASK]) == Absence("a-1", "e", "holiday", "requested", MONDAY, FRIDAY, Fraction(1), open_ended=False)
    assert after([ASK, APPROVED]).state == "approved"
    assert after([ASK, REJECTED]).state == "rejected"


def test_a_request_that_needs_no_approval_counts_as_approved():
    assert approved(MONDAY, FRIDAY) == after([ASK, APPROVED])


def test_a_second_approval_changes_nothing():
    assert after([ASK, APPROVED, APPROVED]) == after([ASK, APPROVED])
    assert apply(approved(MONDAY, FRIDAY), APPROVED) == approved(MONDAY, FRIDAY)


def test_fractions_are_read_as_they_were_written():
    assert approved(MONDAY, FRIDAY, fraction=0.1).fraction == Fraction(1, 10)
    assert approved(MONDAY, FRIDAY).full_days
    assert not approved(MONDAY, FRIDAY, fraction=0.99).full_days


def test_a_closed_absence_is_planned_until_its_last_day_is_consumed():
    absence = approved(MONDAY, FRIDAY)
    assert bucket(absence, FRIDAY + timedelta(30)) == "planned"
    absence = apply(absence, consumed(MONDAY, day(15)))
    assert (absence.consumed_to, absence.unconsumed()) == (day(15), Period(day(16), FRIDAY))
    assert bucket(absence, FRIDAY) == "planned"
    absence = apply(absence, consumed(day(16), FRIDAY))
    assert (absence.unconsumed(), bucket(absence, MONDAY)) == (None, "used")


def test_an_open_ended_absence_is_active_from_its_start_until_someone_is_back():
    absence = approved(MONDAY)
    assert bucket(absence, MONDAY - timedelta(1)) == "planned"
    assert bucket(absence, MONDAY) == bucket(absence, MONDAY + timedelta(900)) == "active"
    back = apply(absence, interrupted(day(12)))
    assert (back.end_date, back.open_ended, back.unconsumed()) == (day(11), True, None)
    assert [bucket(back, day(number)) for number in (1, 2, 11, 12)] == ["planned", "active", "active", "used"]


@pytest.mark.parametrize("events", [[ASK], [ASK, REJECTED], [ASK, APPROVED, CANCELLED]])
def test_only_approved_absences_have_a_bucket_and_days(events):
    absence = after(events)
    assert bucket(absence, MONDAY) is None
    assert absence.unconsumed() is None
    assert not absence.stands_on(MONDAY)


def test_an_interruption_refunds_the_days_from_its_date_on():
    absence = after([ASK, APPROVED, consumed(MONDAY, FRIDAY), interrupted(day(10))])
    assert (absence.end_date, absence.consumed_to, bucket(absence, FRIDAY)) == (day(9), day(9), "used")
    assert [number for number in range(1, 32) if absence.stands_on(day(number))] == list(range(2, 10))
    not_yet = after([ASK, APPROVED, consumed(MONDAY, day(5)), interrupted(day(10))])
    assert (not_yet.consumed_to, not_yet.unconsumed()) == (day(5), Period(day(6), day(9)))


def test_an_interruption_before_the_first_day_leaves_nothing():
    for back in (MONDAY, MONDAY - timedelta(3)):
        absence = after([ASK, APPROVED, consumed(MONDAY, day(5)), interrupted(back)])
        assert (absence.state, absence.consumed_to, absence.unconsumed()) == ("approved", None, None)
        assert bucket(absence, MONDAY - timedelta(9)) == "used"
        assert not any(absence.stands_on(day(number)) for number in range(1, 32))
        assert bucket(apply(approved(MONDAY), interrupted(back)), MONDAY - timedelta(9)) == "used"


def test_an_interruption_shortens_and_never_lengthens():
    absence = after([ASK, APPROVED, interrupted(day(10))])
    assert apply(absence, interrupted(day(10))) == absence
    assert apply(absence, interrupted(day(5))).end_date == day(4)
    with pytest.raises(TransitionError, match="ends on 2026-03-09; an interruption on 2026-03-11 can not lengthen it"):
        apply(absence, interrupted(day(11)))


def test_a_cancellation_refunds_all_days():
    absence = after([ASK, APPROVED, consumed(MONDAY, FRIDAY), CANCELLED])
    assert (absence.state, absence.consumed_to, absence.stands_on(MONDAY)) == ("cancelled", None, False)


@pytest.mark.parametrize(
    ("events", "refused", "reason"),
    [
        ([], APPROVED, 'absence "a-1" was never requested; import its time_off.requested first'),
        ([ASK], ASK, "was requested already; its state is requested"),
        ([], requested(FRIDAY, MONDAY), "end_date 2026-03-02 is before start_date 2026-03-20"),
        ([ASK], interrupted(day(5)), "is requested; time_off.interrupted is allowed only when it is approved"),
        ([ASK], consumed(MONDAY, FRIDAY), "is requested"),
        ([ASK, APPROVED], REJECTED, "is approved; time_off.rejected is allowed only when it is requested"),
        ([ASK, REJECTED], APPROVED, "is rejected; time_off.approved is allowed only when it is requested or approved"),
        ([ASK, REJECTED], CANCELLED, "is rejected"),
        ([ASK, CANCELLED], CANCELLED, "is cancelled"),
        ([ASK, APPROVED], interrupted(date.min), "leaves no day before it"),
        ([ASK, APPROVED], consumed(day(3), FRIDAY), "expected days from 2026-03-02 on, 2026-03-20 at the latest"),
        ([ASK, APPROVED], consumed(MONDAY, day(21)), "expected days from 2026-03-02 on"),
        ([ASK, APPROVED], consumed(MONDAY, day(1)), "expected days from 2026-03-02 on"),
        ([ASK, APPROVED, consumed(MONDAY, FRIDAY)], consumed(MONDAY, FRIDAY), "is consumed to its end already"),
        ([ASK_OPEN, APPROVED], consumed(MONDAY, FRIDAY), "is open-ended and is registered day by day"),
        ([ASK_OPEN, APPROVED, interrupted(day(5))], consumed(MONDAY, day(4)), "is open-ended"),
        ([ASK], Event("time_off.approved", WHO | {"employee_id": "f"}), 'belongs to employee "e", not to "f"'),
        ([ASK], Event("time_off.shredded", WHO), "no event of an absence"),
    ],
)
def test_what_the_state_does_not_allow_is_refused_with_the_reason(events, refused, reason):
    absence = after(events) if events else None
    with pytest.raises(TransitionError) as error:
        apply(absence, refused)
    assert reason in error.value.reason


DAYS = st.dates(day(1), day(28))
EVENTS = st.one_of(
    st.sampled_from([APPROVED, REJECTED, CANCELLED]),
    DAYS.map(interrupted),
    st.builds(consumed, DAYS, DAYS),
    st.sampled_from(range(28)).map(lambda length: consumed(MONDAY, MONDAY + timedelta(length))),
)


@given(st.sampled_from([ASK, ASK_OPEN]), st.lists(EVENTS, max_size=20))
def test_events_read_day_by_day_give_the_same_days(ask, events):
    """A plain second reading: two sets of days, absent and consumed, that the events add to and take from."""
    absence, state = apply(None, ask), "requested"
    absent = {MONDAY + timedelta(number) for number in range(19 if ask is ASK else 60)}
    taken: set[date] = set()
    for event in events:
        try:
            absence = apply(absence, event)
        except TransitionError:
            continue
        if event.type in ("time_off.approved", "time_off.rejected", "time_off.cancelled"):
            state = event.type.removeprefix("time_off.")
        if event.type == "time_off.interrupted":
            absent = {one for one in absent if one.isoformat() < event.payload["date"]}
        if event.type == "time_off.consumed":
            first, last = event.payload["from_date"], event.payload["to_date"]
            chunk = {one for one in absent if first <= one.isoformat() <= last}
            assert chunk
            assert not taken & chunk
            taken |= chunk
        taken &= absent if state == "approved" else set()
        assert absence.state == state
        assert {MONDAY + timedelta(n) for n in range(-5, 60) if absence.stands_on(MONDAY + timedelta(n))} == (
            absent if state == "approved" else set()
        )
        assert absence.consumed_to == max(taken, default=None)
        left = absence.unconsumed()
        assert (set() if left is None else {left.start, left.end}) == (
            {min(absent - taken), max(absent)} if state == "approved" and ask is ASK and absent - taken else set()
        )
