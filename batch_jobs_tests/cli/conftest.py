"""Fixtures for tests of the command line."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from batch_jobs.installation import make_engine
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.builders import Event, employee, employment, event, import_all, lines, of, terms, workspace
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.postgres import Databases

RUN_DATE = date(2026, 3, 2)


@pytest.fixture
def url(make_database: Callable[..., str], migrated: str) -> str:
    """A fresh database with the newest schema."""
    return make_database(migrated)


@pytest.fixture
def cli(tmp_path: Path, url: str) -> CommandLine:
    """The command line on a fresh database."""
    return CommandLine(tmp_path / "home", url)


@pytest.fixture
def opened(url: str) -> Iterator[Database]:
    """The same database, for looking into it."""
    with Database(url) as database:
        yield database


def _fill_office(url: str) -> None:
    with Database(url) as database:
        migrate(database)
        suspended = event("workspace.suspended", workspace_id="gone")
        import_all(database, *people("acme"), *people("beta", good=1, bad=1), *people("idle", good=0))
        import_all(database, *people("gone"), suspended)
        make_engine(database, Settings(home=Path())).catch_up()


@pytest.fixture
def office_url(make_database: Callable[..., str], databases: Databases) -> str:
    """`acme` with two good employees, `beta` with one good and one bad, `idle` with nobody, `gone` suspended."""
    return make_database(databases.template("office", _fill_office))


@pytest.fixture
def office(tmp_path: Path, office_url: str) -> CommandLine:
    """The command line on `office_url`."""
    return CommandLine(tmp_path / "home", office_url)


@pytest.fixture
def office_database(office_url: str) -> Iterator[Database]:
    """The same database, for looking into it."""
    with Database(office_url) as database:
        yield database


def people(workspace_id: str = "acme", *, good: int = 2, bad: int = 0) -> list[Event]:
    """A workspace with employees to start statements for, and some whose terms are not defined."""
    events = [workspace(), terms("t-1", approval_period="weekly")]
    for number in range(1, good + bad + 1):
        chosen = "t-1" if number <= good else "t-missing"
        events += [employee(f"e-{number}"), employment(f"e-{number}/1", terms_id=chosen)]
    return of(workspace_id, *events)


def write_events(file: Path, *events: Event) -> Path:
    file.write_bytes(b"".join(lines(*events)))
    return file
