"""The embedded server: it starts, is reached by its URL, stops, and says why when it can not."""

import subprocess
import time

import psycopg
import pytest
import sqlalchemy

from batch_jobs.errors import UnavailableError
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.binaries import find_binaries
from batch_jobs_tests.postgres import machine_binaries
from batch_jobs_tests.store.embedded_users import Homes


@pytest.mark.every_postgres
def test_starts_keeps_data_and_stops(homes: Homes) -> None:
    server = homes.server()
    assert not server.is_running()
    told: list[str] = []
    server.ensure_running(told.append)
    assert server.is_running()
    assert any("making a PostgreSQL" in text for text in told)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    server.stop()
    assert not server.is_running()
    told.clear()
    server.ensure_running(told.append)
    assert told == ["starting the database"]
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


@pytest.mark.every_postgres
def test_database_is_utf8_in_locale_c_with_checksums(homes: Homes) -> None:
    server = homes.running()
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype, current_setting('data_checksums'),"
            " current_setting('TimeZone'), current_setting('listen_addresses'), current_setting('jit')"
            " FROM pg_database WHERE datname = current_database()"
        )
        assert row.fetchone() == ("UTF8", "C", "C", "on", "UTC", "", "off")


@pytest.mark.every_postgres
def test_url_serves_psql_and_both_drivers_whatever_the_users_variables(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "elsewhere.example")
    monkeypatch.setenv("PGDATA", "/nowhere")
    server = homes.running("a home, 100% spaced é")
    query = "SELECT current_database() || ' ' || current_user"
    expected = "batch_jobs batch_jobs"
    psql = [find_binaries(homes.binaries).folder / "psql", "-XAt", server.url, "-c", query]
    assert subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip() == expected
    with psycopg.connect(server.url) as connection:
        assert connection.execute(query).fetchone() == (expected,)
    engine = sqlalchemy.create_engine(server.url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.connect() as connection_2:
        assert connection_2.execute(sqlalchemy.text(query)).scalar() == expected
    engine.dispose()


def test_variables_of_the_user_do_not_reach_its_programs(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    homes.fill()
    monkeypatch.setenv("PGOPTIONS", "-c no_such_setting=1")
    monkeypatch.setenv("LC_ALL", "no_such_locale")
    server = homes.server()
    server.ensure_running()
    assert server.stop_if_unused()


def test_files_are_private(homes: Homes) -> None:
    homes.running()
    home = homes.settings().home
    for folder in ("postgres", "run/socket"):
        assert (home / folder).stat().st_mode & 0o777 == 0o700
        assert (home / folder).stat().st_uid != 0
    assert (home / "run/socket/.s.PGSQL.5432").is_socket()
    allowed = (home / "postgres/pg_hba.conf").read_text().splitlines()
    assert not any(line.startswith("host") and "reject" not in line for line in allowed)


def test_running_server_is_found_in_milliseconds(homes: Homes) -> None:
    server = homes.running()
    began = time.perf_counter()
    for _ in range(20):
        server.ensure_running()
    assert (time.perf_counter() - began) / 20 < 0.01


def test_two_homes_side_by_side_never_meet(homes: Homes) -> None:
    first, second = homes.running("first"), homes.running("second")
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE mine (n int)")
    first.stop()
    with psycopg.connect(second.url) as connection:
        assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)


def test_configuration_reaches_old_homes(homes: Homes) -> None:
    server = homes.running()
    server.stop()
    (homes.settings().home / "postgres/batch_jobs.conf").write_text("work_mem = 1MB\n")
    server.ensure_running()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("32MB",)


def test_interrupted_creation_leaves_nothing_half_done(homes: Homes) -> None:
    half = homes.settings().home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = homes.server()
    server.ensure_running()
    assert server.is_running()
    assert not half.exists()


def test_refuses_data_of_another_major_version(homes: Homes) -> None:
    server = homes.running()
    server.stop()
    version = homes.settings().home / "postgres/PG_VERSION"
    original = version.read_text()
    version.write_text("14\n")
    with pytest.raises(
        UnavailableError, match=r"made by PostgreSQL 14, but .* PostgreSQL 18; set BATCH_JOBS_POSTGRES_B"
    ):
        server.ensure_running()
    version.write_text(original)
    server.ensure_running()


def test_refuses_data_of_the_other_build(homes: Homes) -> None:
    if machine_binaries() is None:
        pytest.skip("no initdb on the PATH: the machine has no PostgreSQL server of its own")
    server = homes.running()
    server.stop()
    other = EmbeddedServer(Settings(home=homes.settings().home, postgres_bin=machine_binaries()))
    with pytest.raises(UnavailableError, match=r"made by PostgreSQL 18, but"):
        other.ensure_running()


def test_names_missing_programs(homes: Homes) -> None:
    (homes.root / "bin").mkdir()
    (homes.root / "bin/psql").touch()
    settings = Settings(home=homes.root / "home", postgres_bin=homes.root / "bin")
    with pytest.raises(UnavailableError, match=r'BATCH_JOBS_POSTGRES_BIN is ".*/bin", where postgres, initdb can not'):
        EmbeddedServer(settings).ensure_running()


def test_names_programs_that_do_not_work(homes: Homes) -> None:
    (homes.root / "bin").mkdir()
    for name in ("postgres", "initdb", "psql"):
        program = homes.root / "bin" / name
        program.write_text("#!/bin/sh\necho wrong architecture; exit 1\n")
        program.chmod(0o755)
    settings = Settings(home=homes.root / "home", postgres_bin=homes.root / "bin")
    with pytest.raises(UnavailableError, match="does not work here: wrong architecture"):
        EmbeddedServer(settings).ensure_running()


def test_names_a_home_that_is_a_file(homes: Homes) -> None:
    (homes.root / "file").touch()
    for home in ("file", "file/home"):
        with pytest.raises(UnavailableError, match=r'/file" is a file; expected a folder; set BATCH_JOBS_HOME'):
            homes.server(home).ensure_running()
        assert not homes.server(home).is_running()


def test_start_that_fails_shows_the_log(homes: Homes) -> None:
    server = homes.running()
    server.stop()
    (homes.settings().home / "postgres/postgresql.auto.conf").write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(UnavailableError, match='invalid value for parameter "shared_buffers": "plenty"'):
        server.ensure_running()


def test_full_disk_is_named(homes: Homes) -> None:
    home = homes.root / "small"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", home]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:
        with pytest.raises(UnavailableError, match="No space left on device"):
            homes.server("small").ensure_running()
    finally:
        subprocess.run(["umount", home], check=True)
