"""init, db-url, and databases that can not be used."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from batch_jobs.settings import Settings
from batch_jobs.store import schema
from batch_jobs.store.database import Database
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.cluster import ROLE, SUPERUSER
from batch_jobs_tests.builders import lines
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import people, write_events
from batch_jobs_tests.cli.test_events import count
from batch_jobs_tests.deadline import until
from batch_jobs_tests.postgres import Databases

OTHERS = """
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'COPY staged%'
"""
HEAVY = ("dagster", "pandas", "alembic", "sqlalchemy", "numpy")
READING = [["due"], ["runs"], ["runs", "show", "0"], ["export", "--workspace", "acme"], ["db-url"], ["doctor"]]


@pytest.fixture
def embedded() -> Iterator[CommandLine]:
    """The command line on an installation that is not made yet, with its embedded database."""
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-cli-"))
    yield CommandLine(home)
    EmbeddedServer(Settings(home=home)).stop()
    shutil.rmtree(home)


def test_init_makes_an_installation_and_repeats_harmlessly(embedded: CommandLine) -> None:
    first = embedded("init")
    assert first.code == 0, first
    assert f"schema made, version {schema.newest_version()}" in first.out
    assert f"embedded, in {embedded.home}" in first.out
    assert "batch-jobs sample" in first.out
    assert (embedded.home / "dagster" / "dagster.yaml").exists()
    again = embedded("init")
    assert again.code == 0, again
    assert "already" in again.out
    EmbeddedServer(Settings(home=embedded.home)).stop()
    url = embedded("db-url")
    assert url.out.count("\n") == 1
    with psycopg.connect(url.out.strip()) as connection:
        assert schema.newest_version() in str(connection.execute("TABLE batch_jobs.schema_version").fetchone())


def test_a_database_without_schema_is_refused(tmp_path: Path, make_database: Callable[..., str]) -> None:
    assert CommandLine(tmp_path, make_database())("due").refuses("no batch_jobs schema yet", "batch-jobs init")


def test_a_schema_newer_than_the_code_is_refused(cli: CommandLine, url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE batch_jobs.schema_version SET version_num = '9999'")
    for command in ("due", "init"):
        assert cli(command).refuses("schema version 9999", schema.newest_version(), "install the newer code")


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, "postgresql://anna:secret@127.0.0.1:1/hr")("runs")
    assert ended.refuses("127.0.0.1:1/hr can not be reached", "BATCH_JOBS_DATABASE_URL")
    assert "secret" not in ended.err


def test_a_database_that_is_too_old_is_refused(tmp_path: Path) -> None:
    with OldServer("14.11") as server:
        ended = CommandLine(tmp_path, f"postgresql://anna@127.0.0.1:{server.port}/hr?sslmode=disable")("due")
    assert ended.refuses("PostgreSQL 14", "expected 15 or newer", "upgrade it")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_of_the_database_is_named_and_nothing_is_written(
    cli: CommandLine, opened: Database, databases: Databases
) -> None:
    disk = Path(tempfile.mkdtemp(prefix="batch-jobs-disk-", dir=databases.home))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.decode()}")
    try:
        with small_tablespace(databases, str(opened.url), disk):
            ended = cli("import", "-", stdin=b"".join(lines(*people(good=3000))))
        assert ended.refuses("the disk of the database is full", "nothing was written", "make room")
        assert count(opened, "batch_jobs.events") == 0
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@contextmanager
def small_tablespace(databases: Databases, url: str, disk: Path) -> Iterator[None]:
    """Let a database keep its temporary tables, on which an import is staged, on a small disk."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    place = disk / "tablespace"
    place.mkdir(mode=0o777)
    shutil.chown(place, (databases.home / "postgres").owner())
    with psycopg.connect(databases.server.url_of("postgres", SUPERUSER), autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small OWNER {ROLE} LOCATION '{place}'")
        connection.execute("GRANT CREATE ON TABLESPACE small TO PUBLIC")
        connection.execute(f"ALTER DATABASE {name} SET temp_tablespaces = 'small'")
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} RESET temp_tablespaces")
            connection.execute("DROP TABLESPACE small")


class OldServer:
    """Greets as a PostgreSQL server of a version does, and says no more.

    Args:
        version: what it calls itself.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "OldServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake a thread that waits for a client.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        settings = {"server_version": self._version, "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        greeting = _message(b"R", struct.pack("!i", 0))
        for name, value in settings.items():
            greeting += _message(b"S", f"{name}\0{value}\0".encode())
        greeting += _message(b"K", struct.pack("!ii", 1, 1)) + _message(b"Z", b"I")
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                client.recv(4096)
                client.sendall(greeting)
                client.recv(4096)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def test_a_database_that_goes_away_is_told_of(cli: CommandLine, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as killer:
        # It waits in the middle of its transaction for more of its input.
        command = cli.start("import", "-", stdin=subprocess.PIPE)
        assert command.stdin is not None
        command.stdin.write(b"".join(lines(*people(good=2000))))
        command.stdin.flush()
        until(lambda: killer.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}").fetchall())
        _, err = command.communicate()
    assert command.returncode == 2
    assert b"the connection to the database was lost" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_commands_load_no_heavy_library(cli: CommandLine, tmp_path: Path, arguments: list[str]) -> None:
    cli("import", write_events(tmp_path / "people.jsonl", *people()))
    probe = (
        "import sys, atexit\n"
        f"sys.argv = ['batch-jobs', *{arguments!r}]\n"
        f"atexit.register(lambda: print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr))\n"
        "from batch_jobs.cli import main\n"
        "main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", probe], env=cli.environment, capture_output=True, text=True, check=False
    )
    assert ended.stderr.splitlines()[-1].strip() == ""
