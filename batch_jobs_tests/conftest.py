"""Fixtures that all tests share: a real PostgreSQL server a test process, and a fresh database a test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.postgres import EMBEDDED, MACHINE, Databases, Servers, builds, machine_binaries

# A busy machine is no failure, and what fails shows how to see it again.
settings.register_profile("batch_jobs", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("batch_jobs")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "every_postgres: run on the embedded PostgreSQL and on the machine's own (found by initdb)"
    )
    if not hasattr(config, "workerinput"):
        # Commands of tests run in this clone, which then remembers one of their installations. The process that starts
        # those of pytest-xdist, and outlives them, puts back what it remembered before.
        _keep(PROJECT_FOLDER / ".env", config)


def _keep(file: Path, config: pytest.Config) -> None:
    before = file.read_bytes() if file.exists() else None

    def restore() -> None:
        if before is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes(before)

    config.add_cleanup(restore)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "postgres_build" in metafunc.fixturenames:
        every = metafunc.definition.get_closest_marker("every_postgres") is not None
        metafunc.parametrize("postgres_build", builds(every=every), indirect=True)


@pytest.fixture
def postgres_build(request: pytest.FixtureRequest) -> str:
    """The build to test with, `embedded` or `machine`; both for tests marked `every_postgres`."""
    if request.param == MACHINE and machine_binaries() is None:
        pytest.skip("no initdb on the PATH: the machine has no PostgreSQL server of its own")
    return str(request.param)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    started.close()


@pytest.fixture
def databases(servers: Servers, postgres_build: str) -> Databases:
    """The server of this test process: settings, server, templates."""
    return servers.of(postgres_build)


@pytest.fixture
def make_database(databases: Databases) -> Iterator[Callable[..., str]]:
    """Makes fresh databases, `make_database(template=None) -> url`, and drops them after the test."""
    made: list[str] = []

    def make(template: str | None = None) -> str:
        made.append(databases.make_database(template))
        return made[-1]

    yield make
    for url in made:
        databases.drop_database(url)


@pytest.fixture
def migrated(databases: Databases) -> str:
    """The template with the newest schema, for `make_database(migrated)`."""
    return databases.template("migrated", _migrate)


@pytest.fixture(scope="module")
def shared(servers: Servers) -> Iterator[Database]:
    """One database with the newest schema for all tests and examples of a file; each has workspaces of its own."""
    databases = servers.of(EMBEDDED)
    url = databases.make_database(databases.template("migrated", _migrate))
    with Database(url) as opened:
        yield opened
    databases.drop_database(url)


@pytest.fixture
def database(make_database: Callable[..., str], migrated: str) -> Iterator[Database]:
    """A fresh database with the newest schema and no rows."""
    with Database(make_database(migrated)) as opened:
        yield opened


def _migrate(url: str) -> None:
    with Database(url) as opened:
        migrate(opened)
