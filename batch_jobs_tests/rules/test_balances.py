"""The sums of time accounts (domain 3.6, 4)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.absences import apply
from batch_jobs.rules.balances import Balance, consumed_amounts, movement, refunds
from batch_jobs.rules.errors import TransitionError
from batch_jobs_tests.rules.absent_people import CANCELLED, WHO, Event, approved, interrupted

START = date(2026, 3, 2)
KEY = ("e", "a")


def credited(amount):
    return Event("account.credited", {"employee_id": "e", "account_id": "a", "date": "2026-03-01", "amount": amount})


def expired(amount):
    return Event("account.expired", {"employee_id": "e", "account_id": "a", "date": "2026-03-01", "amount": amount})


def taken(start, length, amount=100, account_id="a"):
    dates = [start + timedelta(number) for number in range(length)]
    days = [{"date": day.isoformat(), "minutes": 444, "amount": amount} for day in dates]
    bounds = {"from_date": dates[0].isoformat(), "to_date": dates[-1].isoformat()}
    more = {"account_id": account_id, "policy_id": "holiday", "days": days, "amount": amount * length}
    return Event("time_off.consumed", WHO | bounds | more)


def test_each_event_goes_into_its_sum():
    assert movement(credited(2500)) == (KEY, Balance(credited=2500))
    assert movement(credited(-300)) == (KEY, Balance(credited=-300))
    assert movement(expired(40)) == (KEY, Balance(expired=40))
    assert movement(taken(START, 5)) == (KEY, Balance(used=500))
    assert movement(taken(START, 5, account_id=None)) is None
    assert consumed_amounts(taken(START, 5, account_id=None)) == []
    assert movement(CANCELLED) is None


def test_planned_is_no_part_of_the_balance():
    assert Balance(2500, 500, 40, 700).balance == 1960


def test_an_interruption_and_a_cancellation_give_back_each_day_once():
    event = taken(START, 10)
    absence = apply(approved(START, START + timedelta(9)), event)
    shorter = apply(absence, interrupted(START + timedelta(6)))
    assert refunds(consumed_amounts(event), absence, shorter) == {KEY: Balance(used=-400)}
    assert refunds(consumed_amounts(event), shorter, apply(shorter, CANCELLED)) == {KEY: Balance(used=-600)}


STEPS = st.lists(
    st.one_of(
        st.integers(-50, 99).map(credited),
        st.integers(0, 99).map(expired),
        st.tuples(st.integers(1, 5), st.integers(0, 100)),
        st.dates(START, START + timedelta(30)).map(interrupted),
        st.just(CANCELLED),
    ),
    max_size=15,
)


@given(STEPS, st.integers(0, 15), st.randoms())
def test_sums_kept_event_by_event_are_those_of_the_days_that_stand(steps, cut, random):
    """A plain second reading: all credits, all expiries, and of the consumed days those that the absence still has."""
    absence = approved(START, START + timedelta(25))
    days, parts, all_credited, all_expired = [], [], 0, 0
    for step in steps:
        event = step
        if isinstance(step, tuple) and not isinstance(step, Event):
            left = absence.unconsumed()
            if left is None:
                continue
            event = taken(left.start, min(step[0], (left.end - left.start).days + 1), step[1])
        if event.type.startswith("account."):
            all_credited += event.payload["amount"] * (event.type == "account.credited")
            all_expired += event.payload["amount"] * (event.type == "account.expired")
        else:
            try:
                before, absence = absence, apply(absence, event)
            except TransitionError:
                continue
            parts += refunds(days, before, absence).values()
            days += consumed_amounts(event)
        parts += [moved[1] for moved in [movement(event)] if moved]
    standing = sum(day.amount for day in days if absence.stands_on(day.date))
    random.shuffle(parts)
    halves = [Balance(), Balance()]
    for number, part in enumerate(parts):
        halves[number < cut] = halves[number < cut].plus(part)
    total = halves[0].plus(halves[1])
    assert total == Balance(all_credited, standing, all_expired)
    assert total.balance == all_credited - standing - all_expired
