"""Real PostgreSQL servers for tests, and fresh databases on them in milliseconds."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.cluster import ROLE, SUPERUSER

EMBEDDED = "embedded"
MACHINE = "machine"

# Nobody misses a test's data after a power loss.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def machine_binaries() -> Path | None:
    """The bin folder of the machine's own PostgreSQL: where the `initdb` on the PATH really is."""
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def binaries_of(build: str) -> Path | None:
    """`Settings.postgres_bin` for a build, `embedded` or `machine`."""
    return machine_binaries() if build == MACHINE else None


class Databases:
    """A server of its own, in a temporary home, that makes databases for tests.

    Args:
        binaries: folder of PostgreSQL programs, None for those of the Python package.
    """

    def __init__(self, binaries: Path | None) -> None:
        # Not pytest's tmp_path, which root keeps to itself and whose path may be too long for a socket.
        self.home = Path(tempfile.mkdtemp(prefix="batch-jobs-tests-"))
        self.settings = Settings(home=self.home, postgres_bin=binaries, postgres_idle_seconds=60)
        self.server = EmbeddedServer(self.settings, configuration=FAST)
        self._templates: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.server.ensure_running()

    def make_database(self, template: str | None = None) -> str:
        """Make a fresh database, owned by the application's role.

        Args:
            template: what `template` gave, None for an empty database.

        Returns:
            Its URL.
        """
        name = f"test_{next(self._numbers)}"
        # Copied as files: six times as fast as by the log, which a crash would need.
        statement = "CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy"
        self._superuser(statement, name, template or "template0", ROLE)
        return self.server.url_of(name)

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """Give the template of a name, filled once a session.

        Args:
            name: the template's name.
            fill: fills the database of the URL that it is given, and leaves no connection to it open.
        """
        if name not in self._templates:
            template = f"template_{name}"
            self._superuser("CREATE DATABASE {} TEMPLATE template0 OWNER {}", template, ROLE)
            fill(self.server.url_of(template))
            self._templates[name] = template
        return self._templates[name]

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        self._superuser("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(name))

    def close(self) -> None:
        """Stop the server and delete its home."""
        self.server.stop()
        shutil.rmtree(self.home)

    def _superuser(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.url_of("postgres", SUPERUSER), autocommit=True) as connection:
            connection.execute(SQL(statement).format(*map(Identifier, names)))


class Servers:
    """The servers of one test process: each started when a test first needs it."""

    def __init__(self) -> None:
        self._databases: dict[str, Databases] = {}

    def of(self, build: str) -> Databases:
        """The server of a build, `embedded` or `machine`."""
        if build not in self._databases:
            self._databases[build] = Databases(binaries_of(build))
        return self._databases[build]

    def close(self) -> None:
        """Stop all of them."""
        for databases in self._databases.values():
            databases.close()


def builds(*, every: bool) -> list[str]:
    """The builds that a test runs on.

    Args:
        every: whether the test asks for every one; else it runs on that of `BATCH_JOBS_TEST_POSTGRES`, by default
            the embedded one.
    """
    return [EMBEDDED, MACHINE] if every else [os.environ.get("BATCH_JOBS_TEST_POSTGRES", EMBEDDED)]
