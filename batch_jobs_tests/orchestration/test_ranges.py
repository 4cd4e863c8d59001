"""Few ranges that hold what is wanted."""

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.orchestration.ranges import KeyRange, covering_ranges, keys_in

KEYS = list("abcdefghij")


def test_neighbours_are_one_range() -> None:
    assert covering_ranges({"b", "c", "d"}, KEYS, at_most=4) == [KeyRange("b", "d")]


def test_gaps_make_ranges() -> None:
    assert covering_ranges({"a", "c", "d", "j"}, KEYS, at_most=4) == [
        KeyRange("a", "a"),
        KeyRange("c", "d"),
        KeyRange("j", "j"),
    ]


def test_the_smallest_gaps_are_bridged_first() -> None:
    assert covering_ranges({"a", "c", "j"}, KEYS, at_most=2) == [KeyRange("a", "c"), KeyRange("j", "j")]
    assert covering_ranges({"a", "c", "j"}, KEYS, at_most=1) == [KeyRange("a", "j")]


def test_the_order_given_counts_not_that_of_the_letters() -> None:
    assert covering_ranges({"a", "z"}, ["z", "a", "m"], at_most=4) == [KeyRange("z", "a")]


def test_unknown_keys_are_left_out() -> None:
    assert covering_ranges({"zebra"}, KEYS, at_most=4) == []
    assert keys_in(KeyRange("a", "zebra"), KEYS) == []


@given(st.sets(st.sampled_from(KEYS)), st.integers(1, 6))
def test_nothing_wanted_is_lost_and_no_range_begins_or_ends_with_another(wanted: set[str], at_most: int) -> None:
    found = covering_ranges(wanted, KEYS, at_most=at_most)
    held = [key for one in found for key in keys_in(one, KEYS)]
    assert wanted <= set(held)
    assert len(held) == len(set(held))
    assert len(found) <= at_most
    assert {end for one in found for end in one} <= wanted
