"""The embedded PostgreSQL server, as its users see it: started on demand, up as long as somebody uses it."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

from batch_jobs.errors import UnavailableError
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import holds, locks, process
from batch_jobs.store.embedded.account import Tell
from batch_jobs.store.embedded.binaries import find_binaries
from batch_jobs.store.embedded.cluster import DATABASE, ROLE
from batch_jobs.store.embedded.folders import Folders
from batch_jobs.store.embedded.starting import Starter, is_up_and_kept
from batch_jobs.store.embedded.waiting import telling

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
        holds.hold_for_process(self._folders.users_lock, telling(progress, "waiting for the database to stop"))
        try:
            self._bring_up(progress)
        except UnavailableError:
            holds.give_up(self._folders.users_lock)
            raise

    @contextmanager
    def hold(self, progress: Tell | None = None) -> Iterator[None]:
        """Run the server at least for the length of a `with` block; see `ensure_running`."""
        self._folders.make()
        waiting = telling(progress, "waiting for the database to stop")
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
            process.interrupt(self._folders)
            process.await_end(self._folders, telling(progress, "stopping the database"))
        self._wait_for_keeper()

    def _wait_for_keeper(self) -> None:
        # It ends by itself when the server has ended, unless somebody has started the server again.
        while locks.is_taken(self._folders.keeper_lock) and process.is_gone(self._folders):
            time.sleep(locks.POLL_SECONDS)

    def _bring_up(self, progress: Tell | None) -> None:
        if not is_up_and_kept(self._folders):
            Starter(self._settings, self._configuration, progress).start()
