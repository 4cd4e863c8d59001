"""What is going to happen on which day. Knows days and functions, nothing of what they do."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any


class Agenda:
    """Actions by day. Those of a day run in the order in which they were put down."""

    def __init__(self) -> None:
        self._by_day: defaultdict[date, list[Callable[[], Any]]] = defaultdict(list)
        self._today = date.min

    def add(self, day: date, action: Callable[..., Any], *arguments: Any) -> None:
        """Put an action down for a day, which must not be over.

        An action may put down more for its own day, which runs after what is there.
        """
        assert day >= self._today, f"{day} is over"
        self._by_day[day].append(partial(action, *arguments))

    def run(self, day: date) -> None:
        """Do what is down for the day."""
        self._today = day
        # The list may grow while it is worked through.
        for action in self._by_day[day]:
            action()
        del self._by_day[day]
