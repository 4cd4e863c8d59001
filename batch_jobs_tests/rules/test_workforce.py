"""The workforce against the same rules applied one day at a time, on many small companies."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs_tests.rules.day_by_day import DayByDay
from batch_jobs_tests.rules.people import (
    calendar,
    employee,
    employment,
    policy,
    terms,
    unit,
    user,
    workforce,
)

FIRST = date(2023, 12, 25)
DAYS = [FIRST + timedelta(offset) for offset in range(28)]
EMPLOYEES = ["a", "b"]

day = st.sampled_from(DAYS)
since = st.none() | day


def id_of(*known: str) -> st.SearchStrategy[str | None]:
    """Nothing, one of the ids, or one that is never defined."""
    return st.sampled_from([None, *known, "undefined"])


units = st.builds(
    unit,
    st.sampled_from(["u-1", "u-2", "u-3"]),
    id_of("u-1", "u-2", "u-3"),
    since=since,
    head_id=st.sampled_from([None, "a", "b", "x"]),
    holiday_calendar_id=id_of("c-1", "c-2"),
)
employments = st.builds(
    employment,
    st.sampled_from(["a/1", "a/2", "b/1"]),
    day,
    st.none() | day,
    since=since,
    employee_id=st.sampled_from(EMPLOYEES),
    terms_id=st.sampled_from(["t-1", "t-2", "t-2", "t-1", "undefined"]),
    org_unit_id=id_of("u-1", "u-2", "u-3"),
    manager_id=st.sampled_from([None, None, "a", "x"]),
    holiday_calendar_id=st.sampled_from([None, None, "c-1", "undefined"]),
)
weeks = st.sampled_from([[[100] * 5 + [0, 0]], [[100] * 7, [33] * 7, [444] * 7]])
all_terms = st.builds(
    terms,
    st.sampled_from(["t-1", "t-2"]),
    since=since,
    approval_period=st.sampled_from(["none", "weekly", "monthly"]),
    norm=weeks,
    work_time_policy_id=st.sampled_from([None, None, "w-1", "undefined"]),
    holiday_calendar_id=id_of("c-1", "c-2"),
)
policies = st.builds(policy, st.just("w-1"), since=since, norm=st.none() | weeks)
custom_days = st.fixed_dictionaries(
    {"date": day.map(date.isoformat), "name": st.just("x"), "fraction": st.sampled_from([0, 0.35, 0.9, 1])}
)
calendars = st.builds(
    calendar,
    st.sampled_from(["c-1", "c-2"]),
    since=since,
    country=st.sampled_from([None, "DK"]),
    custom_days=st.lists(custom_days, max_size=3),
)
companies = st.tuples(
    st.lists(employments, min_size=1, max_size=6),
    st.lists(all_terms, min_size=1, max_size=5),
    st.lists(units, max_size=6),
    st.lists(calendars, max_size=4),
    st.lists(policies, max_size=3),
).map(lambda kinds: [row for kind in kinds for row in kind])


@given(companies, id_of("c-1", "c-2"))
@settings(deadline=None)
def test_every_answer_is_that_of_the_single_day(rows, default_calendar):
    staff = workforce(*rows, default_calendar=default_calendar)
    for today in DAYS:
        alone = DayByDay(rows, default_calendar, today)
        for who in EMPLOYEES:
            current, manager = staff.current_employment(who, today), staff.manager(who, today)
            assert (current.employment_id if current else None) == (alone.current(who) or {}).get("employment_id")
            assert staff.status(who, today) == alone.status(who)
            assert manager == alone.manager(who)
            assert manager != who
            calendar_in_force = staff.calendar(who, today)
            expected_calendar = alone.calendar_id(alone.current(who)) if current else None
            assert (calendar_in_force.calendar_id if calendar_in_force else None) == expected_calendar
            minutes = alone.expected_minutes(who)
            if minutes is None:
                with pytest.raises(UndefinedReferenceError):
                    staff.expected_minutes(who, today)
            else:
                assert staff.expected_minutes(who, today) == minutes


@given(companies, id_of("c-1"))
@settings(deadline=None)
def test_period_rows_are_true_on_each_of_their_days_and_miss_none(rows, default_calendar):
    staff = workforce(*rows, default_calendar=default_calendar)
    periods = [row for who in EMPLOYEES for row in staff.employment_periods(who)]
    keys = [(row.employee_id, row.employment_id, row.valid_from) for row in periods]
    assert len(set(keys)) == len(keys)
    for today in DAYS:
        alone = DayByDay(rows, default_calendar, today)
        of_today = [
            row for row in periods if row.valid_from <= today and (row.valid_to is None or today <= row.valid_to)
        ]
        assert sorted(
            (
                row.employee_id,
                row.employment_id,
                row.start_date.isoformat(),
                row.end_date and row.end_date.isoformat(),
                row.terms_id,
                row.org_unit_id,
                row.manager_id,
                row.holiday_calendar_id,
                row.approval_period,
            )
            for row in of_today
        ) == sorted(
            (
                who,
                found["employment_id"],
                found["start_date"],
                found["end_date"],
                found["terms_id"],
                found["org_unit_id"],
                found["manager_id"],
                alone.calendar_id(found),
                alone.approval_period(found),
            )
            for who in EMPLOYEES
            for found in filter(alone.covers, alone.employments(who))
        )
        for who in EMPLOYEES:
            mine = [row for row in of_today if row.employee_id == who]
            assert len(mine) < 2 or all(row.overlaps for row in mine)


@given(companies)
@settings(deadline=None)
def test_rows_overlap_only_where_another_employment_has_a_row(rows):
    staff = workforce(*rows)
    for who in EMPLOYEES:
        periods = staff.employment_periods(who)
        for row in periods:
            others = [other for other in periods if other.employment_id != row.employment_id]
            last = row.valid_to or date.max
            shares_a_day = any(
                other.valid_from <= last and row.valid_from <= (other.valid_to or date.max) for other in others
            )
            assert row.overlaps == shares_a_day


@given(companies)
@settings(deadline=None)
def test_paths_and_descendants_agree(rows):
    staff = workforce(*rows)
    known = ["u-1", "u-2", "u-3", "undefined"]
    for today in DAYS[::9]:
        alone = DayByDay(rows, None, today)
        for name in known:
            path = staff.org_path(name, today)
            assert path == alone.path(name)
            assert len(set(path)) == len(path)
            assert staff.descendants(name, today) == {other for other in known if name in staff.org_path(other, today)}


@given(companies, day, day)
@settings(deadline=None)
def test_days_in_bulk_are_the_days_one_by_one(rows, start, end):
    staff = workforce(*rows, default_calendar="c-1")
    days = [one for one in DAYS if start <= one <= end]
    for who in EMPLOYEES:
        try:
            expected = [staff.expected_minutes(who, one) for one in days]
        except UndefinedReferenceError:
            with pytest.raises(UndefinedReferenceError):
                staff.minutes_between(who, start, end)
            continue
        assert staff.minutes_between(who, start, end) == expected
        assert staff.working_days(who, start, end) == [
            one for one, minutes in zip(days, expected, strict=True) if minutes > 0
        ]


@given(companies, day)
@settings(deadline=None)
def test_the_last_covered_day_is_the_last_active_one(rows, today):
    staff = workforce(*rows)
    for who in EMPLOYEES:
        active = [one for one in DAYS if one <= today and staff.status(who, one) == "active"]
        assert staff.last_covered_day(who, today) == max(active, default=None)


def test_an_employee_s_user_is_the_active_one_with_the_smallest_id():
    staff = workforce(
        employee("e"),
        user("u-3", "e"),
        user("u-2", "e"),
        user("u-1", "e", "suspended"),
        user("u-0", "other"),
        user("u-9", None),
    )
    assert staff.active_user("e", FIRST).user_id == "u-2"
    assert staff.active_user("nobody", FIRST) is None


def test_someone_without_an_active_user_is_stood_for_by_another_one():
    staff = workforce(
        user("u-3", "e"), user("u-1", "e", "suspended"), user("u-2", "f", "invited"), user("u-1b", "f", "expired")
    )
    assert staff.user("e", FIRST).user_id == "u-3"
    assert staff.user("f", FIRST).user_id == "u-1b"
    assert staff.active_user("f", FIRST) is None
    assert staff.user("nobody", FIRST) is None


def test_a_user_linked_to_another_employee_leaves_the_first():
    kind, user_id, _, payload = user("u-1", "e")
    staff = workforce((kind, user_id, None, payload), (kind, user_id, DAYS[5], payload | {"employee_id": "f"}))
    assert staff.active_user("e", DAYS[4]).user_id == "u-1"
    assert staff.user("e", DAYS[5]) is None
    assert staff.active_user("f", DAYS[5]).user_id == "u-1"
