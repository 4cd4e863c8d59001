"""Few ranges that hold what is wanted."""

from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.orchestration.ranges import KeyRange, covering_ranges, keys_in

KEYS = list("abcdefghij")


def test_neighbours_are_one_range() -> None:
    assert covering_ranges({"b", "c", "d"}, KEYS, bridged=0) == [KeyRange("b", "d")]


def test_wide_gaps_make_ranges_and_narrow_ones_are_bridged() -> None:
    wanted = {"a", "c", "d", "j"}
    apart = [KeyRange("a", "a"), KeyRange("c", "d"), KeyRange("j", "j")]
    assert covering_ranges(wanted, KEYS, bridged=0) == apart
    assert covering_ranges(wanted, KEYS, bridged=1) == [KeyRange("a", "d"), KeyRange("j", "j")]
    assert covering_ranges(wanted, KEYS, bridged=4) == [KeyRange("a", "d"), KeyRange("j", "j")]
    assert covering_ranges(wanted, KEYS, bridged=5) == [KeyRange("a", "j")]


def test_no_range_holds_what_is_to_stay_apart() -> None:
    assert covering_ranges({"a", "c"}, KEYS, bridged=5, apart={"b"}) == [KeyRange("a", "a"), KeyRange("c", "c")]
    assert covering_ranges({"a", "c"}, KEYS, bridged=5, apart={"d"}) == [KeyRange("a", "c")]


def test_the_order_given_counts_not_that_of_the_letters() -> None:
    assert covering_ranges({"a", "z"}, ["z", "a", "m"], bridged=4) == [KeyRange("z", "a")]


def test_unknown_keys_are_left_out() -> None:
    assert covering_ranges({"zebra"}, KEYS, bridged=4) == []
    assert keys_in(KeyRange("a", "zebra"), KEYS) == []


@given(st.sets(st.sampled_from(KEYS)), st.integers(0, 6))
def test_nothing_wanted_is_lost_and_no_range_begins_or_ends_with_another(wanted: set[str], bridged: int) -> None:
    found = covering_ranges(wanted, KEYS, bridged=bridged)
    held = [key for one in found for key in keys_in(one, KEYS)]
    assert wanted <= set(held)
    assert len(held) == len(set(held))
    assert len(held) - len(wanted) <= bridged * max(len(wanted) - len(found), 0)
    assert {end for one in found for end in one} <= wanted
