"""Norms, expected minutes, working and available days (domain 3.3)."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from batch_jobs.rules.errors import UndefinedReferenceError, UnknownCalendarError
from batch_jobs.rules.norms import expected_minutes, mean_weekly_minutes, norm_minutes
from batch_jobs.rules.work_schedules import WorkSchedule, available_days
from batch_jobs_tests.rules.people import calendar, employment, policy, terms, unit, workforce

ALTERNATING = ((444, 444, 444, 444, 444, 0, 0), (300, 300, 300, 300, 0, 60, 0))
HIRED = employment("e/1", date(2024, 1, 1))


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        (date(2024, 1, 1), 444),
        (date(2024, 1, 5), 444),
        (date(2024, 1, 8), 300),
        (date(2024, 1, 12), 0),
        (date(2024, 1, 13), 60),
        (date(2024, 1, 15), 444),
        (date(2023, 12, 31), 0),
        (date(2023, 12, 30), 60),
        (date(2023, 12, 25), 300),
    ],
)
def test_a_norm_repeats_from_2024_01_01_in_both_directions(day, minutes):
    assert norm_minutes(ALTERNATING, day, 1) == [minutes]


def test_a_norm_of_three_weeks_repeats_backwards_in_the_same_order():
    weeks = ((1,) * 7, (2,) * 7, (3,) * 7)
    mondays = [date(2024, 1, 1) + timedelta(weeks=n) for n in range(-4, 4)]
    assert [norm_minutes(weeks, monday, 7)[0] for monday in mondays] == [3, 1, 2, 3, 1, 2, 3, 1]


def test_a_norm_s_mean_week():
    assert mean_weekly_minutes(ALTERNATING) == Fraction(2220 + 1260, 2)


@pytest.mark.parametrize(
    ("fraction", "minutes"),
    [
        (Fraction(1, 2), 222),
        (Fraction(1, 3), 296),
        (Fraction(29, 100), 315),
        (Fraction(35, 100), 288),
        (Fraction(1), 0),
        (Fraction(0), 444),
    ],
)
def test_a_part_holiday_leaves_the_rest_rounded_down(fraction, minutes):
    assert expected_minutes(444, fraction) == minutes


def test_a_fraction_is_exact():
    """In floats 100 * (1 - 0.9) is 9.999999999999998, which would round down to 9."""
    staff = workforce(
        terms("t-1", norm=[[100] * 7]),
        calendar("c", custom_days=[{"date": "2024-05-15", "name": "x", "fraction": 0.9}]),
        HIRED,
        default_calendar="c",
    )
    assert staff.expected_minutes("e", date(2024, 5, 15)) == 10


def test_easter_in_denmark():
    staff = workforce(terms("t-1"), calendar("dk", country="DK"), HIRED, default_calendar="dk")
    assert staff.working_days("e", date(2024, 3, 25), date(2024, 4, 7)) == [
        *(date(2024, 3, day) for day in (25, 26, 27)),
        *(date(2024, 4, day) for day in (2, 3, 4, 5)),
    ]
    assert staff.holidays("e", date(2024, 3, 25), date(2024, 4, 7))[date(2024, 3, 28)].name == "Maundy Thursday"


def test_nothing_is_expected_without_employment():
    staff = workforce(terms("t-1"), employment("e/1", date(2024, 5, 14), date(2024, 5, 15)))
    assert staff.minutes_between("e", date(2024, 5, 13), date(2024, 5, 17)) == [0, 444, 444, 0, 0]
    assert staff.minutes_between("nobody", date(2024, 5, 13), date(2024, 5, 14)) == [0, 0]
    assert staff.minutes_between("e", date(2024, 5, 14), date(2024, 5, 13)) == []
    assert staff.expected_minutes("e", date(2024, 5, 16)) == 0
    assert staff.norm("e", date(2024, 5, 16)) is None
    assert staff.terms("e", date(2024, 5, 16)) is None
    assert staff.calendar("e", date(2024, 5, 16)) is None
    assert staff.approval_period("e", date(2024, 5, 16)) is None


def test_a_change_of_terms_in_march_leaves_february_alone():
    staff = workforce(terms("t-1"), terms("t-1", since=date(2024, 3, 1), norm=[[300] * 5 + [0, 0]]), HIRED)
    assert staff.expected_minutes("e", date(2024, 2, 29)) == 444
    assert staff.expected_minutes("e", date(2024, 3, 1)) == 300


def test_the_work_time_policy_s_norm_comes_first_when_it_has_one():
    staff = workforce(
        terms("t-1", work_time_policy_id="flex"),
        policy("flex"),
        policy("flex", since=date(2024, 3, 1), norm=[[360] * 7]),
        HIRED,
    )
    assert staff.norm("e", date(2024, 2, 29)) == ((444, 444, 444, 444, 444, 0, 0),)
    assert staff.norm("e", date(2024, 3, 1)) == ((360,) * 7,)


def test_the_order_of_calendars():
    calendars = [calendar(name) for name in ("own", "terms", "unit", "parent", "default")]
    tree = [unit("child", "top", holiday_calendar_id="unit"), unit("top", holiday_calendar_id="parent")]

    def named(employment_calendar, terms_calendar, unit_id):
        staff = workforce(
            *calendars,
            *tree,
            unit("plain", "top", holiday_calendar_id="gone"),
            terms("t-1", holiday_calendar_id=terms_calendar),
            employment("e/1", date(2024, 1, 1), org_unit_id=unit_id, holiday_calendar_id=employment_calendar),
            default_calendar="default",
        )
        return staff.calendar("e", date(2024, 5, 15)).calendar_id

    assert named("own", "terms", "child") == "own"
    assert named(None, "terms", "child") == "terms"
    assert named("gone", "gone", "child") == "unit"
    assert named(None, None, "plain") == "parent"
    assert named(None, None, None) == "default"


def test_a_calendar_s_versions_count_from_their_day():
    day = {"date": "2024-05-15", "name": "Jubilee"}
    staff = workforce(
        terms("t-1"),
        calendar("c"),
        calendar("c", since=date(2024, 5, 15), custom_days=[day]),
        HIRED,
        default_calendar="c",
    )
    assert list(staff.holidays("e", date(2024, 5, 1), date(2024, 5, 31))) == [date(2024, 5, 15)]
    assert staff.expected_minutes("e", date(2024, 5, 15)) == 0
    late = workforce(
        terms("t-1"),
        calendar("c"),
        calendar("c", since=date(2024, 5, 16), custom_days=[day]),
        HIRED,
        default_calendar="c",
    )
    assert late.expected_minutes("e", date(2024, 5, 15)) == 444


def test_employments_that_differ_in_one_thing_only_keep_their_own_calendar():
    staff = workforce(
        terms("t-1"),
        *(calendar(name) for name in ("north", "south", "own")),
        unit("u-1", holiday_calendar_id="north"),
        unit("u-2", holiday_calendar_id="south"),
        employment("a/1", date(2024, 1, 1), org_unit_id="u-1"),
        employment("b/1", date(2024, 1, 1), org_unit_id="u-2"),
        employment("c/1", date(2024, 1, 1), org_unit_id="u-1", holiday_calendar_id="own"),
    )
    assert [staff.calendar(who, date(2024, 5, 15)).calendar_id for who in "abc"] == ["north", "south", "own"]


@pytest.mark.parametrize("named_by", ["employment", "terms", "unit", "default"])
def test_a_calendar_s_new_version_counts_whoever_names_it(named_by):
    changed = date(2024, 5, 15)
    named = {"holiday_calendar_id": "c"}
    staff = workforce(
        terms("t-1", **(named if named_by == "terms" else {})),
        unit("u-1", "top"),
        unit("top", **(named if named_by == "unit" else {})),
        calendar("c", name="old"),
        calendar("c", name="new", since=changed),
        employment("e/1", date(2024, 1, 1), org_unit_id="u-1", **(named if named_by == "employment" else {})),
        default_calendar="c" if named_by == "default" else None,
    )
    assert staff.calendar("e", changed - timedelta(1)).name == "old"
    assert staff.calendar("e", changed).name == "new"


def test_undefined_terms_are_a_row_error_that_names_the_remedy():
    staff = workforce(employment("e-12/2", date(2024, 1, 1), terms_id="t-9"), calendar("c"), default_calendar="c")
    expected = (
        'employment "e-12/2": terms_id "t-9" is not defined in workspace "acme"; '
        "import its employment_terms.defined first"
    )
    for ask in (staff.expected_minutes, staff.norm, staff.terms, staff.approval_period):
        with pytest.raises(UndefinedReferenceError) as error:
            ask("e-12", date(2024, 5, 15))
        assert str(error.value) == expected
    assert staff.calendar("e-12", date(2024, 5, 15)).calendar_id == "c"
    assert staff.expected_minutes("e-12", date(2023, 12, 31)) == 0


def test_an_undefined_work_time_policy_is_a_row_error():
    staff = workforce(terms("t-1", work_time_policy_id="w-9"), HIRED)
    with pytest.raises(UndefinedReferenceError, match='employment "e/1": terms "t-1": work_time_policy_id "w-9"'):
        staff.expected_minutes("e", date(2024, 5, 15))
    assert staff.terms("e", date(2024, 5, 15)).terms_id == "t-1"


def test_an_unknown_country_is_a_row_error():
    staff = workforce(terms("t-1"), calendar("c", country="XX"), HIRED, default_calendar="c")
    with pytest.raises(UnknownCalendarError, match='holiday calendar "c": country "XX"'):
        staff.working_days("e", date(2024, 5, 1), date(2024, 5, 31))


def test_equal_norm_and_calendar_share_one_schedule():
    staff = workforce(
        terms("t-1"),
        terms("t-2"),
        employment("a/1", date(2024, 1, 1)),
        employment("b/1", date(2024, 1, 1), terms_id="t-2"),
    )
    year = date(2024, 1, 1), date(2024, 12, 31)
    (_, _, one), (_, _, other) = *staff.schedules("a", *year), *staff.schedules("b", *year)
    assert one is other


def test_minutes_over_several_years_and_a_leap_day():
    schedule = WorkSchedule(((1, 2, 3, 4, 5, 6, 7),), None)
    start, end = date(2023, 12, 30), date(2026, 1, 2)
    minutes = schedule.minutes_between(start, end)
    assert minutes == tuple((start + timedelta(n)).isoweekday() for n in range((end - start).days + 1))
    assert schedule.minutes(date(2024, 2, 29)) == date(2024, 2, 29).isoweekday()
    assert schedule.minutes(date.max) == date.max.isoweekday()


def test_available_days_are_working_days_without_absence():
    staff = workforce(terms("t-1"), HIRED)
    week = date(2024, 5, 13), date(2024, 5, 19)
    monday, tuesday, wednesday, thursday, friday = staff.working_days("e", *week)
    assert staff.available_days("e", *week, []) == [monday, tuesday, wednesday, thursday, friday]
    assert staff.available_days("e", *week, [(tuesday, wednesday), (wednesday, wednesday)]) == [
        monday,
        thursday,
        friday,
    ]
    assert staff.available_days("e", *week, [(thursday, None)]) == [monday, tuesday, wednesday]
    assert available_days([monday], iter([(date(2024, 1, 1), None)])) == []


def test_the_approval_period_is_that_of_the_terms():
    staff = workforce(
        terms("t-1"),
        terms("t-1", since=date(2024, 3, 1), approval_period="weekly"),
        terms("t-1", since=date(2024, 4, 1), approval_period="none"),
        HIRED,
    )
    assert staff.approval_period("e", date(2024, 2, 29)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert staff.approval_period("e", date(2024, 3, 1)) == (date(2024, 2, 26), date(2024, 3, 3))
    assert staff.approval_period("e", date(2024, 4, 1)) is None
