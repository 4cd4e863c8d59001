"""An installation of its own for the tests of a module: database, Dagster home, workspaces, native commands."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from dagster import AssetKey, AssetRecordsFilter, DagsterInstance, MetadataValue
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.home import prepare_home
from batch_jobs.orchestration.partitions import job_partitions, sync_workspaces
from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import Event, employee, employment, import_all, of, terms, workspace
from batch_jobs_tests.noon import NOON_ZONE

JOB = "timesheet_statement_generate"
JOB_KEY = AssetKey(["jobs", JOB])
OP = f"jobs__{JOB}"
FAULTY = "w-3"
WORKSPACES = ["w-1", "w-2", FAULTY, "w-4", "w-5"]
# A workspace fails as a whole when more than a hundred of its rows fail by themselves.
MANY = 101

BREAK = f"""
    CREATE FUNCTION batch_jobs.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the database refuses %', NEW.workspace_id; END $$;
    CREATE TRIGGER broken BEFORE INSERT ON batch_jobs.events FOR EACH ROW
    WHEN (NEW.workspace_id = '{FAULTY}' AND NEW.type = 'statement.period_started')
    EXECUTE FUNCTION batch_jobs.refuse()
"""
MEND = "DROP TRIGGER broken ON batch_jobs.events; DROP FUNCTION batch_jobs.refuse"


def weeks_ago(weeks: int) -> date:
    """A run date that is over everywhere. Each week has statements of its own to start."""
    return datetime.now(UTC).date() - timedelta(days=2 + 7 * weeks)


@dataclass(frozen=True)
class Installation:
    """Where it is.

    Attributes:
        clone: the folder with `.env`, in which native commands are run.
        settings: of the installation.
        variables: the environment of its commands.
    """

    clone: Path
    settings: Settings
    variables: dict[str, str]

    def dagster(self, *arguments: str, code: int = 0) -> str:
        """Run a native command as an operator would. Returns all that it said."""
        done = subprocess.run(
            [Path(sys.executable).with_name("dagster"), *arguments],
            cwd=self.clone,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def instance(self) -> Iterator[DagsterInstance]:
        """The Dagster instance of the installation."""
        with DagsterInstance.from_config(str(self.settings.dagster_home)) as opened:
            yield opened

    def job_runs(self, run_date: date, job: str = JOB) -> dict[str, JobRun]:
        """The newest run of the job in each workspace for a run date."""
        with open_engine(self.settings) as engine:
            with engine.database.owner() as connection:
                ids = connection.execute(
                    "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE job = %s AND run_date = %s "
                    "ORDER BY attempt",
                    [job, run_date],
                ).fetchall()
            return {run.workspace_id: run for run in engine.load([row[0] for row in ids])}

    def rows_done(self, run_date: date, workspace_id: str) -> int:
        """How many statements with this run date's period the workspace has, whether or not its run has ended."""
        with open_engine(self.settings) as engine, engine.database.owner() as connection:
            row = connection.execute(
                "SELECT count(*) FROM projections.timesheet_statements "
                "WHERE workspace_id = %s AND %s BETWEEN period_start AND period_end",
                [workspace_id, run_date],
            ).fetchone()
        return int(row[0]) if row else 0

    def cells(self, run_date: date, workspaces: Sequence[str] = WORKSPACES) -> dict[str, str]:
        """What the grid shows of the job for a run date: workspace to status, where there is one."""
        partitions = job_partitions(today=datetime.now(UTC).date(), days_back=self.settings.partition_days_back)
        keys = {f"{run_date}|{workspace_id}": workspace_id for workspace_id in workspaces}
        with self.instance() as instance:
            statuses = instance.get_status_by_partition(JOB_KEY, list(keys), partitions) or {}
        return {keys[key]: status.value for key, status in statuses.items() if isinstance(status, AssetPartitionStatus)}

    def metadata(self, run_date: date, workspace_id: str) -> dict[str, MetadataValue]:
        """The metadata of the newest materialization of a partition."""
        chosen = AssetRecordsFilter(asset_key=JOB_KEY, asset_partitions=[f"{run_date}|{workspace_id}"])
        with self.instance() as instance:
            record = instance.fetch_materializations(chosen, limit=1).records[0]
        assert record.asset_materialization
        return dict(record.asset_materialization.metadata)

    def record(self, *events: Event) -> None:
        """Import events."""
        assert self.settings.database_url
        with Database(self.settings.database_url) as database:
            import_all(database, *events)

    def select(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query as the owner of the database."""
        assert self.settings.database_url
        with psycopg.connect(self.settings.database_url) as connection:
            return connection.execute(sql, values).fetchall()  # type: ignore[arg-type]

    def execute(self, sql: str) -> None:
        """Run SQL as the owner of the database."""
        assert self.settings.database_url
        with psycopg.connect(self.settings.database_url, autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[arg-type]


def make_installation(folder: Path, url: str) -> Installation:
    """An installation with five workspaces, where each week has statements to start, broken for one of them.

    The process's own environment must name it before its Dagster instance is opened.
    """
    settings = Settings(home=folder / "home", database_url=url, worker_lost_after=2, chunk_rows=20)
    clone = folder / "clone"
    clone.mkdir()
    for name in ("dagster.yaml", "workspace.yaml"):
        (clone / name).write_text((PROJECT_FOLDER / name).read_text())
    prepare_home(settings, clone=clone)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER")}
    made = Installation(clone, settings, variables)
    with Database(url) as database:
        for workspace_id in WORKSPACES:
            people = [f"e-{number}" for number in range(MANY if workspace_id == FAULTY else 2)]
            everyone = [one for name in people for one in (employee(name), employment(f"{name}/1"))]
            settled = workspace(workspace_id, timezone=NOON_ZONE)
            import_all(database, *of(workspace_id, settled, terms(approval_period="weekly"), *everyone))
    made.execute(BREAK)
    with made.instance() as instance:
        sync_workspaces(instance, WORKSPACES)
    return made
