"""The keeper: a small process beside the server that stops it when nobody has used it for a while.

`python -m batch_jobs.store.embedded.keeper IDLE_SECONDS BIN_FOLDER`, started in the home, which may be moved or
deleted under it. Imports the standard library only.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from batch_jobs.store.embedded import locks, process
from batch_jobs.store.embedded.binaries import Binaries
from batch_jobs.store.embedded.folders import Folders

KILL_AFTER_SECONDS = 10


class _TimeIsUpError(Exception):
    pass


class Keeper:
    """Watches the server of the working folder.

    Args:
        idle_seconds: how long the server may stay up unused.
        binaries: the programs that the server was started from.
        place: the descriptor of the keeper's lock.
    """

    def __init__(self, idle_seconds: float, binaries: Binaries, *, place: int) -> None:
        self._place = place
        self._idle_seconds = idle_seconds
        self._binaries = binaries
        self._folders = Folders(Path.cwd())
        # Kept open, since it is asked for after the home was deleted too.
        self._server_lock = os.open(self._folders.server_lock, os.O_RDONLY)
        self._socket = self._folders.socket
        self._pid = process.server_pid(self._folders) or 0
        self._sessions: int | None = None
        self._used_at = time.monotonic()

    def keep(self) -> None:
        """Watch until the server has ended."""
        pause = min(max(self._idle_seconds / 10, 0.1), 5.0)
        while True:
            try:
                ended = self._ends_within(pause)
                self._folders = Folders(Path.cwd())  # As it is named now: it may have been moved.
                if not ended:
                    self._look()
                elif self._is_over():
                    return
            except FileNotFoundError:
                if not os.path.exists("postgres/PG_VERSION"):
                    _say("the home was deleted: stopping the database")
                    self._kill()
                    return
                if ended and not _is_named():
                    _say("the disk of the home was taken away, and the database with it")
                    return

    def _is_over(self) -> bool:
        """Whether nobody has started the server again; then give up the keeper's place, before somebody does."""
        fcntl.flock(self._server_lock, fcntl.LOCK_UN)
        with locks.taken(self._folders.change_lock):
            over = process.is_gone(self._folders)
            if over:
                os.close(self._place)
            return over

    def _look(self) -> None:
        """Look once who uses the server, and stop it when the time has come."""
        (self._folders.data / "PG_VERSION").stat()
        self._socket = self._folders.socket
        self._pid = process.server_pid(self._folders) or self._pid
        now = None
        # Under the lock, so that who stops the server does not take this look for a user.
        with locks.taken(self._folders.change_lock):
            unheld = locks.try_take(self._folders.users_lock)
            if unheld is not None:
                os.close(unheld)
                now = process.use(self._folders, self._binaries)
        if now is None or now.clients > 0 or now.sessions != self._sessions:
            self._used_at = time.monotonic()
            self._sessions = now.sessions if now else None
            return
        unused_seconds = time.monotonic() - self._used_at
        if unused_seconds >= self._idle_seconds and process.stop_if_unused(self._folders, self._binaries):
            _say(f"stopped the database, unused for {unused_seconds:.0f} s")

    def _kill(self) -> None:
        """End a server that has lost its files: there is nothing left to end cleanly."""
        # When it ends of its own will it deletes its socket by name, which in a home made anew is another server's.
        made_anew = self._folders.home.exists()
        for sign in (signal.SIGKILL,) if made_anew else (signal.SIGQUIT, signal.SIGKILL):
            if self._pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, sign)
            if self._ends_within(KILL_AFTER_SECONDS):
                break
        if not made_anew:
            shutil.rmtree(self._socket, ignore_errors=True)

    def _ends_within(self, seconds: float) -> bool:
        """Sleep until the server ends, at most some seconds; blocked in the lock, so that its end is seen at once."""
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                fcntl.flock(self._server_lock, fcntl.LOCK_SH)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except _TimeIsUpError:
            return False
        return True


def _is_named() -> bool:
    """Whether the working folder can be found by a path: not when the disk that it is on was unmounted under it."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _time_is_up(_signal: int, _frame: FrameType | None) -> None:
    raise _TimeIsUpError


def _say(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def main() -> None:
    """Run the keeper."""
    signal.signal(signal.SIGALRM, _time_is_up)
    idle_seconds, folder = sys.argv[1:]
    binaries = Binaries(Path(folder), packaged=False)
    Keeper(float(idle_seconds), binaries, place=int(os.environ["LOCK_DESCRIPTOR"])).keep()


if __name__ == "__main__":
    main()
