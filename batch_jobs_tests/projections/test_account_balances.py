"""What accounts hold as events come in: by examples, and against a plain second reading of the events."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import (
    account,
    activity,
    away,
    consumed,
    decided,
    interrupted,
    requested,
    time_off_policy,
)
from batch_jobs_tests.accrual_events import company, credited, expired
from batch_jobs_tests.projections.catching_up import rows, take_in
from batch_jobs_tests.projections.two_ways import two_ways

HIRED = date(2025, 1, 1)
MONDAY = date(2026, 3, 2)


def day(number):
    return MONDAY + timedelta(number)


def week(first, last):
    return [day(number) for number in range(first, last + 1)]


def balances(database, workspace_id="acme"):
    return {
        (row["employee_id"], row["account_id"]): (
            row["credited"],
            row["used"],
            row["expired"],
            row["planned"],
            row["balance"],
        )
        for row in rows(database, "account_balances", workspace_id)
    }


def test_from_credit_to_expiry(database):
    take_in(database, *company(None, HIRED), credited(2500, HIRED), credited(-100, day(0)))
    assert balances(database) == {("e-1", "days"): (2400, 0, 0, 0, 2400)}
    take_in(database, requested("a-1", day(0), day(8)))
    assert balances(database) == {("e-1", "days"): (2400, 0, 0, 0, 2400)}
    take_in(database, decided("approved", "a-1"))
    # A weekend lies between: seven working days.
    assert balances(database) == {("e-1", "days"): (2400, 0, 0, 700, 2400)}
    take_in(database, consumed("a-1", day(0), day(6), week(0, 4)))
    assert balances(database) == {("e-1", "days"): (2400, 500, 0, 200, 1900)}
    take_in(database, interrupted("a-1", day(3)))
    assert balances(database) == {("e-1", "days"): (2400, 300, 0, 0, 2100)}
    take_in(database, expired(2100, day(30), "x"))
    assert balances(database) == {("e-1", "days"): (2400, 300, 2100, 0, 0)}


def test_the_movements_keep_all_that_expiry_asks_for(database):
    of = {"policy_id": "holiday", "entry_id": "x", "expires_on": day(9), "year_start": HIRED}
    take_in(database, credited(5, day(1), **of), credited(-3, day(2)), expired(2, day(3), "y"))
    with database.owner() as connection:
        found = connection.execute("SELECT * FROM projections.account_movements ORDER BY position").fetchall()
    assert found == [
        ("acme", 1, "e-1", "days", day(1), 5, 0, "holiday", "x", day(9), HIRED),
        ("acme", 2, "e-1", "days", day(2), -3, 0, None, None, None, None),
        ("acme", 3, "e-1", "days", day(3), 0, 2, "holiday", "y", None, None),
    ]


def test_an_account_with_only_zeros_has_no_row(database):
    take_in(database, *company(None, HIRED), credited(5, day(1)), away("a-1", day(0), day(0)))
    take_in(database, credited(-5, day(1)), decided("cancelled", "a-1"))
    assert balances(database) == {}


def test_whatever_working_days_depend_on_moves_what_is_planned(database):
    holiday = {"date": str(day(1)), "name": "Fastelavn"}
    take_in(database, *company(None, HIRED), away("a-1", day(0), day(4)))
    assert balances(database)["e-1", "days"][3] == 500
    take_in(
        database, builders.calendar("c", custom_days=[holiday]), builders.workspace(default_holiday_calendar_id="c")
    )
    assert balances(database)["e-1", "days"][3] == 400
    take_in(database, account("hours", "hours"), time_off_policy("holiday", account_id="hours"))
    assert balances(database) == {("e-1", "hours"): (0, 0, 0, 4 * 444, 0)}
    take_in(database, builders.terms(norm=[[100, 100, 100, 0, 0, 0, 0]]))
    assert balances(database)["e-1", "hours"][3] == 200
    take_in(database, builders.employment("e-1/1", HIRED, day(0)))
    assert balances(database)["e-1", "hours"][3] == 100
    take_in(database, time_off_policy("holiday"))
    assert balances(database) == {}


def test_what_nobody_can_count_is_planned_as_nothing(database):
    """A policy or an account that is not defined, terms that are not: the other rows do not suffer."""
    take_in(
        database,
        *company(None, HIRED),
        time_off_policy("bad", account_id="gone"),
        builders.employee("e-2"),
        builders.employment("e-2/1", HIRED),
        builders.employment("e-3/1", HIRED, terms_id="t-9"),
        away("a-1", day(0), day(1)),
        away("a-2", day(0), day(1), employee_id="e-2", policy_id="bad"),
        away("a-3", day(0), day(1), employee_id="e-3"),
        away("a-4", day(2), day(2), policy_id="gone"),
        credited(7, HIRED, employee_id="e-2"),
    )
    assert balances(database) == {("e-1", "days"): (0, 0, 0, 200, 0), ("e-2", "days"): (7, 0, 0, 0, 7)}


_day = st.integers(0, 9).map(day)
_who = st.sampled_from(["e-1", "e-2"])
_account = st.sampled_from(["days", "hours"])
_name = st.sampled_from(["a-1", "a-2"])
_events = st.one_of(
    st.builds(
        lambda amount, when, who, of: credited(amount, when, employee_id=who, account_id=of),
        st.integers(-3, 3),
        _day,
        _who,
        _account,
    ),
    st.builds(lambda amount, when, who: expired(amount, when, "x", employee_id=who), st.integers(0, 3), _day, _who),
    st.builds(
        lambda name, start, length, waits: requested(name, start, start + timedelta(length), approval_required=waits),
        _name,
        _day,
        st.integers(0, 6),
        st.booleans(),
    ),
    st.builds(decided, st.sampled_from(["approved", "rejected", "cancelled"]), _name),
    st.builds(interrupted, _name, _day),
    st.builds(
        lambda name, start, length: consumed(name, start, start + timedelta(length), [start]),
        _name,
        _day,
        st.integers(0, 3),
    ),
    st.builds(
        lambda since, of: time_off_policy("holiday", since=since, account_id=of), st.none() | _day, st.none() | _account
    ),
    st.builds(
        lambda since, minutes: builders.terms(since=since, norm=[[minutes, 444, 0, 444, 444, 0, 0]]),
        st.none() | _day,
        st.sampled_from([0, 9]),
    ),
    st.builds(builders.employment, st.just("e-1/1"), _day, st.none() | _day),
    st.builds(builders.removed, st.just("e-1")),
)
_then = st.sampled_from([(), (), ("account_balances",), ("definitions",), ("absences",)])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_events, _then), min_size=1, max_size=12))
def test_every_split_gives_the_sums_of_the_events(database, happened):
    settled = [(event, ()) for event in [*company(None, HIRED)[1:], account("hours", "hours"), activity("free")]]
    split, whole = two_ways(database, [*settled, *happened], ["account_balances"])
    found = balances(database, whole)
    assert balances(database, split) == found
    credits, expiries, used = Counter(), Counter(), Counter()
    for event, _ in happened:
        payload = event["payload"]
        if event["type"].startswith("account."):
            sums = credits if event["type"] == "account.credited" else expiries
            sums[payload["employee_id"], payload["account_id"]] += payload["amount"]
    with database.worker([whole]) as connection:
        for who, of, amount in connection.execute(
            "SELECT employee_id, account_id, amount FROM projections.absence_days WHERE account_id IS NOT NULL"
        ):
            used[who, of] += amount
    for key in {*found, *credits, *expiries, *used}:
        credit, use, gone, planned, balance = found.get(key, (0, 0, 0, 0, 0))
        assert (credit, use, gone) == (credits[key], used[key], expiries[key])
        assert balance == credit - use - gone
        assert planned >= 0
    assert all(any(values) for values in found.values())
