"""The embedded PostgreSQL server, as its users see it: started on demand, up as long as somebody uses it."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from batch_jobs.errors import UnavailableError
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import holds, locks, process
from batch_jobs.store.embedded.account import Tell, server_account
from batch_jobs.store.embedded.binaries import clean_environment, find_binaries
from batch_jobs.store.embedded.cluster import DATABASE, ROLE, check_version, create_cluster, last_lines
from batch_jobs.store.embedded.configuration import write_configuration
from batch_jobs.store.embedded.detached import start_detached
from batch_jobs.store.embedded.folders import Folders

PACKAGE_ROOT = Path(__file__).resolve().parents[3]
SCARCE_BYTES = 100_000_000
# The server takes a moment to notice that a client has left.
CLOSING_SECONDS = 1.0


class EmbeddedServer:
    """The PostgreSQL of one home.

    Args:
        settings: the home, the programs and the idle time.
        configuration: settings of PostgreSQL beyond the usual ones; they take effect at the next start.
    """

    def __init__(self, settings: Settings, *, configuration: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._configuration = dict(configuration or {})
        self._folders = Folders(settings.home)

    @property
    def url(self) -> str:
        """The application database's URL, for psql, psycopg and (with another scheme) SQLAlchemy."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, role: str = ROLE) -> str:
        """The URL of any database of this server, for any role."""
        # The port is named since libpq would else take PGPORT, which may be that of another server.
        socket = quote(os.fsencode(self._folders.socket), safe="")
        return f"postgresql://{quote(role)}@/{quote(database)}?host={socket}&port=5432"

    def is_running(self) -> bool:
        """Whether the server is up and ready."""
        return process.is_ready(self._folders)

    def ensure_running(self, progress: Tell | None = None) -> None:
        """Start the server unless it runs, and keep it up until this process ends or calls `stop_if_unused`.

        Makes the data folder where there is none, and waits for the recovery from a crash, however long it takes.

        Args:
            progress: told what is waited for.

        Raises:
            UnavailableError: it can not be started; the text names why and the remedy.
        """
        self._folders.make()
        holds.hold_for_process(self._folders.users_lock, _telling(progress, "waiting for the database to stop"))
        try:
            self._bring_up(progress)
        except UnavailableError:
            holds.give_up(self._folders.users_lock)
            raise

    @contextmanager
    def hold(self, progress: Tell | None = None) -> Iterator[None]:
        """Run the server at least for the length of a `with` block; see `ensure_running`."""
        self._folders.make()
        waiting = _telling(progress, "waiting for the database to stop")
        with locks.taken(self._folders.users_lock, shared=True, waiting=waiting):
            self._bring_up(progress)
            yield

    def stop_if_unused(self) -> bool:
        """Give up this process's use of the server, and stop it when no other process or client uses it.

        Returns:
            Whether the server is down.
        """
        if not self._folders.run.is_dir():
            return True
        holds.give_up(self._folders.users_lock)
        binaries = find_binaries(self._settings.postgres_bin)
        stopped = process.stop_if_unused(self._folders, binaries, patience=CLOSING_SECONDS)
        if stopped:
            self._wait_for_keeper()
        return stopped

    def stop(self, progress: Tell | None = None) -> None:
        """Stop the server, whoever uses it, and its keeper."""
        if not self._folders.run.is_dir():
            return
        holds.give_up(self._folders.users_lock)
        with locks.taken(self._folders.change_lock):
            process.stop(self._folders, _telling(progress, "stopping the database"))
        self._wait_for_keeper()

    def _wait_for_keeper(self) -> None:
        # It ends by itself when the server has ended, unless somebody has started the server again.
        while locks.is_taken(self._folders.keeper_lock) and process.is_gone(self._folders):
            time.sleep(locks.POLL_SECONDS)

    def _bring_up(self, progress: Tell | None) -> None:
        folders = self._folders
        if process.is_ready(folders) and (locks.is_taken(folders.keeper_lock) or process.is_gone(folders)):
            return
        with locks.taken(folders.change_lock, waiting=_telling(progress, "another process starts the database")):
            self._await_what_runs(progress)
            try:
                if not process.is_ready(folders):
                    self._start(progress)
                if not locks.is_taken(folders.keeper_lock):
                    self._start_keeper()
            except OSError as error:
                raise UnavailableError(
                    f"the database in {folders.home} can not be started: {error.filename or ''} {error.strerror}"
                    f"{self._disk_hint()}"
                ) from error

    def _await_what_runs(self, progress: Tell | None) -> None:
        """Wait until the server is ready, or until nothing is left of it."""
        began = time.monotonic()
        waiting = _telling(progress, "the database is starting or stopping")
        interrupted = False
        while not process.is_ready(self._folders):
            listens = process.listens(self._folders)
            if process.is_gone(self._folders) and not listens:
                return
            if process.status(self._folders) == "ready" and not listens and not interrupted:
                # Crashed, and its last processes are about to end; or its home was moved to where its socket is not.
                process.interrupt(self._folders)
                interrupted = True
            waiting(time.monotonic() - began)
            time.sleep(locks.POLL_SECONDS)

    def _start(self, progress: Tell | None) -> None:
        tell = progress or (lambda _: None)
        folders = self._folders
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
        # Nothing runs here, as the lock and the socket say; the process id in the file may be another program's.
        (folders.data / "postmaster.pid").unlink(missing_ok=True)
        tell("starting the database")
        log_end = folders.log.stat().st_size if folders.log.exists() else 0
        start_detached(
            binaries.command("postgres", "-D", folders.data),
            lock=folders.server_lock,
            log=folders.log,
            folder=folders.home,
            environment=clean_environment(),
            credentials=account.credentials,
        )
        self._await_ready(log_end, progress)

    def _await_ready(self, log_end: int, progress: Tell | None) -> None:
        began = time.monotonic()
        waiting = _telling(progress, "the database starts, or recovers from a crash")
        while not process.is_ready(self._folders):
            if process.is_gone(self._folders):
                with self._folders.log.open("rb") as log:
                    log.seek(min(log_end, self._folders.log.stat().st_size))
                    said = log.read().decode(errors="replace")
                raise UnavailableError(
                    f"the database in {self._folders.data} did not start{self._disk_hint()}; the last lines of "
                    f"{self._folders.log}:\n{last_lines(said)}"
                )
            waiting(time.monotonic() - began)
            time.sleep(locks.POLL_SECONDS)

    def _start_keeper(self) -> None:
        binaries = find_binaries(self._settings.postgres_bin)
        start_detached(
            # Without site-packages, which it does not need, it starts twice as fast.
            [
                sys.executable,
                "-S",
                "-m",
                "batch_jobs.store.embedded.keeper",
                str(self._settings.postgres_idle_seconds),
                binaries.folder,
            ],
            lock=self._folders.keeper_lock,
            log=self._folders.keeper_log,
            folder=self._folders.home,
            environment=dict(os.environ) | {"PYTHONPATH": str(PACKAGE_ROOT)},
        )

    def _disk_hint(self) -> str:
        free = shutil.disk_usage(self._folders.home).free
        return f"; its disk has only {free // 1_000_000} MB free: make room" if free < SCARCE_BYTES else ""


def _telling(progress: Tell | None, text: str) -> locks.Waiting:
    """Report a wait after its first second and then every five."""
    due = 1.0

    def waiting(seconds: float) -> None:
        nonlocal due
        if progress is not None and seconds >= due:
            progress(f"{text} ({seconds:.0f} s)")
            due = seconds + 5

    return waiting
