"""That a home has one `up` at the most: two would have two schedulers, and each would start everything once more."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.store.embedded.locks import is_taken, try_take

LOCK = "up.lock"


def check_alone(home: Path) -> None:
    """Look whether `up` runs on a home already, which need not be there yet.

    Raises:
        UnavailableError: it does; the text says where.
    """
    if is_taken(home / LOCK):
        raise _runs_already(home)


@contextmanager
def alone(home: Path, url: str) -> Iterator[None]:
    """Keep others from running `up` on a home, for the length of a `with` block or until this process is killed.

    Args:
        home: a folder that is there.
        url: of the web UI, for those who are refused.

    Raises:
        UnavailableError: somebody else runs it; the text says where.
    """
    lock = try_take(home / LOCK)
    if lock is None:
        raise _runs_already(home)
    try:
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()}, web UI at {url}".encode())
        yield
    finally:
        os.close(lock)


def _runs_already(home: Path) -> UnavailableError:
    return UnavailableError(
        f"`batch-jobs up` runs already on the home {home} ({(home / LOCK).read_text()}); use that one, or end it first "
        "by Ctrl-C where it was started, or by: kill PROCESS"
    )
