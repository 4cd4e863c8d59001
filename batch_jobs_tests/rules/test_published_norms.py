"""Which weeks of expected minutes are published when (domain 6.1)."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.rules.errors import UndefinedReferenceError
from batch_jobs.rules.published_norms import NormPublisher, PublishedWeek, window
from batch_jobs_tests.rules.people import calendar, employment, terms, workforce

HIRED = date(2024, 1, 1)
PART_TIME = [[222] * 5 + [0, 0]]


def publisher(*more, hired=None, carried=None, country="US"):
    rows = [hired or employment("e/1", HIRED), carried or terms("t-1"), calendar("c", country=country)]
    return NormPublisher(workforce(*rows, *more, default_calendar="c"))


def publish(of, run_date, through_week=None, fingerprint=None, published=None, **how):
    return of.publication(
        "e", run_date, through_week=through_week, fingerprint=fingerprint, published=published or {}, **how
    )


def test_the_window_begins_with_the_week_of_another_iso_year():
    """Thursday 1 January 2026 is in the week of Monday 29 December 2025, week 1 of 2026 (ISO 8601)."""
    mondays = window(date(2026, 1, 1))
    assert (len(mondays), mondays[0], mondays[-1]) == (13, date(2025, 12, 29), date(2026, 3, 23))


def test_the_week_of_thanksgiving():
    """The fourth Thursday of November (5 U.S.C. 6103): the 26th in 2026."""
    assert publisher().week("e", date(2026, 11, 23)) == PublishedWeek(
        date(2026, 11, 23), (444, 444, 444, 0, 444, 0, 0), ((date(2026, 11, 26), "Thanksgiving Day"),)
    )


def test_the_week_in_which_someone_begins():
    of = publisher(hired=employment("e/1", date(2026, 11, 27)))
    assert of.week("e", date(2026, 11, 23)) == PublishedWeek(date(2026, 11, 23), (0, 0, 0, 0, 444, 0, 0), ())


def test_week_after_week_only_the_new_one_is_published():
    of, run_date = publisher(), date(2026, 3, 4)
    first = publish(of, run_date)
    assert [week.monday for week in first.weeks] == window(run_date)
    standing = {week.monday: week for week in first.weeks}
    assert publish(of, run_date, first.through_week, first.fingerprint, standing) is None
    next_week = publish(of, run_date + timedelta(7), first.through_week, first.fingerprint, standing)
    assert [week.monday for week in next_week.weeks] == [date(2026, 6, 1)] == [next_week.through_week]
    assert publish(of, run_date, first.through_week, first.fingerprint, standing, force=True) == first


def test_a_changed_norm_publishes_the_weeks_that_differ():
    of, run_date = publisher(), date(2026, 3, 4)
    first = publish(of, run_date)
    standing = {week.monday: week for week in first.weeks}
    changed = publisher(terms("t-1", since=date(2026, 5, 6), norm=PART_TIME))
    then = publish(changed, run_date, first.through_week, first.fingerprint, standing)
    assert [week.monday for week in then.weeks] == [date(2026, 5, 4) + timedelta(7 * n) for n in range(4)]
    far = publisher(terms("t-1", since=date(2027, 5, 6), norm=PART_TIME))
    moved = publish(far, run_date, first.through_week, first.fingerprint, standing)
    assert (moved.weeks, moved.through_week) == ((), first.through_week)
    assert moved.fingerprint not in (first.fingerprint, then.fingerprint)


def test_a_change_found_on_an_earlier_run_date_takes_the_cursor_back():
    of = publisher()
    late = publish(of, date(2026, 6, 1))
    changed = publisher(terms("t-1", norm=PART_TIME))
    early = publish(changed, date(2026, 3, 4), late.through_week, late.fingerprint)
    assert early.through_week < late.through_week
    again = publish(changed, date(2026, 6, 1), early.through_week, early.fingerprint)
    assert again.through_week == late.through_week


def test_the_fingerprint_is_about_norms_and_calendars_alone():
    usual = publisher().fingerprint("e")
    assert publisher(employment("e/1", HIRED, since=date(2026, 3, 1), job_title="Smith")).fingerprint("e") == usual
    assert publisher(terms("t-1", since=date(2026, 3, 1), name="New")).fingerprint("e") == usual
    assert publisher(calendar("c", since=date(2026, 3, 1), country="US", name="New")).fingerprint("e") == usual
    others = [
        publisher(country="DK"),
        publisher(calendar("c", since=date(2026, 3, 1), country="US", subdivision="TX")),
        publisher(calendar("c", country="US", custom_days=[{"date": "2026-03-02", "name": "x", "fraction": 0.5}])),
        publisher(carried=terms("t-1", norm=PART_TIME)),
        publisher(hired=employment("e/1", HIRED, date(2027, 1, 1))),
    ]
    found = {usual, *(other.fingerprint("e") for other in others)}
    assert len(found) == 6


def test_days_that_can_not_be_told_matter_only_to_the_weeks_that_hold_them():
    of = publisher(
        employment("e/0", date(2015, 1, 1), date(2015, 12, 31), terms_id="t-9"),
        employment("e/2", date(2026, 9, 3), terms_id="t-9"),
    )
    first = publish(of, date(2026, 3, 4))
    assert [week.minutes[0] for week in first.weeks] == [
        week.minutes[0] for week in publish(publisher(), date(2026, 3, 4)).weeks
    ]
    assert publish(of, date(2026, 3, 4), first.through_week, first.fingerprint) is None
    with pytest.raises(UndefinedReferenceError, match='employment "e/2": terms_id "t-9" is not defined'):
        publish(of, date(2026, 6, 10), first.through_week, first.fingerprint)
    known = publisher(
        employment("e/0", date(2015, 1, 1), date(2015, 12, 31), terms_id="t-9"),
        employment("e/2", date(2026, 9, 3), terms_id="t-9"),
        terms("t-9"),
    )
    assert known.fingerprint("e") != first.fingerprint


def test_the_problem_is_that_of_the_last_days():
    past = employment("e/0", date(2015, 1, 1), date(2015, 12, 31), terms_id="t-9")
    assert publisher(past).basis("e").problem is None
    assert publisher().basis("e").problem is None
    problem = publisher(hired=past).basis("e").problem
    assert problem is not None
    assert 'employment "e/0": terms_id "t-9" is not defined' in problem


START = date(2026, 2, 2)


@given(
    st.dates(START, START + timedelta(40)),
    st.none() | st.dates(START, START + timedelta(40)),
    st.lists(st.integers(0, 9), max_size=5),
)
@settings(deadline=None)
def test_who_reads_the_events_knows_every_week_of_every_window(hired, changed, steps):
    """A plain second reading: each day of each window as the workforce expects it, whatever run dates were left out."""
    more = [terms("t-1", since=changed, norm=PART_TIME)] if changed else []
    of = publisher(*more, hired=employment("e/1", hired, hired + timedelta(60)))
    home = workforce(
        employment("e/1", hired, hired + timedelta(60)),
        terms("t-1"),
        *more,
        calendar("c", country="US"),
        default_calendar="c",
    )
    known: dict[date, PublishedWeek] = {}
    run_date, cursor, fingerprint = START, None, None
    for step in [0, *steps]:
        run_date += timedelta(step)
        event = publish(of, run_date, cursor, fingerprint, known)
        if event:
            assert all(week != known.get(week.monday) for week in event.weeks)
            known |= {week.monday: week for week in event.weeks}
            cursor, fingerprint = event.through_week, event.fingerprint
        for monday in window(run_date):
            days = [monday + timedelta(number) for number in range(7)]
            assert known[monday].minutes == tuple(home.expected_minutes("e", day) for day in days)
