"""A Dagster instance of one's own for a test, on a fresh database, made from the committed dagster.yaml."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from batch_jobs.orchestration.home import prepare_home
from batch_jobs.settings import PROJECT_FOLDER, read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.orchestration.installation import Installation, make_installation
from batch_jobs_tests.postgres import Servers, builds


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that stands for the clone, so that the real one's `.env` stays as it is."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "dagster.yaml").write_text((PROJECT_FOLDER / "dagster.yaml").read_text())
    return folder


@pytest.fixture
def instance(
    clone: Path, tmp_path: Path, make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("BATCH_JOBS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BATCH_JOBS_DATABASE_URL", make_database())
    settings = read_settings()
    prepare_home(settings, clone=clone)
    with DagsterInstance.from_config(str(settings.dagster_home)) as made:
        yield made


@pytest.fixture(scope="module")
def installation(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation for the tests of a module: making one and starting commands in it costs seconds."""
    databases = servers.of(builds(every=False)[0])
    url = databases.make_database(databases.template("migrated", _migrate))
    folder = tmp_path_factory.mktemp("installation")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BATCH_JOBS_HOME", str(folder / "home"))
        environment.setenv("BATCH_JOBS_DATABASE_URL", url)
        environment.setenv("BATCH_JOBS_WORKER_LOST_AFTER", "2")
        environment.setenv("BATCH_JOBS_CHUNK_ROWS", "20")
        yield make_installation(folder, url)
    databases.drop_database(url)


def _migrate(url: str) -> None:
    with Database(url) as opened:
        migrate(opened)
