"""Fixtures for the tests of the embedded server, and of who may touch whose rows."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batch_jobs.store.database import Database
from batch_jobs.store.embedded.account import server_account
from batch_jobs.store.embedded.binaries import find_binaries
from batch_jobs.store.embedded.cluster import create_cluster
from batch_jobs_tests.postgres import Databases, binaries_of
from batch_jobs_tests.store.embedded_users import Homes
from batch_jobs_tests.store.workspace_pair import make_pair


@pytest.fixture(scope="session")
def blank_data() -> Iterator[Callable[[str], Path]]:
    """The data folder of a server that has not run yet, for each build made once a session."""
    root = Path(tempfile.mkdtemp(prefix="batch-jobs-blank-"))
    root.chmod(0o755)

    def blank(build: str) -> Path:
        data = root / build
        if not data.exists():
            create_cluster(data, find_binaries(binaries_of(build)), server_account(root), durable=False)
        return data

    yield blank
    shutil.rmtree(root)


@pytest.fixture
def homes(postgres_build: str, blank_data: Callable[[str], Path]) -> Iterator[Homes]:
    """Homes of the test's own, whose servers are stopped at its end."""
    root = Path(tempfile.mkdtemp(prefix="batch-jobs-homes-"))
    root.chmod(0o755)
    made = Homes(root, binaries_of(postgres_build), blank_data(postgres_build))
    yield made
    made.close()
    shutil.rmtree(root)


@pytest.fixture
def two_workspaces(databases: Databases, make_database: Callable[..., str]) -> Iterator[Database]:
    """Acme and globex, with rows in every table."""
    with Database(make_database(databases.template("workspace_pair", make_pair))) as opened:
        yield opened
