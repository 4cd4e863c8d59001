"""When a statement is to be handed in and from when on it is overdue (domain 6.1)."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.approval_periods import Period, period
from batch_jobs.rules.statement_deadlines import deadline, overdue_day
from batch_jobs_tests.rules.people import calendar, employment, terms, workforce

HIRED = date(2024, 1, 1)


def staff(country=None, end=None, norm=None):
    return workforce(
        employment("e/1", HIRED, end),
        terms("t-1", **({"norm": norm} if norm else {})),
        calendar("c", country=country),
        default_calendar="c",
    )


def both(home, of, absences=()):
    return deadline(home, "e", of, absences), overdue_day(home, "e", of, absences)


def test_the_last_and_the_first_working_day():
    """May 2026 ends on a Sunday."""
    assert both(staff(), period("monthly", date(2026, 5, 1))) == (date(2026, 5, 29), date(2026, 6, 1))


def test_over_christmas_in_denmark():
    """The week of 21 December 2026: the 25th is a Friday and a public holiday (borger.dk, "Helligdage")."""
    assert both(staff("DK"), period("weekly", date(2026, 12, 21))) == (date(2026, 12, 24), date(2026, 12, 28))


def test_thanksgiving_is_no_deadline():
    """26 November 2026, the fourth Thursday (5 U.S.C. 6103)."""
    of = Period(date(2026, 11, 13), date(2026, 11, 26))
    assert both(staff("US"), of) == (date(2026, 11, 25), date(2026, 11, 27))


def test_the_month_of_a_leap_day():
    """29 February 2028 is a Tuesday."""
    assert both(staff(), period("monthly", date(2028, 2, 1))) == (date(2028, 2, 29), date(2028, 3, 1))


def test_an_absence_moves_both():
    of = period("monthly", date(2026, 3, 1))
    assert both(staff(), of, [(date(2026, 3, 18), date(2026, 4, 10))]) == (date(2026, 3, 17), date(2026, 4, 13))


def test_without_an_available_day_the_bounds_count():
    of = period("monthly", date(2026, 3, 1))
    assert both(staff(), of, [(date(2026, 2, 1), None)]) == (date(2026, 3, 31), date(2026, 4, 1))
    assert both(staff(norm=[[0] * 7]), of) == (date(2026, 3, 31), date(2026, 4, 1))


def test_someone_who_left_is_asked_on_their_last_day():
    of = period("monthly", date(2026, 3, 1))
    assert both(staff(end=date(2026, 3, 12)), of) == (date(2026, 3, 12), date(2026, 4, 1))


def test_an_available_day_counts_up_to_366_days_ahead():
    of = period("weekly", date(2026, 3, 2))
    last = of.end + timedelta(366)
    assert both(staff(norm=[[100] * 7]), of, [(of.start, last - timedelta(1))])[1] == last
    assert both(staff(norm=[[100] * 7]), of, [(of.start, last)])[1] == of.end + timedelta(1)


@pytest.mark.parametrize("length", [6, 7, 8])
def test_a_week_off_hides_no_day(length):
    of, home = period("monthly", date(2026, 3, 1)), staff(norm=[[100] * 7])
    away = [(of.end - timedelta(length - 1), of.end + timedelta(length))]
    assert both(home, of, away) == (of.end - timedelta(length), of.end + timedelta(length + 1))


def test_the_last_period_of_the_calendar_has_answers():
    assert both(staff(), period("monthly", date.max), [(HIRED, None)]) == (date.max, date.max)


FIRST = date(2026, 11, 20)
DAYS = st.dates(FIRST, FIRST + timedelta(70))
ABSENCES = st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=4)


@given(DAYS, st.sampled_from(["weekly", "biweekly", "monthly"]), ABSENCES, st.none() | DAYS)
@settings(deadline=None)
def test_looking_at_every_day_gives_the_same(day, kind, absences, left):
    """A plain second reading of the contract: list the available days, take the last one and the first one."""
    home, of = staff("DK", left), period(kind, day)
    available = [
        one
        for one in (of.start + timedelta(number) for number in range(450))
        if home.expected_minutes("e", one) > 0
        and not any(first <= one and (last is None or one <= last) for first, last in absences)
    ]
    inside = [one for one in available if one <= of.end]
    later = [one for one in available if of.end < one <= of.end + timedelta(366)]
    assert deadline(home, "e", of, absences) == (inside[-1] if inside else of.end)
    assert overdue_day(home, "e", of, absences) == (later[0] if later else of.end + timedelta(1))
