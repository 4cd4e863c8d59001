"""init, db-url, and databases that can not be used."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from batch_jobs.settings import Settings
from batch_jobs.store import schema
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.builders import lines
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.conftest import people, write_events
from batch_jobs_tests.deadline import until

OTHERS = """
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'COPY staged%'
"""
HEAVY = ("dagster", "pandas", "alembic", "sqlalchemy", "numpy")
READING = [["due"], ["runs"], ["runs", "show", "0"], ["export", "--workspace", "acme"], ["db-url"]]


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
