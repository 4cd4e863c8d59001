"""The rows of the projection `employment_periods` (domain 4)."""

from datetime import date

from batch_jobs_tests.rules.people import calendar, employment, policy, terms, unit, workforce

START, MARCH, JUNE = date(2024, 1, 1), date(2024, 3, 1), date(2024, 6, 1)


def days(staff, *columns):
    return [
        (row.valid_from, row.valid_to, *(getattr(row, name) for name in columns))
        for row in staff.employment_periods("e")
    ]


def test_one_version_is_one_row():
    staff = workforce(
        terms("t-1"),
        calendar("dk"),
        employment("e/1", START, JUNE, org_unit_id="web", manager_id="m"),
        default_calendar="dk",
    )
    assert staff.employment_periods("e") == [
        ("e", "e/1", START, JUNE, START, JUNE, "t-1", "web", "m", "dk", "monthly", False)
    ]


def test_an_open_end_stays_open():
    assert days(workforce(terms("t-1"), employment("e/1", START))) == [(START, None)]
    assert workforce().employment_periods("nobody") == []


def test_each_version_has_a_row_also_when_nothing_in_it_changed():
    staff = workforce(terms("t-1"), employment("e/1", START), employment("e/1", START, since=MARCH))
    assert days(staff) == [(START, date(2024, 2, 29)), (MARCH, None)]


def test_the_first_version_holds_before_its_own_day():
    staff = workforce(terms("t-1"), employment("e/1", START, since=MARCH))
    assert days(staff) == [(START, None)]


def test_a_version_that_is_never_in_force_on_its_own_days_has_no_row():
    staff = workforce(terms("t-1"), employment("e/1", START, date(2024, 2, 10)), employment("e/1", JUNE, since=MARCH))
    assert days(staff) == [(START, date(2024, 2, 10)), (JUNE, None)]
    staff = workforce(terms("t-1"), employment("e/1", JUNE), employment("e/1", START, since=MARCH))
    assert days(staff) == [(MARCH, None)]


def test_rows_are_cut_where_the_approval_period_or_the_calendar_changes():
    staff = workforce(
        terms("t-1"),
        terms("t-1", since=MARCH, approval_period="weekly"),
        calendar("dk"),
        calendar("fr"),
        unit("web", "it"),
        unit("it", holiday_calendar_id="dk"),
        unit("it", since=JUNE, holiday_calendar_id="fr"),
        employment("e/1", START, org_unit_id="web"),
    )
    assert days(staff, "approval_period", "holiday_calendar_id") == [
        (START, date(2024, 2, 29), "monthly", "dk"),
        (MARCH, date(2024, 5, 31), "weekly", "dk"),
        (JUNE, None, "weekly", "fr"),
    ]


def test_rows_are_not_cut_where_only_other_values_change():
    staff = workforce(
        terms("t-1", work_time_policy_id="flex"),
        terms("t-1", since=MARCH, work_time_policy_id="flex", norm=[[60] * 7]),
        policy("flex", since=MARCH),
        calendar("dk"),
        calendar("dk", since=JUNE, country="DK"),
        employment("e/1", START),
        default_calendar="dk",
    )
    assert days(staff) == [(START, None)]


def test_undefined_terms_have_no_approval_period_but_a_calendar():
    staff = workforce(calendar("dk"), employment("e/1", START), default_calendar="dk")
    assert days(staff, "approval_period", "holiday_calendar_id") == [(START, None, None, "dk")]


def test_rows_that_share_a_day_with_another_employment_say_so():
    staff = workforce(
        terms("t-1"),
        employment("e/1", START),
        employment("e/1", START, since=JUNE),
        employment("e/2", MARCH, date(2024, 5, 31)),
        employment("e/3", date(2023, 1, 1), date(2023, 12, 31)),
    )
    assert days(staff, "employment_id", "overlaps") == [
        (START, date(2024, 5, 31), "e/1", True),
        (JUNE, None, "e/1", False),
        (MARCH, date(2024, 5, 31), "e/2", True),
        (date(2023, 1, 1), date(2023, 12, 31), "e/3", False),
    ]
