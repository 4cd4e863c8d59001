"""File locks: who is alive is asked of locks, which vanish with their holder however it ends, never of process ids."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Called again and again while waiting, with the seconds waited so far.
Waiting = Callable[[float], None]

POLL_SECONDS = 0.02


def try_take(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file, if that is possible at once.

    Args:
        path: the lock file; made when missing.
        shared: whether others may hold the lock in the same way at the same time.

    Returns:
        The descriptor that holds the lock until it is closed, or None when the lock is taken. Programs started
        later do not inherit the descriptor.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if is_of(descriptor, path):
            return descriptor
        os.close(descriptor)  # The file was deleted in between: a lock on it would exclude nobody.


def take(path: Path, *, shared: bool = False, waiting: Waiting | None = None) -> int:
    """Lock a file, waiting as long as it takes; see `try_take`."""
    began = time.monotonic()
    while (descriptor := try_take(path, shared=shared)) is None:
        if waiting is not None:
            waiting(time.monotonic() - began)
        time.sleep(POLL_SECONDS)
    return descriptor


@contextmanager
def taken(path: Path, *, shared: bool = False, waiting: Waiting | None = None) -> Iterator[None]:
    """Hold a lock for the length of a `with` block."""
    descriptor = take(path, shared=shared, waiting=waiting)
    try:
        yield
    finally:
        os.close(descriptor)


def is_taken(path: Path) -> bool:
    """Whether somebody holds the lock exclusively."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at the same moment do not see each other.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_of(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that the path names now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
