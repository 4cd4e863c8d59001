"""Workers and their heartbeat: how a dead one is noticed, and why one that was given up can write no more."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg

from batch_jobs.engine.job_runs import WORKER_LOST
from batch_jobs.errors import UnavailableError
from batch_jobs.store.database import Database, Transaction, limit_idle

# A heartbeat may come late by a few of these before its worker counts as lost.
BEATS_PER_LIMIT = 6

# A process that hangs in a transaction (stopped, or cut off from the network) keeps its locks until the database ends
# the transaction, so many limits after the last statement. With the usual 30 s a lost run is free again within 60 s.
IDLE_LIMITS = 1.5

# After the clock was put back, a heartbeat of before would count as recent for as long as it was put back.
_NO_BEAT_TO_COME = (
    "UPDATE batch_jobs.workers SET heartbeat_at = clock_timestamp() WHERE heartbeat_at > clock_timestamp()"
)
# A chunk in progress holds a key-share lock on its worker's row, so a worker that still writes is passed over here.
_GIVE_UP = """
    DELETE FROM batch_jobs.workers WHERE worker_id IN (
        SELECT worker_id FROM batch_jobs.workers
        WHERE heartbeat_at < clock_timestamp() - make_interval(secs => %s)
        FOR UPDATE SKIP LOCKED
    )
"""
# Besides those of workers that were given up, runs whose worker went without a word: its row is gone.
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

    def __init__(self, worker_id: UUID, lost_after: float) -> None:
        self.worker_id = worker_id
        self.lost = threading.Event()
        self._idle_limit = lost_after * IDLE_LIMITS

    def fence(self, connection: Transaction) -> None:
        """Make sure, until the transaction ends, that this worker has not been given up.

        From here on the transaction must not wait for this process for longer than `IDLE_LIMITS` limits at a time.

        Raises:
            WorkerLostError: it has; the transaction must not commit.
        """
        limit_idle(connection, self._idle_limit)
        row = connection.execute(
            "SELECT 1 FROM batch_jobs.workers WHERE worker_id = %s FOR KEY SHARE", [self.worker_id]
        ).fetchone()
        if row is None:
            self.lost.set()
            raise WorkerLostError("this worker did not give a sign of life in time and was given up for lost")


@contextlib.contextmanager
def at_work(database: Database, *, lost_after: float, dagster_run_id: str | None = None) -> Iterator[Worker]:
    """Be a worker for the length of a `with` block: registered, with a heartbeat from a thread of its own.

    Runs that are still active when the block is left in a hurry end as failed.

    Args:
        database: where the ledger is.
        lost_after: seconds without a heartbeat after which others give the worker up.
        dagster_run_id: the Dagster run that it works for.
    """
    worker = Worker(uuid4(), lost_after)
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.workers (worker_id, host, pid, dagster_run_id) VALUES (%s, %s, %s, %s)",
            [worker.worker_id, socket.gethostname(), os.getpid(), dagster_run_id],
        )
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, worker, lost_after / BEATS_PER_LIMIT, done), daemon=True)
    heart.start()
    message = WORKER_LOST
    try:
        yield worker
    except BaseException as error:
        message = f"{WORKER_LOST}: {type(error).__name__}"
        raise
    finally:
        done.set()
        heart.join()
        # Without the database the heartbeat has ended as well, and others will find out.
        with contextlib.suppress(psycopg.Error, UnavailableError), database.owner() as connection:
            connection.execute("DELETE FROM batch_jobs.workers WHERE worker_id = %s", [worker.worker_id])
            connection.execute(_FAIL_ORPHANS, [message])


def fail_lost_workers(database: Database, *, lost_after: float) -> list[str]:
    """End the runs of workers without a heartbeat as failed. Returns the ids of those runs.

    Args:
        database: where the ledger is.
        lost_after: seconds without a heartbeat after which a worker counts as lost.
    """
    with database.owner() as connection:
        connection.execute(_NO_BEAT_TO_COME)
        connection.execute(_GIVE_UP, [lost_after])
        rows = connection.execute(_FAIL_ORPHANS, [WORKER_LOST]).fetchall()
    return [row[0] for row in rows]


def _beat(database: Database, worker: Worker, every: float, done: threading.Event) -> None:
    while not done.wait(every):
        # A database that is away for a moment is no reason to die: the next beat may get through.
        with contextlib.suppress(psycopg.Error, UnavailableError), database.owner() as connection:
            alive = connection.execute(
                "UPDATE batch_jobs.workers SET heartbeat_at = clock_timestamp() WHERE worker_id = %s",
                [worker.worker_id],
            ).rowcount
            if not alive:
                worker.lost.set()
                return
