"""Start programs that outlive their starter and hold a lock for as long as one of their processes lives."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from batch_jobs.store.embedded import locks
from batch_jobs.store.embedded.account import Credentials

LOG_BYTES = 10_000_000


def start_detached(
    command: Sequence[str | Path],
    *,
    lock: Path,
    log: Path,
    folder: Path,
    environment: Mapping[str, str],
    credentials: Credentials | None = None,
) -> int:
    """Start a program in a session of its own, as a child of init, with its output appended to a log.

    Args:
        command: the program and its arguments.
        lock: taken exclusively and handed to the program, whose children inherit it too: it is free again when the
            last of them has ended.
        log: where its output goes; moved aside beyond 10 MB.
        folder: its working folder.
        environment: all of its environment variables; LOCK_DESCRIPTOR is added, the descriptor that holds the lock.
        credentials: the system user to run it as, where that is another one.

    Returns:
        Where in the log its output begins.
    """
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    held = locks.take(lock)
    try:
        with log.open("ab") as output:
            begin = output.tell()
            # The shell ends at once, so that the program becomes a child of init and never a zombie of ours.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**environment, "LOCK_DESCRIPTOR": str(held)},
                start_new_session=True,
                pass_fds=[held],
                **(credentials or {}),
            )
    finally:
        # Closing ours leaves the program's copy of the lock as it is.
        os.close(held)
    return begin
