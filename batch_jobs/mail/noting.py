"""Notes what became of claimed messages, while others are under way."""

import time
from collections.abc import Sequence
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from uuid import UUID

from batch_jobs.engine.transient import patiently
from batch_jobs.mail.outbox import LEASE, Settled, extend, settle
from batch_jobs.store.database import Database

# Not with each answer: that would write the rows that wait over and over.
EXTENDED_AFTER = LEASE.total_seconds() / 5


class Notes:
    """A context in which answers are noted as soon as they are known: all that came while one transaction lasted are
    the next. What is not noted yet is repeated when the worker is killed. Its end waits for the last of them. The lease
    is kept alive meanwhile.

    Args:
        database: where.
        workspaces: whose messages.
        lease: that holds the messages.

    Raises:
        Exception: the answers can not be noted, even after a database in trouble had its time.
    """

    def __init__(self, database: Database, workspaces: Sequence[str], lease: UUID) -> None:
        self._database = database
        self._workspaces = workspaces
        self._lease = lease
        self._coming: SimpleQueue[Settled | None] = SimpleQueue()
        self._thread = Thread(target=self._note_all, name="notes", daemon=True)
        self._extended_at = time.monotonic()
        self._error: BaseException | None = None

    def __enter__(self) -> "Notes":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._coming.put(None)
        self._thread.join()
        if self._error and error is None:
            raise self._error

    def add(self, settled: Settled) -> None:
        """Note this one."""
        if self._error:
            raise self._error
        self._coming.put(settled)

    def _note_all(self) -> None:
        more = True
        while more:
            come = self._wait()
            more = None not in come
            try:
                patiently(partial(self._note, [one for one in come if one is not None]))
            except BaseException as error:
                self._error = error
                return

    def _wait(self) -> list[Settled | None]:
        """What has come, or nothing when it is time to extend the lease: a server may take long for its answer."""
        try:
            come = [self._coming.get(timeout=EXTENDED_AFTER)]
        except Empty:
            return []
        while not self._coming.empty():
            come.append(self._coming.get())
        return come

    def _note(self, settled: Sequence[Settled]) -> None:
        with self._database.worker(self._workspaces) as connection:
            if settled:
                settle(connection, self._lease, settled)
            if time.monotonic() >= self._extended_at + EXTENDED_AFTER:
                extend(connection, self._lease)
                self._extended_at = time.monotonic()
