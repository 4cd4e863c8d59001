"""Ctrl-C during a job run: the first lets the current chunk end, the second breaks off."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from batch_jobs.cli.output import note

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_on_signal() -> Iterator[Callable[[], bool]]:
    """Give the work a question to ask between chunks: has somebody asked to stop?"""
    asked = threading.Event()

    def ask(signum: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        note("stopping after the current chunk; Ctrl-C again breaks it off and undoes it")

    before = {signum: signal.signal(signum, ask) for signum in SIGNALS}
    try:
        yield asked.is_set
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
