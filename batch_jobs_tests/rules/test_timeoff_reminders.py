"""Which time off is reminded of, when, and in which words (domain 6.1)."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.timeoff_reminders import Reminder, blocks, is_due, reminder
from batch_jobs_tests.rules.absent_people import after, approved, requested
from batch_jobs_tests.rules.people import account, calendar, employment, terms, time_off_policy, workforce

HIRED = date(2024, 1, 1)


def staff(hired=HIRED):
    return workforce(
        employment("e/1", hired),
        terms("t-1"),
        account("a", name="Holiday account"),
        account("b", name="Overtime"),
        time_off_policy("holiday", account_id="a"),
        time_off_policy("extra", account_id="a"),
        time_off_policy("overtime", account_id="b"),
        time_off_policy("leave"),
        calendar("c", country="DK"),
        default_calendar="c",
    )


def off(absence_id, start, end, **fields):
    return approved(start, end, **fields)._replace(absence_id=absence_id)


def ids(found):
    return [[absence.absence_id for absence in block.absences] for block in found]


SUMMER = [
    off("a-1", date(2026, 7, 6), date(2026, 7, 10)),
    off("a-2", date(2026, 7, 13), date(2026, 7, 17), policy_id="extra"),
    off("a-3", date(2026, 7, 21), date(2026, 7, 22)),
]


def test_a_weekend_or_a_holiday_between_joins_two_absences():
    """Easter Monday, 6 April 2026, is free in Denmark (borger.dk, "Helligdage")."""
    easter = [off("b-2", date(2026, 4, 7), date(2026, 4, 8)), off("b-1", date(2026, 3, 30), date(2026, 4, 1))]
    assert ids(blocks(staff(), "e", [*SUMMER, *easter], date(2026, 3, 1))) == [["b-1", "b-2"], ["a-1", "a-2"], ["a-3"]]


def test_only_approved_unstarted_full_day_closed_absences_count():
    start, end = date(2026, 7, 6), date(2026, 7, 10)
    others = [
        after([requested(start, end)]),
        approved(start),
        approved(start, end, fraction=0.5),
        approved(date(2026, 7, 1), end),
        approved(start, end)._replace(end_date=start - timedelta(1)),
    ]
    assert blocks(staff(), "e", others, date(2026, 7, 1)) == []


def test_it_is_due_on_the_last_working_day_before():
    """Monday 6 July 2026: the reminder goes out on Friday, and on the week-end when Friday was missed."""
    (block,) = blocks(staff(), "e", SUMMER[:1], date(2026, 6, 1))
    assert [day for day in range(1, 7) if is_due(staff(), "e", block, date(2026, 7, day))] == [3, 4, 5]


def test_without_a_working_day_in_the_30_days_before_it_is_due_14_days_ahead():
    home = staff(hired=date(2026, 7, 6))
    (block,) = blocks(home, "e", SUMMER[:1], date(2026, 6, 1))
    assert [is_due(home, "e", block, date(2026, 6, day)) for day in (21, 22, 30)] == [False, True, True]


def test_what_it_says():
    (block, _) = blocks(staff(), "e", SUMMER, date(2026, 7, 3))
    first = Reminder(("a-1", "a-2"), date(2026, 7, 6), date(2026, 7, 17), 10, "Holiday account")
    assert reminder(staff(), "e", block, ()) == first
    assert reminder(staff(), "e", block, {"a-1", "a-2", "z"}) is None
    assert reminder(staff(), "e", block, {"a-1"}) == Reminder(
        ("a-2",), date(2026, 7, 13), date(2026, 7, 17), 5, "Holiday account"
    )


@pytest.mark.parametrize("policy_id", ["overtime", "leave"])
def test_parts_of_several_accounts_are_time_off(policy_id):
    parts = [SUMMER[0], SUMMER[1]._replace(policy_id=policy_id)]
    (block,) = blocks(staff(), "e", parts, date(2026, 7, 3))
    assert reminder(staff(), "e", block, ()).account == "time off"


def test_a_policy_that_is_not_defined_is_named():
    (block,) = blocks(staff(), "e", [SUMMER[0]._replace(policy_id="x")], date(2026, 7, 3))
    with pytest.raises(UndefinedReferenceError, match='time-off policy "x" is not defined'):
        reminder(staff(), "e", block, ())


DAYS = st.dates(date(2026, 3, 20), date(2026, 5, 10))
ABSENCES = st.lists(st.tuples(DAYS, st.integers(0, 6)), max_size=6)


@given(ABSENCES, DAYS, st.randoms())
@settings(deadline=None)
def test_blocks_read_day_by_day(spans, run_date, random):
    """A plain second reading: walk the days; a working day that nobody has off ends a block."""
    home = staff()
    found = [off(f"x-{number}", start, start + timedelta(length)) for number, (start, length) in enumerate(spans)]
    future = [absence for absence in found if absence.start_date > run_date]
    groups: list[set[str]] = []
    joined = False
    for day in (date(2026, 3, 15) + timedelta(number) for number in range(80)):
        here = {absence.absence_id for absence in future if absence.stands_on(day)}
        if here:
            if joined:
                groups[-1] |= here
            else:
                groups.append(here)
            joined = True
        elif home.expected_minutes("e", day):
            joined = False
    result = blocks(home, "e", random.sample(found, len(found)), run_date)
    assert [set(of) for of in ids(result)] == groups
    for block in result:
        days = [block.start - timedelta(number) for number in range(30, 0, -1)]
        working = [day for day in days if home.expected_minutes("e", day)]
        soon = (block.start - run_date).days <= 14
        assert is_due(home, "e", block, run_date) == (soon and (not working or working[-1] <= run_date))
        says = reminder(home, "e", block, ())
        taken = {d for d in home.working_days("e", block.start, block.end) if any(a.stands_on(d) for a in future)}
        assert (says.start, says.end, says.working_days) == (block.start, block.end, len(taken))
