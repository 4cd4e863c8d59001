"""The longest that one trial may take: a hang ends, and says of which input."""

import signal
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from batch_jobs_tests.fuzz.place import Place

# A trial takes milliseconds, some of them with much text a second.
MOST_SECONDS = 60.0
# Whoever waits again while the trial is being left is interrupted again.
AGAIN_SECONDS = 5.0
_SHOWN = 2_000

P = ParamSpec("P")
T = TypeVar("T")


class HangError(BaseException):
    """A trial took too long. No `Exception`: what is tried would take it for a refusal, or try again."""


def limited(trial: Callable[P, T]) -> Callable[P, T]:
    """The trial, interrupted wherever it is after `MOST_SECONDS`.

    Raises:
        HangError: it was; the text shows the input.
    """

    @wraps(trial)
    def tried(*arguments: P.args, **named: P.kwargs) -> T:
        def interrupt(_signum: int, _frame: object) -> None:
            shown = ", ".join(repr(one) for one in (*arguments, *named.values()) if not isinstance(one, Place))
            raise HangError(f"{trial.__name__} took more than {MOST_SECONDS:g} s for: {shown[:_SHOWN]}")

        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS, AGAIN_SECONDS)
        try:
            return trial(*arguments, **named)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return tried
