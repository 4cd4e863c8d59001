"""Values that hold from a day on (domain 3.0). Knows days and values, nothing of what the values mean."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

ALWAYS = date.min
"""The `valid_from` of a definition without `effective_date`: it replaces all that stood before, for all days."""

ONE_DAY = timedelta(days=1)


class Versions(Generic[T]):
    """The versions of one thing: exactly one value on every day. Immutable.

    Args:
        pairs: `(valid_from, value)` in the order of their positions in the event log, at least one. `ALWAYS` forgets
            every pair before it; of two pairs of one day the later one wins. Pairs sorted by day, each day once, are
            as good.

    Raises:
        ValueError: no pair was given. Something undefined has no versions, it is absent from its mapping.
    """

    __slots__ = ("_starts", "_values")

    def __init__(self, pairs: Iterable[tuple[date, T]]) -> None:
        by_day: dict[date, T] = {}
        for valid_from, value in pairs:
            if valid_from == ALWAYS:
                by_day.clear()
            by_day[valid_from] = value
        if not by_day:
            raise ValueError("versions need at least one value")
        self._starts = tuple(sorted(by_day))
        self._values = tuple(by_day[start] for start in self._starts)

    @classmethod
    def always(cls, value: T) -> "Versions[T]":
        """One value for all days."""
        return cls([(ALWAYS, value)])

    @classmethod
    def piecewise(cls, changes: Iterable[date], value_on: Callable[[date], T]) -> "Versions[T]":
        """The values of a function of the day that changes on no other days than `changes`; equal neighbours merge.

        This is how a value that is derived from several others gets its own versions: join their `changes()`.
        """
        pairs: list[tuple[date, T]] = []
        for day in sorted({ALWAYS, *changes}):
            value = value_on(day)
            if not pairs or (value is not pairs[-1][1] and value != pairs[-1][1]):
                pairs.append((day, value))
        return cls(pairs)

    def map(self, function: Callable[[T], U]) -> "Versions[U]":
        """The function of each value, on the same days; equal neighbours merge."""
        if len(self._values) == 1:
            return Versions(((self._starts[0], function(self._values[0])),))
        return Versions.piecewise(self.changes(), lambda day: function(self.on(day)))

    def on(self, day: date) -> T:
        """The value in force on the day. Before the first version the earliest one holds."""
        if len(self._values) == 1:
            return self._values[0]
        return self._values[max(bisect_right(self._starts, day) - 1, 0)]

    def starts(self) -> tuple[date, ...]:
        """The days from which the versions were defined, ascending; `ALWAYS` for one without a day."""
        return self._starts

    def changes(self) -> tuple[date, ...]:
        """The days on which the value in force may differ from the day before. The first version's day is none."""
        return self._starts[1:]

    def values(self) -> tuple[T, ...]:
        """The values, in the order of their days."""
        return self._values

    def __iter__(self) -> Iterator[tuple[date, date | None, T]]:
        """Segments `(valid_from, valid_to, value)` that together cover every day; the last one has no end.

        The first one begins at `ALWAYS`, since the earliest version holds before its own day too.
        """
        return self.between(ALWAYS, None)

    def between(self, start: date, end: date | None) -> Iterator[tuple[date, date | None, T]]:
        """The segments that touch the days start to end, both included, cut to them. `end` None: without end."""
        last = len(self._values) - 1
        for index in range(max(bisect_right(self._starts, start) - 1, 0), last + 1):
            first_day = max(start, self._starts[index]) if index else start
            if end is not None and first_day > end:
                return
            last_day = end if index == last else earlier(self._starts[index + 1] - ONE_DAY, end)
            yield first_day, last_day, self._values[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Versions):
            return NotImplemented
        return self._starts == other._starts and self._values == other._values

    def __hash__(self) -> int:
        return hash((self._starts, self._values))

    def __repr__(self) -> str:
        return f"Versions({list(zip(self._starts, self._values, strict=True))!r})"


def earlier(one: date | None, other: date | None) -> date | None:
    """The earlier of two last days, where None means that there is no end."""
    if one is None:
        return other
    return one if other is None else min(one, other)
