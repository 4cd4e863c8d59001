"""Dagster's own storage, in the database of the installation. Named in dagster.yaml, which therefore holds no URL."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Self

from dagster import DagsterEvent, DagsterEventType, RunsFilter
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage, PostgresScheduleStorage

from batch_jobs.engine.job_runs import Status
from batch_jobs.installation import database_url
from batch_jobs.orchestration.authorship import AuthoredRunStorage
from batch_jobs.orchestration.history import broken_off_tags, fresh_run_tags
from batch_jobs.orchestration.workers import WORKER_TAG, signature
from batch_jobs.settings import Settings, read_settings
from batch_jobs.store.database import Database

SCHEMA = "dagster"
# Held while the schema is made: several processes open a new installation at the same moment.
SCHEMA_LOCK = 4_206_120_502
EVENT_BATCH_SIZE = 1000
_BROKEN_OFF: Mapping[DagsterEventType, Status] = {
    DagsterEventType.PIPELINE_FAILURE: "failed",
    DagsterEventType.PIPELINE_CANCELED: "stopped",
}


def orchestrator_database_url(settings: Settings | None = None) -> str:
    """Find the database that Dagster keeps its runs, events and ticks in, for SQLAlchemy.

    Starts the embedded server where that is the database, and keeps it up as long as this process lives.

    Args:
        settings: the installation; by default what the environment says.

    Raises:
        UnavailableError: the database can not be started or reached.
    """
    return _url_in_schema(database_url(settings or read_settings()))


@cache
def _url_in_schema(url: str) -> str:
    from sqlalchemy import make_url

    with Database(url) as database, database.owner() as connection:
        if connection.execute("SELECT to_regnamespace(%s)", [SCHEMA]).fetchone() == (None,):
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [SCHEMA_LOCK])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    parsed = make_url(url)
    options = parsed.query.get("options", "")
    given = options if isinstance(options, str) else " ".join(options)
    # Dagster keeps instants in columns without a zone, and reads them as those of UTC.
    in_schema = parsed.set(drivername="postgresql+psycopg2").update_query_dict(
        {"options": f"{given} -csearch_path={SCHEMA} -ctimezone=UTC".strip()}
    )
    return in_schema.render_as_string(hide_password=False)


class _OfTheInstallation:
    """Makes a storage class of dagster-postgres take its database from the installation instead of dagster.yaml."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(postgres_url=orchestrator_database_url(), inst_data=inst_data)  # type: ignore[call-arg]


class RunStorage(_OfTheInstallation, AuthoredRunStorage):
    """Where runs are kept, who launched them, and which process works on each."""

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        if event.event_type == DagsterEventType.PIPELINE_START and self.has_run(run_id):
            # First, so that there is no run that has started and names no process: where that died nobody would see it.
            self.add_run_tags(run_id, {WORKER_TAG: signature(run_id), **fresh_run_tags()})
        super().handle_run_event(run_id, event, update_timestamp)
        if status := _BROKEN_OFF.get(event.event_type):
            # Whoever ended it: its own process, a person, or the daemon that finds it dead.
            for run in self.get_runs(RunsFilter([run_id]), limit=1):
                self.add_run_tags(run_id, broken_off_tags(run.tags, status))


class ScheduleStorage(_OfTheInstallation, PostgresScheduleStorage):
    """Where the state and the ticks of schedules and sensors are kept."""


class EventLogStorage(_OfTheInstallation, PostgresEventLogStorage):
    """Where events are kept; writes the planned events of a run with many partitions at once.

    dagster-postgres batches materializations alone, and opens a connection for each planned event: a run over 1,000
    partitions took 18.5 s of that, and takes about 2 s so.
    """

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        # Dagster batches nothing unless told by a variable. Every process that writes events comes through here first.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(EVENT_BATCH_SIZE))
        return super().from_config_value(inst_data, config_value)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        events = _apart(events)
        if any(entry.dagster_event_type != DagsterEventType.ASSET_MATERIALIZATION_PLANNED for entry in events):
            return super().store_event_batch(events)
        with self._connect() as connection:
            insert = self.prepare_insert_event_batch(events).returning(SqlEventLogStorageTable.c.id)
            event_ids = [row[0] for row in connection.execute(insert)]
        newest = {
            entry.get_dagster_event().asset_key: (entry, event_id)
            for entry, event_id in zip(events, event_ids, strict=True)
        }
        with self.index_transaction() as connection:
            for entry, event_id in newest.values():
                self._store_asset_event(connection, entry, event_id)
        return None


def _apart(events: Sequence[EventLogEntry]) -> list[EventLogEntry]:
    """The events a millisecond apart, in the middle of each: of those of one millisecond the web UI lists only one."""
    last = int(events[-1].timestamp * 1000)
    return [
        entry._replace(timestamp=(last - later - 0.5) / 1000)
        for entry, later in zip(events, range(len(events) - 1, -1, -1), strict=True)
    ]
