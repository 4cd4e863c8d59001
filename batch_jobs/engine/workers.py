"""Workers and their heartbeat: how a dead one is noticed, and why one that was given up can write no more."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg

from batch_jobs.engine.job_runs import WORKER_LOST
from batch_jobs.store.database import Database, Transaction

# A heartbeat may come late by a few of these before its worker counts as lost.
BEATS_PER_LIMIT = 6

# A chunk in progress holds a key-share lock on its worker's row, so a worker that still writes is passed over here.
_GIVE_UP = """
    DELETE FROM batch_jobs.workers WHERE worker_id IN (
        SELECT worker_id FROM batch_jobs.workers
        WHERE heartbeat_at < clock_timestamp() - make_interval(secs => %s)
        FOR UPDATE SKIP LOCKED
    )
"""
_FAIL_ORPHANS = """
    UPDATE batch_jobs.job_runs r SET status = 'failed', message = %s, ended_at = clock_timestamp()
    WHERE r.status IN ('pending', 'started')
      AND NOT EXISTS (SELECT FROM batch_jobs.workers w WHERE w.worker_id = r.worker_id)
    RETURNING r.job_run_id::text
"""


class WorkerLostError(Exception):
    """This worker was given up for lost; what it had not committed is void."""


class Worker:
    """This process's share in the ledger while it runs jobs.

    Attributes:
        worker_id: stands on the runs it works on.
        lost: set once the worker has been given up by others.
    """

    def __init__(self, worker_id: UUID) -> None:
        self.worker_id = worker_id
        self.lost = threading.Event()

    def fence(self, connection: Transaction) -> None:
        """Make sure, until the transaction ends, that this worker has not been given up.

        Raises:
            WorkerLostError: it has; the transaction must not commit.
        """
        row = connection.execute(
            "SELECT 1 FROM batch_jobs.workers WHERE worker_id = %s FOR KEY SHARE", [self.worker_id]
        ).fetchone()
        if row is None:
            self.lost.set()
            raise WorkerLostError("this worker did not give a sign of life in time and was given up for lost")


@contextlib.contextmanager
def at_work(database: Database, *, lost_after: float, dagster_run_id: str | None = None) -> Iterator[Worker]:
    """Be a worker for the length of a `with` block: registered, with a heartbeat from a thread of its own.

    Args:
        database: where the ledger is.
        lost_after: seconds without a heartbeat after which others give the worker up.
        dagster_run_id: the Dagster run that it works for.
    """
    worker = Worker(uuid4())
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.workers (worker_id, host, pid, dagster_run_id) VALUES (%s, %s, %s, %s)",
            [worker.worker_id, socket.gethostname(), os.getpid(), dagster_run_id],
        )
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, worker, lost_after / BEATS_PER_LIMIT, done), daemon=True)
    heart.start()
    try:
        yield worker
    finally:
        done.set()
        heart.join()
        with contextlib.suppress(psycopg.Error), database.owner() as connection:
            connection.execute("DELETE FROM batch_jobs.workers WHERE worker_id = %s", [worker.worker_id])


def fail_lost_workers(database: Database, *, lost_after: float) -> list[str]:
    """End the runs of workers without a heartbeat as failed. Returns the ids of those runs.

    Args:
        database: where the ledger is.
        lost_after: seconds without a heartbeat after which a worker counts as lost.
    """
    with database.owner() as connection:
        connection.execute(_GIVE_UP, [lost_after])
        rows = connection.execute(_FAIL_ORPHANS, [WORKER_LOST]).fetchall()
    return [row[0] for row in rows]


def _beat(database: Database, worker: Worker, every: float, done: threading.Event) -> None:
    while not done.wait(every):
        # A database that is away for a moment is no reason to die: the next beat may get through.
        with contextlib.suppress(psycopg.Error), database.owner() as connection:
            alive = connection.execute(
                "UPDATE batch_jobs.workers SET heartbeat_at = clock_timestamp() WHERE worker_id = %s",
                [worker.worker_id],
            ).rowcount
            if not alive:
                worker.lost.set()
                return
