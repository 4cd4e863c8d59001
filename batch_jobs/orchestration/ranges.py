"""Ranges of partitions to ask runs for: few runs, each over neighbouring workspaces. Pure."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple


class KeyRange(NamedTuple):
    """Neighbours in a list of keys, both ends included."""

    start: str
    end: str


def covering_ranges(
    wanted: Collection[str], ordered: Sequence[str], *, bridged: int, apart: Collection[str] = ()
) -> list[KeyRange]:
    """The ranges that hold all wanted keys, and no more others than are cheaper than one more range.

    Args:
        wanted: what the ranges must hold; keys that are not among `ordered` are left out.
        ordered: all keys, in the order that makes them neighbours.
        bridged: how many unneeded keys between two wanted ones are taken along.
        apart: keys that no range may hold.
    """
    places = [place for place, key in enumerate(ordered) if key in wanted]
    if not places:
        return []
    barred = [place for place, key in enumerate(ordered) if key in apart]
    breaks = [
        (before, after)
        for before, after in pairwise(places)
        if after - before - 1 > bridged or bisect_left(barred, before) < bisect_left(barred, after)
    ]
    starts = [places[0], *(after for _, after in breaks)]
    ends = [*(before for before, _ in breaks), places[-1]]
    return [KeyRange(ordered[start], ordered[end]) for start, end in zip(starts, ends, strict=True)]


def keys_in(found: KeyRange, ordered: Sequence[str]) -> Sequence[str]:
    """The keys of a range; none when an end of it is not among `ordered` any more."""
    try:
        return ordered[ordered.index(found.start) : ordered.index(found.end) + 1]
    except ValueError:
        return []
