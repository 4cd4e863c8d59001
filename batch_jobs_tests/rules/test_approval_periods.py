"""Approval periods (domain 3.4). Weeks are those of ISO 8601: Monday first, week 1 holds the first Thursday."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batch_jobs.rules.approval_periods import Period, bounds, next_period, period, periods_between

KINDS = st.sampled_from(["weekly", "biweekly", "monthly"])


@pytest.mark.parametrize(
    ("kind", "day", "start", "end"),
    [
        # ISO 8601: 2024-12-30 is Monday of week 1 of 2025, and 2027-01-03 is Sunday of week 53 of 2026.
        ("weekly", date(2024, 12, 31), date(2024, 12, 30), date(2025, 1, 5)),
        ("weekly", date(2027, 1, 3), date(2026, 12, 28), date(2027, 1, 3)),
        ("weekly", date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 7)),
        ("biweekly", date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 14)),
        ("biweekly", date(2024, 1, 14), date(2024, 1, 1), date(2024, 1, 14)),
        ("biweekly", date(2024, 1, 15), date(2024, 1, 15), date(2024, 1, 28)),
        ("biweekly", date(2023, 12, 31), date(2023, 12, 18), date(2023, 12, 31)),
        ("monthly", date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        ("monthly", date(2023, 2, 1), date(2023, 2, 1), date(2023, 2, 28)),
        ("monthly", date(2100, 2, 10), date(2100, 2, 1), date(2100, 2, 28)),
        ("monthly", date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_the_period_that_holds_a_day(kind, day, start, end):
    assert period(kind, day) == Period(start, end)


def test_without_approval_there_is_no_period():
    assert period("none", date(2024, 1, 1)) is None
    assert list(periods_between("none", date(2024, 1, 1), date(2024, 12, 31))) == []
    assert next_period("none", Period(date(2024, 1, 1), date(2024, 1, 7))) is None


def test_periods_that_an_absence_touches():
    summer = list(periods_between("monthly", date(2024, 6, 28), date(2024, 8, 1)))
    assert [found.start for found in summer] == [date(2024, 6, 1), date(2024, 7, 1), date(2024, 8, 1)]
    assert list(periods_between("weekly", date(2024, 1, 2), date(2024, 1, 1))) == []


@given(KINDS, st.dates())
@example("biweekly", date.min)
@example("weekly", date.max)
@example("biweekly", date.max)
@example("monthly", date.max)
def test_periods_tile_the_calendar(kind, day):
    current = period(kind, day)
    assert current.start <= day <= current.end
    assert period(kind, current.start) == period(kind, current.end) == current
    following = next_period(kind, current)
    assert following is None if current.end == date.max else following.start - current.end == timedelta(1)


@given(st.sampled_from(["weekly", "biweekly"]), st.dates(date(1, 1, 20), date(9999, 12, 1)))
def test_week_periods_are_whole_iso_weeks(kind, day):
    found = period(kind, day)
    assert (found.start.isoweekday(), found.end.isoweekday()) == (1, 7)
    assert (found.end - found.start).days + 1 == {"weekly": 7, "biweekly": 14}[kind]


@given(KINDS, st.dates(date(2020, 1, 1), date(2026, 1, 1)), st.integers(0, 200))
def test_periods_between_are_those_of_the_days(kind, start, length):
    end = start + timedelta(length)
    of_days = dict.fromkeys(period(kind, start + timedelta(offset)) for offset in range(length + 1))
    assert list(periods_between(kind, start, end)) == list(of_days)


def test_bounds_are_those_of_each_kind() -> None:
    assert bounds(date(2024, 1, 10)) == {
        "weekly_start": date(2024, 1, 8),
        "weekly_end": date(2024, 1, 14),
        "biweekly_start": date(2024, 1, 1),
        "biweekly_end": date(2024, 1, 14),
        "monthly_start": date(2024, 1, 1),
        "monthly_end": date(2024, 1, 31),
    }
