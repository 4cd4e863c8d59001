"""The running server: whether it is ready, who uses it, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from batch_jobs.store.embedded import locks
from batch_jobs.store.embedded.binaries import Binaries, clean_environment
from batch_jobs.store.embedded.cluster import SUPERUSER
from batch_jobs.store.embedded.folders import SOCKET_NAME, Folders

# Clients connected now, and sessions begun since the server's statistics began. Nobody works in "postgres".
USE_QUERY = """
SELECT (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type IN ('client backend', 'walsender') AND application_name <> 'batch_jobs keeper'),
       (SELECT coalesce(sum(sessions), 0) FROM pg_stat_database WHERE datname <> 'postgres')
"""
STATUS_LINE = 7
# Who asks holds the lock that everybody needs who wants to start or end the server.
ANSWER_SECONDS = 10.0


class Use(NamedTuple):
    """Who uses the server besides those who hold its lock."""

    clients: int
    sessions: int


def status(folders: Folders) -> str:
    """What the server last wrote of itself: `starting`, `ready`, `stopping`, or empty; it may have died since."""
    lines = _pid_file(folders)
    return lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""


def listens(folders: Folders) -> bool:
    """Whether a server takes connections, ready for them or not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(folders.socket / SOCKET_NAME))
        except BlockingIOError:
            return True  # So many want to connect at this moment that they queue.
        except OSError:
            return False
    return True


def is_ready(folders: Folders) -> bool:
    """Whether the server is up and can be used. Takes well under a millisecond."""
    return status(folders) == "ready" and listens(folders)


def is_gone(folders: Folders) -> bool:
    """Whether no process of the server is left, as far as it was started by this package."""
    return not locks.is_taken(folders.server_lock)


def is_run_by_hand(folders: Folders) -> bool:
    """Whether somebody has started a server on the data folder without the lock."""
    pid = server_pid(folders)
    if listens(folders):
        return is_gone(folders)
    try:
        # The process id alone says little: after a crash it may be another program's, even another home's server.
        return is_gone(folders) and pid is not None and folders.data.samefile(f"/proc/{pid}/cwd")
    except OSError:
        return False


def use(folders: Folders, binaries: Binaries) -> Use | None:
    """Count the connected clients and the sessions begun so far, or None when the server does not answer in time."""
    try:
        done = subprocess.run(
            binaries.command(
                *("psql", "-X", "-A", "-t", "-F", " ", "-h", folders.socket, "-p", "5432"),
                *("-U", SUPERUSER, "-c", USE_QUERY),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
            env=clean_environment() | {"PGAPPNAME": "batch_jobs keeper", "PGDATABASE": "postgres"},
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    clients, sessions = done.stdout.split()
    return Use(int(clients), int(sessions))


def server_pid(folders: Folders) -> int | None:
    """The process id of the server, or of the last one when it crashed."""
    lines = _pid_file(folders)
    return int(lines[0]) if lines else None


def interrupt(folders: Folders) -> bool:
    """Ask the server to end cleanly at once, without waiting for its clients; what `pg_ctl stop -m fast` does.

    Returns:
        Whether it was there to be asked. When not, it has crashed, and its last processes end by themselves; or it
        runs in another container that shares the home.
    """
    pid = server_pid(folders)
    if pid is None or is_gone(folders) or not _is_postgres(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    return True


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    except FileNotFoundError:
        # Where there is no /proc there are no containers, and the lock says that it was there a moment ago.
        return not Path("/proc/self").exists()


def await_end(folders: Folders, waiting: locks.Waiting | None = None) -> None:
    """Wait until no process of the server is left."""
    began = time.monotonic()
    while not is_gone(folders):
        if waiting is not None:
            waiting(time.monotonic() - began)
        time.sleep(locks.POLL_SECONDS)
    # Nothing of it stays behind in the temp folder.
    with contextlib.suppress(OSError):
        folders.socket.rmdir()


def stop_if_unused(folders: Folders, binaries: Binaries, patience: float = 0) -> bool:
    """End the server unless a process holds it or a client is connected.

    Whoever wants to use it meanwhile waits, since they hold it first and look then.

    Args:
        folders: the places of the home.
        binaries: the programs that the server was started from.
        patience: seconds to wait for clients to leave.

    Returns:
        Whether the server is down.
    """
    with locks.taken(folders.change_lock):
        unused = locks.try_take(folders.users_lock)
        if unused is None:
            return False
        try:
            patient_until = time.monotonic() + patience
            while not is_gone(folders):
                now = use(folders, binaries)
                if now is not None and now.clients == 0:
                    if not interrupt(folders):
                        return False
                    await_end(folders)
                elif time.monotonic() >= patient_until:
                    return False
                else:
                    time.sleep(locks.POLL_SECONDS)
            return True
        finally:
            os.close(unused)


def _pid_file(folders: Folders) -> list[str]:
    try:
        return (folders.data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []
