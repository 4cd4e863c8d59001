"""Current employment, status and the employment to show (domain 3.1)."""

from datetime import date

from batch_jobs_tests.rules.people import employee, employment, workforce

DAY = date(2024, 5, 15)


def test_an_employment_covers_its_first_and_last_day():
    staff = workforce(employment("e/1", date(2024, 2, 29), date(2024, 3, 31)))
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 1)]
    assert [staff.status("e", day) for day in days] == ["pending", "active", "active", "ended"]
    assert [staff.current_employment("e", day) is not None for day in days] == [False, True, True, False]


def test_of_several_the_one_that_started_last_is_current():
    staff = workforce(
        employment("e/1", date(2023, 1, 1)),
        employment("e/2", date(2024, 1, 1), date(2024, 6, 30)),
        employment("e/3", date(2023, 6, 1)),
    )
    assert staff.current_employment("e", DAY).employment_id == "e/2"
    assert staff.current_employment("e", date(2024, 7, 1)).employment_id == "e/3"


def test_of_two_that_started_together_the_greatest_id_is_current():
    start = date(2024, 1, 1)
    staff = workforce(employment("e/9", start), employment("e/10", start), employment("e/Z", start))
    assert staff.current_employment("e", DAY).employment_id == "e/Z"
    assert workforce(employment("e/9", start), employment("e/10", start)).current_employment(
        "e", DAY
    ).employment_id == ("e/9")


def test_between_two_employments_one_is_pending():
    staff = workforce(
        employment("e/1", date(2023, 1, 1), date(2023, 12, 31)), employment("e/2", date(2024, 9, 1)), employee("e")
    )
    assert staff.status("e", DAY) == "pending"
    assert staff.shown_employment("e", DAY).employment_id == "e/2"
    assert staff.current_employment("e", DAY) is None
    assert staff.last_covered_day("e", DAY) == date(2023, 12, 31)


def test_someone_without_employment_has_ended():
    staff = workforce(employee("e"))
    assert (staff.status("e", DAY), staff.shown_employment("e", DAY)) == ("ended", None)
    assert staff.last_covered_day("e", DAY) is None


def test_pending_shows_the_next_and_ended_the_last():
    past = [
        employment("e/1", date(2020, 1, 1), date(2024, 3, 31)),
        employment("e/2", date(2022, 1, 1), date(2022, 12, 31)),
    ]
    upcoming = [
        employment("e/3", date(2024, 7, 1)),
        employment("e/4", date(2024, 6, 1)),
        employment("e/5", date(2025, 1, 1)),
    ]
    assert workforce(*past).shown_employment("e", DAY).employment_id == "e/1"
    assert workforce(*past, *upcoming).shown_employment("e", DAY).employment_id == "e/4"


def test_a_later_version_leaves_earlier_days_alone():
    staff = workforce(
        employment("e/1", date(2024, 1, 1), job_title="developer"),
        employment("e/1", date(2024, 1, 1), since=date(2024, 5, 1), job_title="architect"),
    )
    assert staff.current_employment("e", date(2024, 4, 30)).job_title == "developer"
    assert staff.current_employment("e", date(2024, 5, 1)).job_title == "architect"


def test_an_end_moved_from_a_day_on_counts_from_that_day():
    """The version of 1 May ends the employment on 31 March: it was in force in April, by the version before."""
    staff = workforce(
        employment("e/1", date(2024, 1, 1)),
        employment("e/1", date(2024, 1, 1), date(2024, 3, 31), since=date(2024, 5, 1)),
    )
    assert staff.status("e", date(2024, 4, 30)) == "active"
    assert staff.status("e", date(2024, 5, 1)) == "ended"
    assert staff.last_covered_day("e", DAY) == date(2024, 4, 30)


def test_an_employment_given_to_another_employee_leaves_the_first():
    staff = workforce(
        employment("a/1", date(2024, 1, 1)),
        employment("a/1", date(2024, 1, 1), since=date(2024, 5, 1), employee_id="b"),
    )
    before, after = date(2024, 4, 30), date(2024, 5, 1)
    assert [staff.status("a", before), staff.status("a", after)] == ["active", "ended"]
    assert [staff.status("b", before), staff.status("b", after)] == ["ended", "active"]


def test_an_employment_that_ends_before_it_starts_covers_nothing():
    staff = workforce(employment("e/1", date(2024, 6, 1), date(2024, 5, 1)))
    assert staff.current_employment("e", date(2024, 5, 20)) is None
    assert staff.employment_periods("e") == []


def test_an_employment_to_the_end_of_the_calendar():
    staff = workforce(employment("e/1", date(2024, 1, 1), date.max))
    assert staff.status("e", date.max) == "active"
    assert staff.current_employment("e", date.max).employment_id == "e/1"
    assert staff.employment_periods("e")[0].valid_to == date.max
