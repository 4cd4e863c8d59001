"""A Dagster instance of one's own for a test, on a fresh database, made from the committed dagster.yaml."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from batch_jobs.orchestration.home import prepare_home
from batch_jobs.settings import PROJECT_FOLDER, read_settings


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
