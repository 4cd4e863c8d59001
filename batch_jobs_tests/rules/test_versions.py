"""Versions: which value holds on which day (domain 3.0)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.versions import ALWAYS, Versions, earlier

MARCH, JUNE = date(2026, 3, 1), date(2026, 6, 1)
DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 31))
PAIRS = st.lists(st.tuples(st.just(ALWAYS) | DAYS, st.integers(0, 3)), min_size=1, max_size=8)


def test_a_dated_version_leaves_the_days_before_it_alone():
    norm = Versions([(ALWAYS, "full-time"), (MARCH, "half-time")])
    assert norm.on(date(2026, 2, 28)) == "full-time"
    assert norm.on(MARCH) == "half-time"


def test_before_the_first_version_the_earliest_one_holds():
    assert Versions([(JUNE, "second"), (MARCH, "first")]).on(date(2000, 1, 1)) == "first"


def test_of_two_versions_of_one_day_the_later_position_wins():
    assert Versions([(MARCH, "draft"), (MARCH, "final")]).on(MARCH) == "final"


def test_a_definition_without_a_day_replaces_all_that_stood_before():
    versions = Versions([(ALWAYS, 1), (MARCH, 2), (ALWAYS, 3), (JUNE, 4)])
    assert versions == Versions([(ALWAYS, 3), (JUNE, 4)])
    assert versions.on(MARCH) == 3


def test_starts_are_as_defined_and_changes_leave_the_first_out():
    versions = Versions([(JUNE, 2), (MARCH, 1)])
    assert versions.starts() == (MARCH, JUNE)
    assert versions.changes() == (JUNE,)


def test_segments_cover_every_day():
    assert list(Versions([(JUNE, "b"), (MARCH, "a")])) == [(ALWAYS, date(2026, 5, 31), "a"), (JUNE, None, "b")]


def test_segments_are_cut_to_the_days_asked_for():
    versions = Versions([(ALWAYS, "a"), (MARCH, "b"), (JUNE, "c")])
    assert list(versions.between(MARCH, JUNE)) == [(MARCH, date(2026, 5, 31), "b"), (JUNE, JUNE, "c")]
    assert list(versions.between(JUNE, MARCH)) == []


def test_nothing_has_no_versions():
    with pytest.raises(ValueError, match="at least one"):
        Versions([])


def test_derived_versions_merge_equal_neighbours():
    versions = Versions([(ALWAYS, 1), (MARCH, -1), (JUNE, 2)])
    assert versions.map(abs) == Versions([(ALWAYS, 1), (JUNE, 2)])
    assert Versions.always(-1).map(abs) == Versions.always(1)


def test_versions_are_values():
    assert len({Versions.always(1), Versions([(ALWAYS, 1)])}) == 1
    assert Versions.always(1) != 1
    assert repr(Versions.always(1)) == "Versions([(datetime.date(1, 1, 1), 1)])"


def test_the_earlier_of_two_ends():
    assert earlier(None, None) is None
    assert earlier(None, MARCH) == earlier(MARCH, None) == earlier(MARCH, JUNE) == earlier(JUNE, MARCH) == MARCH


@given(PAIRS, DAYS)
def test_the_value_on_a_day_is_that_of_the_latest_definition_in_force(pairs, day):
    standing = pairs
    for index, (valid_from, _) in enumerate(pairs):
        if valid_from == ALWAYS:
            standing = pairs[index:]
    begun = [start for start, _ in standing if start <= day] or [min(start for start, _ in standing)]
    expected = [value for start, value in standing if start == max(begun)][-1]
    assert Versions(pairs).on(day) == expected


@given(PAIRS, DAYS, DAYS)
def test_segments_tile_the_days_and_agree_with_single_days(pairs, start, end):
    versions = Versions(pairs)
    days = {}
    for first, last, value in versions.between(start, end):
        for offset in range((last - first).days + 1):
            day = first + timedelta(offset)
            assert day not in days
            days[day] = value
    assert days == {start + timedelta(n): versions.on(start + timedelta(n)) for n in range((end - start).days + 1)}


@given(PAIRS, DAYS)
def test_a_mapped_value_is_the_mapped_value_of_the_day(pairs, day):
    odd = Versions(pairs).map(lambda value: value % 2)
    assert odd.on(day) == Versions(pairs).on(day) % 2
    assert all(before != after for before, after in zip(odd.values(), odd.values()[1:], strict=False))
