"""How the server is started, with its keeper: by one process at a time, whatever state the home is in."""

import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from batch_jobs.errors import UnavailableError
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import locks, process
from batch_jobs.store.embedded.account import Tell, server_account
from batch_jobs.store.embedded.binaries import clean_environment, find_binaries
from batch_jobs.store.embedded.cluster import check_version, create_cluster, last_lines
from batch_jobs.store.embedded.configuration import write_configuration
from batch_jobs.store.embedded.detached import start_detached
from batch_jobs.store.embedded.folders import Folders
from batch_jobs.store.embedded.waiting import telling

PACKAGE_ROOT = Path(__file__).resolve().parents[3]
SCARCE_BYTES = 100_000_000


def is_up_and_kept(folders: Folders) -> bool:
    """Whether there is nothing to start: the server is ready, and has a keeper or was started by other hands."""
    return process.is_ready(folders) and (locks.is_taken(folders.keeper_lock) or process.is_gone(folders))


class Starter:
    """Starts the server of a home.

    Args:
        settings: the home, the programs and the idle time.
        configuration: settings of PostgreSQL beyond the usual ones.
        progress: told what is done and waited for.
    """

    def __init__(self, settings: Settings, configuration: Mapping[str, str], progress: Tell | None) -> None:
        self._settings = settings
        self._configuration = configuration
        self._progress = progress
        self._folders = Folders(settings.home)

    def start(self) -> None:
        """Start what is not up yet, and wait until it is ready. Callers hold the users' lock.

        Raises:
            UnavailableError: that is not possible; the text names why and the remedy.
        """
        folders = self._folders
        with locks.taken(folders.change_lock, waiting=telling(self._progress, "another process starts the database")):
            try:
                self._await_what_runs()
                if not process.is_ready(folders):
                    self._start_server()
                if not is_up_and_kept(folders):
                    self._start_keeper()
            except OSError as error:
                raise UnavailableError(
                    f"the database in {folders.home} can not be started: {error.filename or ''} {error.strerror}"
                    f"{self._disk_hint()}"
                ) from error

    def _await_what_runs(self) -> None:
        """Wait until the server is ready, or until nothing is left of it."""
        began = time.monotonic()
        waiting = telling(self._progress, "the database is starting or stopping")
        interrupted = False
        while not process.is_ready(self._folders):
            if process.is_gone(self._folders) and not process.is_run_by_hand(self._folders):
                # PostgreSQL would take any program that has this process id by now for a server on this data.
                (self._folders.data / "postmaster.pid").unlink(missing_ok=True)
                return
            if not interrupted and process.status(self._folders) == "ready" and not process.listens(self._folders):
                # Crashed, and its last processes are about to end; or its home was moved to where its socket is not.
                process.interrupt(self._folders)
                interrupted = True
            waiting(time.monotonic() - began)
            time.sleep(locks.POLL_SECONDS)

    def _start_server(self) -> None:
        folders, tell = self._folders, self._progress or _tell_nobody
        binaries = find_binaries(self._settings.postgres_bin)
        account = server_account(folders.home)
        major = binaries.major_version(account, tell)
        account.reach(folders.data, tell)
        if not folders.data.exists():
            tell(f"making a PostgreSQL {major} database in {folders.data}")
            create_cluster(folders.data, binaries, account, durable=self._configuration.get("fsync") != "off")
        check_version(folders.data, major, binaries)
        account.own_all(folders.data)
        folders.make_socket(account, tell)
        write_configuration(folders.data, folders.socket, self._configuration, account)
        tell("starting the database")
        log_end = start_detached(
            binaries.command("postgres", "-D", folders.data),
            lock=folders.server_lock,
            log=folders.log,
            folder=folders.home,
            environment=clean_environment(),
            credentials=account.credentials,
        )
        self._await_ready(log_end)

    def _await_ready(self, log_end: int) -> None:
        began = time.monotonic()
        waiting = telling(self._progress, "the database starts, or recovers from a crash")
        while not process.is_ready(self._folders):
            if process.is_gone(self._folders):
                with self._folders.log.open("rb") as log:
                    log.seek(log_end)
                    said = log.read().decode(errors="replace")
                raise UnavailableError(
                    f"the database in {self._folders.data} did not start{self._disk_hint()}; the last lines of "
                    f"{self._folders.log}:\n{last_lines(said)}"
                )
            waiting(time.monotonic() - began)
            time.sleep(locks.POLL_SECONDS)

    def _start_keeper(self) -> None:
        idle_seconds, folder = self._settings.postgres_idle_seconds, find_binaries(self._settings.postgres_bin).folder
        start_detached(
            # Without site-packages, which it does not need, it starts twice as fast.
            [sys.executable, "-S", "-m", "batch_jobs.store.embedded.keeper", str(idle_seconds), folder],
            lock=self._folders.keeper_lock,
            log=self._folders.keeper_log,
            folder=self._folders.home,
            environment={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        )

    def _disk_hint(self) -> str:
        free = shutil.disk_usage(self._folders.home).free
        return f"; its disk has only {free // 1_000_000} MB free: make room" if free < SCARCE_BYTES else ""


def _tell_nobody(_text: str) -> None:
    pass
