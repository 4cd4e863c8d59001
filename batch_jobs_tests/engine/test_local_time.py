"""Midnight and start times where clocks change, held against all instants of the days around."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from batch_jobs.engine.local_time import start_instant, start_of_day, today

# Clocks that skip midnight (Cairo, Santiago, Havana), show it twice (Havana), change at 2 or 3 o'clock, or never.
CHANGES = [
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 5)),
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("Pacific/Auckland", date(2026, 4, 5)),
    ("Europe/Copenhagen", date(2026, 3, 29)),
    ("Europe/Copenhagen", date(2026, 10, 25)),
    ("Pacific/Honolulu", date(2026, 11, 23)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
]


@pytest.mark.parametrize(("zone", "changed"), CHANGES)
def test_a_day_begins_at_its_first_instant(zone, changed):
    for day in (changed - timedelta(days=1), changed, changed + timedelta(days=1)):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        instants = (noon + timedelta(minutes=5 * step) for step in range(-48 * 12, 48 * 12))
        first = next(instant for instant in instants if instant.astimezone(ZoneInfo(zone)).date() == day)
        assert start_of_day(day, zone) == first
        assert today(first, zone) == day
        assert today(first - timedelta(seconds=1), zone) == day - timedelta(days=1)


def test_a_start_time_that_is_skipped_comes_as_if_it_were_not():
    # 02:00 to 03:00 does not exist: 02:30 comes half an hour after the change, when clocks show 03:30.
    assert start_instant(date(2026, 3, 29), time(2, 30), "Europe/Copenhagen") == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


def test_of_a_start_time_that_is_shown_twice_the_first_counts():
    assert start_instant(date(2026, 10, 25), time(2, 30), "Europe/Copenhagen") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
