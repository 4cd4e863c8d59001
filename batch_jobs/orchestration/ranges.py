"""Ranges of partitions to ask runs for: few runs, each over neighbouring workspaces. Pure."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple


class KeyRange(NamedTuple):
    """Neighbours in a list of keys, both ends included."""

    start: str
    end: str


def covering_ranges(wanted: Collection[str], ordered: Sequence[str], *, at_most: int) -> list[KeyRange]:
    """The ranges that hold all wanted keys, and as few others as possible.

    A run costs seconds, an unneeded key inside its range a millisecond: gaps are bridged, the smallest first, until few
    enough ranges are left.

    Args:
        wanted: what the ranges must hold; keys that are not among `ordered` are left out.
        ordered: all keys, in the order that makes them neighbours.
        at_most: how many ranges.
    """
    places = [place for place, key in enumerate(ordered) if key in wanted]
    if not places:
        return []
    gaps = sorted(pairwise(places), key=lambda gap: gap[0] - gap[1])
    breaks = sorted(gap for gap in gaps[: at_most - 1] if gap[1] - gap[0] > 1)
    starts = [places[0], *(after for _, after in breaks)]
    ends = [*(before for before, _ in breaks), places[-1]]
    return [KeyRange(ordered[start], ordered[end]) for start, end in zip(starts, ends, strict=True)]


def keys_in(found: KeyRange, ordered: Sequence[str]) -> Sequence[str]:
    """The keys of a range; none when an end of it is not among `ordered` any more."""
    try:
        return ordered[ordered.index(found.start) : ordered.index(found.end) + 1]
    except ValueError:
        return []
