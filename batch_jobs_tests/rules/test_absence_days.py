"""What an absence takes, chunk by chunk and day by day (domain 3.6, 6.1)."""

from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.absence_days import (
    AbsentDay,
    approval_kind,
    chunks,
    consume,
    day_to_register,
    planned,
    registered_minutes,
)
from batch_jobs.rules.absences import apply
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs_tests.rules.absent_people import after, approved, consumed, interrupted, requested
from batch_jobs_tests.rules.people import account, activity, calendar, employment, terms, time_off_policy, workforce

HIRED = date(2024, 1, 1)
POLICIES = [
    account("days"),
    account("hours", "hours"),
    activity("holiday"),
    time_off_policy("holiday", account_id="days", activity_id="holiday"),
    time_off_policy("overtime", account_id="hours"),
    time_off_policy("leave"),
]


def staff(*rows, country=None):
    found = rows or (terms("t-1"),)
    return workforce(employment("e/1", HIRED), *found, *POLICIES, calendar("c", country=country), default_calendar="c")


def days(consumption):
    return [f"{day.date:%m-%d}" for day in consumption.days]


def test_easter_in_denmark_and_in_france():
    """Maundy Thursday, Good Friday and Easter Monday are free in Denmark (borger.dk, "Helligdage"); only the Monday in
    France outside Alsace-Moselle (Code du travail, art. L3133-1). Easter Sunday was on 5 April 2026."""
    absence = approved(date(2026, 3, 30), date(2026, 4, 10))
    chunk = Period(absence.start_date, absence.end_date)
    danish, french = (consume(staff(country=country), absence, chunk) for country in ("DK", "FR"))
    assert days(danish) == ["03-30", "03-31", "04-01", "04-07", "04-08", "04-09", "04-10"]
    assert days(french) == ["03-30", "03-31", "04-01", "04-02", "04-03", "04-07", "04-08", "04-09", "04-10"]
    assert (danish.amount, french.amount) == (700, 900)


def test_christmas_in_denmark_and_in_france():
    """25 and 26 December are public holidays in Denmark, 25 December alone in France; a Friday and a Saturday in 2026.
    Danish custom makes the 24th and the 31st free too, by agreement (a custom day here, half a day on the 31st)."""
    absence = approved(date(2026, 12, 21), date(2027, 1, 3))
    chunk = Period(absence.start_date, absence.end_date)
    agreed = [
        {"date": "2026-12-24", "name": "Christmas Eve"},
        {"date": "2026-12-31", "name": "New Year's Eve", "fraction": 0.5},
    ]
    home = workforce(
        employment("e/1", HIRED),
        terms("t-1"),
        *POLICIES,
        calendar("c", country="DK", custom_days=agreed),
        default_calendar="c",
    )
    danish = consume(home, absence, chunk)
    assert days(danish) == ["12-21", "12-22", "12-23", "12-28", "12-29", "12-30", "12-31"]
    assert danish.days[-1] == AbsentDay(date(2026, 12, 31), 222, 100)
    french = consume(staff(country="FR"), absence, chunk)
    assert days(french) == ["12-21", "12-22", "12-23", "12-24", "12-28", "12-29", "12-30", "12-31"]


def test_thanksgiving():
    """The fourth Thursday of November (5 U.S.C. 6103), the 26th in 2026; the Friday after it is an ordinary day."""
    absence = approved(date(2026, 11, 23), date(2026, 11, 27), policy_id="overtime")
    found = consume(staff(country="US"), absence, Period(absence.start_date, absence.end_date))
    assert days(found) == ["11-23", "11-24", "11-25", "11-27"]
    assert (found.amount, found.charge.account.account_id, found.charge.activity_id) == (4 * 444, "hours", None)


def test_parts_of_a_day():
    """Minutes are rounded down; amounts in days half up: an eighth of a day is 12.5 centidays."""
    absence = approved(date(2026, 3, 2), date(2026, 3, 2), fraction=0.125)
    chunk = Period(date(2026, 3, 2), date(2026, 3, 2))
    assert consume(staff(), absence, chunk).days == (AbsentDay(date(2026, 3, 2), 55, 13),)
    assert consume(staff(), absence._replace(policy_id="overtime"), chunk).amount == 55
    assert consume(staff(), absence._replace(policy_id="leave"), chunk).amount == 0


def test_a_weekend_is_consumed_without_a_day():
    absence = approved(date(2026, 3, 7), date(2026, 3, 8))
    found = consume(staff(), absence, Period(date(2026, 3, 7), date(2026, 3, 8)))
    assert (found.days, found.amount) == ((), 0)


def test_from_monthly_to_weekly_approval_in_mid_month():
    """Approved by the month, March was consumed on its first day; by the week from 16 March on, nothing is due until
    the next Monday after it, 30 March: that week has two days in March already consumed, and five in April."""
    home = staff(terms("t-1"), terms("t-1", since=date(2026, 3, 16), approval_period="weekly"))
    absence = approved(date(2026, 3, 2), date(2026, 4, 10))
    found = []
    for offset in range(45):
        run_date = date(2026, 3, 1) + timedelta(offset)
        for chunk in chunks(absence, run_date, approval_kind(home, "e", run_date)):
            absence = apply(absence, consumed(*chunk))
            found.append((run_date, chunk))
    assert found == [
        (date(2026, 3, 2), Period(date(2026, 3, 2), date(2026, 3, 31))),
        (date(2026, 3, 30), Period(date(2026, 4, 1), date(2026, 4, 5))),
        (date(2026, 4, 6), Period(date(2026, 4, 6), date(2026, 4, 10))),
    ]


def test_a_week_that_belongs_to_another_iso_year():
    """29 December 2025 to 4 January 2026 is week 1 of 2026 (ISO 8601: the week of the year's first Thursday)."""
    absence = approved(date(2025, 12, 22), date(2026, 1, 9))
    assert chunks(absence, date(2026, 1, 1), "weekly") == [
        Period(date(2025, 12, 22), date(2025, 12, 28)),
        Period(date(2025, 12, 29), date(2026, 1, 4)),
    ]


def test_without_approval_the_whole_absence_at_once_but_not_before_it_begins():
    absence = approved(date(2028, 2, 29), date(2028, 7, 31))
    assert chunks(absence, date(2028, 2, 28), "none") == []
    assert chunks(absence, date(2028, 2, 29), "none") == [Period(date(2028, 2, 29), date(2028, 7, 31))]
    assert chunks(absence, date(2028, 2, 29), "monthly") == [Period(date(2028, 2, 29), date(2028, 2, 29))]


def test_the_approval_period_of_someone_who_left_is_their_last():
    home = workforce(
        employment("e/1", date(2026, 1, 1), date(2026, 3, 31)), terms("t-1", approval_period="biweekly"), *POLICIES
    )
    assert approval_kind(home, "e", date(2026, 6, 1)) == "biweekly"
    assert approval_kind(home, "e", date(2025, 12, 31)) == "none"


@pytest.mark.parametrize(
    ("policy_id", "missing"),
    [
        ("undefined", 'time-off policy "undefined" is not defined in workspace "acme"; import its time_off_policy'),
        ("p-1", 'time-off policy "p-1": account_id "x" is not defined in workspace "acme"; import its time_account'),
        ("p-2", 'time-off policy "p-2": activity_id "x" is not defined in workspace "acme"; import its activity'),
    ],
)
def test_what_is_not_defined_is_named(policy_id, missing):
    home = staff(terms("t-1"), time_off_policy("p-1", account_id="x"), time_off_policy("p-2", activity_id="x"))
    with pytest.raises(UndefinedReferenceError, match=missing):
        planned(home, approved(date(2026, 3, 2), date(2026, 3, 3), policy_id=policy_id))


def test_open_ended_absences_are_registered_from_their_second_day_on():
    ill = approved(date(2026, 3, 5), policy_id="leave", fraction=0.5)
    assert day_to_register(ill, date(2026, 3, 6)) is None
    assert day_to_register(ill, date(2026, 3, 7)) == date(2026, 3, 6)
    assert day_to_register(after([requested(date(2026, 3, 5))]), date(2026, 3, 7)) is None
    assert chunks(ill, date(2026, 3, 7), "weekly") == []
    back = apply(ill, interrupted(date(2026, 3, 10)))
    assert [day_to_register(back, date(2026, 3, number)) for number in (10, 11)] == [date(2026, 3, 9), None]
    assert day_to_register(approved(date(2026, 3, 5), date(2026, 3, 20)), date(2026, 3, 7)) is None
    assert (registered_minutes(staff(), ill, date(2026, 3, 6)), registered_minutes(staff(), ill, date(2026, 3, 7))) == (
        222,
        0,
    )


FIRST = date(2025, 12, 20)
DAYS = st.dates(FIRST, FIRST + timedelta(60))
KINDS = st.sampled_from(["none", "weekly", "biweekly", "monthly"])
FRACTIONS = st.sampled_from([1.0, 0.5, 0.33, 0.125, 0.999])


@given(st.tuples(DAYS, DAYS).map(sorted), st.lists(st.tuples(DAYS, KINDS), max_size=12), st.none() | DAYS)
def test_chunks_tile_the_absence_however_the_run_dates_fall(bounds, runs, back):
    absence = approved(*bounds)
    if back and back <= absence.end_date:
        absence = apply(absence, interrupted(back))
    taken: list[date] = []
    for run_date, kind in [*runs, (FIRST + timedelta(90), "none")]:
        found = chunks(absence, run_date, kind)
        assert not found or absence.start_date <= run_date
        for chunk in found:
            assert chunk.start <= chunk.end
            taken += [date.fromordinal(n) for n in range(chunk.start.toordinal(), chunk.end.toordinal() + 1)]
            absence = apply(absence, consumed(*chunk))
        assert chunks(absence, run_date, kind) == []
    assert taken == [
        date.fromordinal(n) for n in range(absence.start_date.toordinal(), absence.end_date.toordinal() + 1)
    ]


@given(st.tuples(DAYS, DAYS).map(sorted), DAYS, KINDS)
def test_each_day_due_is_in_the_chunk_of_its_approval_period(bounds, run_date, kind):
    """A plain second reading: a day is due when the absence has begun and its approval period has, too."""
    absence = approved(*bounds)
    by_period: dict[object, list[date]] = {}
    for number in range(absence.start_date.toordinal(), absence.end_date.toordinal() + 1):
        day = date.fromordinal(number)
        week = (day - date(2024, 1, 1)).days // 7
        key = {"none": 0, "weekly": week, "biweekly": week // 2, "monthly": (day.year, day.month)}[kind]
        by_period.setdefault(key, []).append(day)
    today = (run_date - date(2024, 1, 1)).days // 7
    now = {"none": 0, "weekly": today, "biweekly": today // 2, "monthly": (run_date.year, run_date.month)}[kind]
    due = [Period(found[0], found[-1]) for key, found in by_period.items() if key <= now]
    assert chunks(absence, run_date, kind) == (due if absence.start_date <= run_date else [])


@given(st.tuples(DAYS, DAYS).map(sorted), FRACTIONS, st.sampled_from(["holiday", "overtime", "leave"]), DAYS, KINDS)
@settings(deadline=None)
def test_what_is_planned_is_what_will_be_consumed(bounds, fraction, policy_id, run_date, kind):
    home = staff(terms("t-1"), terms("t-1", since=date(2026, 1, 14), norm=[[481, 0, 333, 100, 1, 60, 0]]), country="DK")
    absence = approved(*bounds, fraction=fraction, policy_id=policy_id)
    for chunk in chunks(absence, run_date, kind):
        absence = apply(absence, consumed(*chunk))
    left = absence.unconsumed()
    expected = planned(home, absence)
    if left is None or policy_id == "leave":
        assert expected is None
        return
    later = consume(home, absence, left)
    assert expected == (later.charge.account.account_id, later.amount)
    exact = Fraction(str(fraction))
    numbers = range(left.start.toordinal(), left.end.toordinal() + 1)
    by_day = {day: home.expected_minutes("e", day) for day in map(date.fromordinal, numbers)}
    assert {day.date: day.minutes for day in later.days} == {
        day: floor(minutes * exact) for day, minutes in by_day.items() if minutes
    }
    per_day = floor(100 * exact + Fraction(1, 2))
    assert policy_id == "overtime" or {day.amount for day in later.days} <= {per_day}
