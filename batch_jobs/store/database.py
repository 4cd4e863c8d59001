"""Connections to PostgreSQL: as owner, as worker of some workspaces, as reader of all. No SQL of the domain."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg_pool import ConnectionPool, PoolTimeout

from batch_jobs.errors import BadInputError, UnavailableError
from batch_jobs.store.isolation import READER, WORKER

OLDEST_SERVER = 15
CONNECT_SECONDS = 10
# A process that hangs, or is stopped, must not keep the locks of its transaction for longer.
IDLE_SECONDS = 45
WORKSPACE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Transaction = Connection[tuple[Any, ...]]


class Database:
    """One PostgreSQL database. Opens connections on demand and keeps a few; safe to share between threads.

    Args:
        url: `postgresql://…`; its password never appears in an error.
        application_name: what `pg_stat_activity` shows.
    """

    def __init__(self, url: str, *, application_name: str = "batch_jobs") -> None:
        self.url = url
        self._pool: ConnectionPool[Transaction] = ConnectionPool(
            url,
            kwargs={"application_name": application_name, "connect_timeout": CONNECT_SECONDS},
            min_size=0,
            # Made when they are needed: a chunk under way has one, and another one at times to see whether to stop.
            max_size=16,
            max_idle=60,
            timeout=CONNECT_SECONDS,
            configure=_configure,
            check=ConnectionPool.check_connection,
            open=False,
        )
        self._checked = False

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextlib.contextmanager
    def owner(self) -> Iterator[Transaction]:
        """A transaction of the owner: for the ledger, the schema and what concerns all workspaces.

        Raises:
            UnavailableError: the database can not be reached or is too old.
        """
        with self._connection() as connection, connection.transaction():
            # Whatever role a job's SQL has left behind in the session.
            connection.execute("SET LOCAL ROLE NONE")
            yield connection

    @contextlib.contextmanager
    def worker(self, workspaces: Sequence[str]) -> Iterator[Transaction]:
        """A transaction that sees and writes the rows of these workspaces alone."""
        with self._connection() as connection, connection.transaction():
            set_scope(connection, workspaces, role=WORKER)
            yield connection

    @contextlib.contextmanager
    def reader(self) -> Iterator[Transaction]:
        """A read-only transaction over every workspace, for need-checks."""
        with self._connection() as connection, connection.transaction():
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(READER)))
            connection.execute("SET TRANSACTION READ ONLY")
            yield connection

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Transaction]:
        if not self._checked:
            self.check_reachable()
            self._pool.open()
            self._checked = True
        try:
            connection = self._pool.getconn()
        except PoolTimeout as error:
            raise self._unreachable(error) from error
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def check_reachable(self) -> None:
        """Connect once without the pool, which would hide the reason and try for long.

        Raises:
            UnavailableError: the database can not be reached or is too old.
        """
        try:
            with psycopg.connect(self.url, connect_timeout=CONNECT_SECONDS) as connection:
                version = connection.info.server_version
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            raise self._unreachable(error) from error
        if version < OLDEST_SERVER * 10_000:
            raise UnavailableError(
                f"the database server is PostgreSQL {version // 10_000}; expected {OLDEST_SERVER} or newer: "
                "upgrade it, or unset BATCH_JOBS_DATABASE_URL to use the embedded one"
            )

    def _unreachable(self, error: Exception) -> UnavailableError:
        # What libpq says of a malformed URL holds parts of it, the password among them.
        if self.url.partition("://")[2].partition("/")[0].count("@") > 1:
            reason = "an @ in user or password must be written as %40"
        elif isinstance(error, psycopg.ProgrammingError):
            reason = "it is not a valid URL"
        else:
            reason = " ".join(str(error).split())
        return UnavailableError(
            f"the database {shown_url(self.url)} can not be reached: {reason}; check that it runs and that "
            "BATCH_JOBS_DATABASE_URL is right (`batch-jobs doctor` tells more)"
        )


@contextlib.contextmanager
def as_owner(connection: Transaction) -> Iterator[None]:
    """Let a worker's transaction change the schema, for the length of a `with` block that ends well."""
    connection.execute("SET LOCAL ROLE NONE")
    yield
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(WORKER)))


def limit_idle(connection: Transaction, seconds: float = IDLE_SECONDS) -> None:
    """Let the current transaction end, with its session, where it waits for this process for so long at a time."""
    connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = {round(seconds * 1_000)}")


def set_scope(connection: Transaction, workspaces: Sequence[str], *, role: str | None = None) -> None:
    """Say whose rows the current transaction may touch, and in which role it goes on (None: as it is).

    Raises:
        BadInputError: one of the ids is no workspace id; with a comma inside it would stand for two workspaces.
    """
    for workspace_id in workspaces:
        if not WORKSPACE_ID.fullmatch(workspace_id):
            raise BadInputError(
                f'"{workspace_id}" is no workspace id; expected 1 to 63 of a-z, 0-9 and -, beginning with a-z or 0-9'
            )
    # One statement: there are jobs with a transaction for each of their answers.
    connection.execute(
        "SELECT set_config('batch_jobs.workspaces', %s, true), "
        "set_config('role', coalesce(%s, current_setting('role')), true)",
        [",".join(workspaces), role],
    )


def shown_url(url: str) -> str:
    """The URL as it may be shown: without its password."""
    return re.sub(r"(://[^:/@\s]*):[^/\s]*@", r"\1:***@", re.sub(r"(password=)[^&\s]*", r"\1***", url))


def _configure(connection: Transaction) -> None:
    # Payloads are read by the hundred thousand; this parser takes a third of the time of Python's own.
    from psycopg.types.json import set_json_loads
    from pydantic_core import from_json

    set_json_loads(from_json, connection)
    # What a person sees must not depend on the server's settings.
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute("SET datestyle = 'ISO'")
    # A plan must know how many workspaces a statement is about: one or ten thousand.
    connection.execute("SET plan_cache_mode = force_custom_plan")
    # A rebuild keeps its rows in temporary tables: at the server's 8 MB it took more than twice as long. Memory is
    # taken as it is needed; the limit can not be set any more once there was such a table.
    connection.execute("SET temp_buffers = '128MB'")
    connection.commit()
