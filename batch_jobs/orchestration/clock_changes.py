"""After a clock was put back Dagster waits until it has come to what was noted before. Here that is forgotten."""

from datetime import UTC, datetime
from typing import Any

from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus
from dagster._core.scheduler.instigation import ScheduleInstigatorData, SensorInstigatorData
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.schedules.schema import JobTickTable
from sqlalchemy import select

from batch_jobs.settings import Settings

# Two machines differ by that much, and what is noted now is noted a moment later.
TOLERANCE_SECONDS = 5.0


def forget_what_is_to_come(settings: Settings, now: float) -> int:
    """Forget ticks of a time that is still to come; move other notes of schedules, sensors and beginning runs to now.

    Args:
        settings: the installation.
        now: seconds since 1970.

    Returns:
        How many schedules and sensors waited for that time.
    """
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        return forget_in(instance, now)


def forget_in(instance: DagsterInstance, now: float) -> int:
    """See `forget_what_is_to_come`."""
    latest = now + TOLERANCE_SECONDS
    storage = instance.schedule_storage
    assert storage is not None
    with storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(JobTickTable.delete().where(JobTickTable.c.timestamp > datetime.fromtimestamp(latest, UTC)))
    _let_beginnings_time_out(instance, now, latest)
    moved = 0
    for state in instance.all_instigator_state():
        data = state.instigator_data
        if not isinstance(data, ScheduleInstigatorData | SensorInstigatorData):
            continue
        notes = {name: value for name, value in data._asdict().items() if name.endswith("timestamp") and value}
        to_come: dict[str, Any] = dict.fromkeys((name for name, value in notes.items() if value > latest), now)
        if to_come:
            instance.update_instigator_state(state.with_data(data._replace(**to_come)))
            moved += 1
    return moved


def _let_beginnings_time_out(instance: DagsterInstance, now: float, latest: float) -> None:
    """Let runs that have not come to their start, as who was to start them has ended, be given up when they should be:
    the time that they had begins now.
    """
    moment, after = (datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None) for seconds in (now, latest))
    runs, events = RunsTable.c, SqlEventLogStorageTable.c
    starting = select(runs.run_id).where(runs.status == DagsterRunStatus.STARTING.value)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(
            RunsTable.update()
            .where(runs.status == DagsterRunStatus.NOT_STARTED.value, runs.create_timestamp > after)
            .values(create_timestamp=moment)
        )
        connection.execute(
            SqlEventLogStorageTable.update()
            .where(
                events.dagster_event_type == DagsterEventType.PIPELINE_STARTING.value,
                events.timestamp > after,
                events.run_id.in_(starting),
            )
            .values(timestamp=moment)
        )
