"""Which run dates count as missed, and how far all is over."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.engine.missed_dates import done_until, missed

TODAY = date(2026, 11, 23)


@given(behind=st.integers(-5, 40), days_back=st.integers(0, 20))
def test_missed_are_the_days_after_the_cursor_before_today_oldest_first(behind, days_back):
    cursor = TODAY - timedelta(days=behind)
    days = (TODAY - timedelta(days=days_back - number) for number in range(days_back))
    assert missed(TODAY, cursor, days_back=days_back) == [day for day in days if day > cursor]


def test_all_is_over_up_to_the_first_date_with_something_left():
    days = [TODAY - timedelta(days=back) for back in (3, 2, 1, 0)]

    def until(*over):
        return done_until(("acme", day, is_over) for day, is_over in zip(days, over, strict=True)).get("acme")

    assert until(True, True, True, True) == days[2]
    assert until(True, False, True, True) == days[0]
    assert until(False, True, True, True) is None
