"""The process-wide hold: a shared lock that says that this process uses the server, and that ends with it."""

import os
import threading
from pathlib import Path

from batch_jobs.store.embedded import locks

_held: dict[Path, int] = {}
_guard = threading.Lock()


def hold_for_process(lock: Path, waiting: locks.Waiting | None = None) -> None:
    """Hold a lock until this process ends or gives it up; once held, this costs nothing.

    Programs started by this process do not inherit it, and forked children give it up.
    """
    with _guard:
        held = _held.get(lock)
        if held is not None:
            if locks.is_of(held, lock):
                return
            os.close(_held.pop(lock))  # The home was deleted and made anew.
        _held[lock] = locks.take(lock, shared=True, waiting=waiting)


def give_up(lock: Path) -> None:
    """End this process's hold, if it has one."""
    with _guard:
        held = _held.pop(lock, None)
        if held is not None:
            os.close(held)


def _forget_in_child() -> None:
    global _guard  # noqa: PLW0603 - another thread of the parent may have had it at the fork
    _guard = threading.Lock()
    for held in _held.values():
        os.close(held)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)
