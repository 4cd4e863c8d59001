"""Stopping a Dagster run between chunks of its work, instead of in the middle of one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster import DagsterExecutionInterruptedError
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt


@contextmanager
def stopping_between_chunks() -> Iterator[Callable[[], bool]]:
    """Give the work a question to ask between chunks: has somebody terminated the run?

    When somebody has, the run ends as canceled once the work has returned.
    """
    with capture_interrupts():
        yield check_captured_interrupt
        if check_captured_interrupt():
            raise DagsterExecutionInterruptedError
