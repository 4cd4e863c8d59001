"""Whether the database is in trouble, in words: what long work steps back for until it is over."""

import time
from collections.abc import Callable

from batch_jobs.store.database import Database, Transaction

# Sessions that wait for a lock for that long are held up by more than a busy moment.
LOCK_SECONDS = 10
# Replicas that far behind show their readers an old state, and hold back the log.
LAG_SECONDS = 30
# Of the connections that are for everybody; beyond it the next users may find none.
CONNECTIONS_PERCENT = 90

LOOK_EVERY = 5.0
# Trouble that stays that long is the usual state of this database, and waiting for its end would end nothing.
LONGEST_PAUSE = 300.0

# Of the sessions of other users, and of replicas, a plain user sees nothing: what is not seen counts as no trouble. One
# who is a member of pg_monitor sees all.
_LOOK = """
    SELECT
        -- A wait for somebody's row is one for the end of his transaction, which belongs to no database. Our own
        -- sessions wait for each other's workspaces, or for one that somebody keeps: who waits as well helps nobody.
        (SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND a.datname = current_database()
           AND a.application_name <> current_setting('application_name')
           AND l.waitstart < clock_timestamp() - make_interval(secs => %(lock_seconds)s)),
        (SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication),
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


def trouble(connection: Transaction) -> dict[str, str]:
    """What troubles the database now, in words by the kind of trouble: `locks`, `replicas`, `connections`."""
    row = connection.execute(_LOOK, {"lock_seconds": LOCK_SECONDS}).fetchone()
    waiting, lag, connections, room = row or (0, None, 0, 1)
    found = {}
    if waiting:
        found["locks"] = f"{waiting:,} sessions have waited for a lock for more than {LOCK_SECONDS} s"
    if lag is not None and lag > LAG_SECONDS:
        found["replicas"] = f"a replica is {lag:,.0f} s behind"
    if connections * 100 >= room * CONNECTIONS_PERCENT:
        found["connections"] = f"{connections:,} of {room:,} connections are in use"
    return found


class Pause:
    """Waits between pieces of work while the database is in trouble.

    Args:
        database: which.
        on_trouble: told what the trouble is, each time it is looked at, and None when it is over.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_trouble: Callable[[str | None], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._on_trouble = on_trouble
        self._sleep = sleep
        self._usual: set[str] = set()

    def __call__(self, should_stop: Callable[[], bool]) -> None:
        """Wait until the trouble is over, for `LONGEST_PAUSE` at the most. What stayed so long is not waited for again
        before it was over once.

        Args:
            should_stop: whether to wait no longer.
        """
        waited = 0.0
        while (found := self._unusual()) and not should_stop():
            self._on_trouble("; ".join(found.values()))
            self._sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            if waited >= LONGEST_PAUSE:
                self._usual.update(found)
        if waited:
            self._on_trouble(None)

    def _unusual(self) -> dict[str, str]:
        with self._database.owner() as connection:
            found = trouble(connection)
        self._usual.intersection_update(found)
        return {kind: text for kind, text in found.items() if kind not in self._usual}
