"""Where benchmarks run: a fresh installation in a folder of its own, removed at the end, and the sizes of the run."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from batch_jobs.installation import database_url
from batch_jobs.orchestration.home import prepare_home
from batch_jobs.settings import PROJECT_FOLDER, Settings, read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.schema import migrate

JOB = "timesheet_statement_generate"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything. At scale 1: what the targets speak of.

    Attributes:
        night: workspaces of the night.
        alone: workspaces that get a Dagster run each.
        installation: workspaces that the need-check looks at, those of the night included.
        employees: of each workspace.
    """

    night: int
    alone: int
    installation: int
    employees: int = 100

    @classmethod
    def at(cls, scale: float) -> "Sizes":
        """The sizes at a scale."""
        night = max(4, round(1_000 * scale))
        return cls(night=night, alone=max(1, round(20 * scale)), installation=max(2 * night, round(10_000 * scale)))


@dataclass(frozen=True, slots=True)
class Bench:
    """What every benchmark gets.

    Attributes:
        settings: of the installation, all defaults but its home.
        database: its database.
        sizes: how much of everything.
        timezone: of all workspaces, chosen so that it is about noon in it: whenever the benchmarks run, the jobs may
            start and midnight is far.
        run_date: today in that zone.
    """

    settings: Settings
    database: Database
    sizes: Sizes
    timezone: str
    run_date: date

    def vacuum(self) -> None:
        """Do what autovacuum does sooner or later after a load, so that no measurement meets it half done."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


_BEGAN = time.monotonic()


def tell(text: str) -> None:
    """Report progress."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


@contextmanager
def fresh_installation(sizes: Sizes) -> Iterator[Bench]:
    """An installation in a temporary folder, as `batch-jobs init` makes it, with its own database server."""
    for name in [name for name in os.environ if name.startswith(("BATCH_JOBS_", "DAGSTER_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-bench-"))
    # Code servers and runs are processes of their own, which read this.
    os.environ["BATCH_JOBS_HOME"] = str(home)
    settings = read_settings()
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    try:
        with Database(database_url(settings, tell), application_name="benchmarks") as database:
            migrate(database)
            _prepare_orchestrator(settings)
            zone = _noon_zone(datetime.now(UTC))
            yield Bench(settings, database, sizes, zone, datetime.now(ZoneInfo(zone)).date())
    finally:
        EmbeddedServer(settings).stop()
        shutil.rmtree(home, ignore_errors=True)


def _prepare_orchestrator(settings: Settings) -> None:
    # The clone's own `.env` names another installation, so this one gets a folder that stands for the clone.
    clone = settings.home / "clone"
    clone.mkdir()
    shutil.copy(PROJECT_FOLDER / "dagster.yaml", clone)
    prepare_home(settings, clone=clone)


def _noon_zone(now: datetime) -> str:
    hours = 12 - now.hour
    # POSIX counts these zones to the west.
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"
