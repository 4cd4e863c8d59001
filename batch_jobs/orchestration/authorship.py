"""Who launched and stopped a Dagster run: written where runs are stored, so that no way past it is left."""

from collections.abc import Mapping
from datetime import datetime

from dagster import DagsterRun, RunsFilter
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG, USER_TAG
from dagster_postgres import PostgresRunStorage
from sqlalchemy import text

from batch_jobs.access.sessions import signed_in

STOPPED_BY_TAG = "stopped_by"
# Tags that would name somebody or something else.
_OTHERS = (STOPPED_BY_TAG, SCHEDULE_NAME_TAG, SENSOR_NAME_TAG)
_NOTE_STOP = text(
    "UPDATE batch_jobs.job_runs SET stop_requested_by = :actor "
    "WHERE dagster_run_id = :run_id AND status IN ('pending', 'started')"
)
_STOPPING = (DagsterEventType.RUN_CANCELING, DagsterEventType.RUN_CANCELED)


class AuthoredRunStorage(PostgresRunStorage):
    """Signs what the signed-in user of the web UI launches, re-executes, backfills and stops with their name.

    What a user says of themselves in a tag is replaced. Processes without a login sign nothing, but for the daemon and
    workers that end the runs of a backfill which a user canceled: those are stopped by that user.
    """

    def add_run(self, dagster_run: DagsterRun) -> DagsterRun:
        return super().add_run(dagster_run.with_tags(_signed(dagster_run.tags)))

    def add_backfill(self, partition_backfill: PartitionBackfill) -> None:
        super().add_backfill(partition_backfill._replace(tags=_signed(partition_backfill.tags)))

    def update_backfill(self, partition_backfill: PartitionBackfill) -> None:
        if user := signed_in.get():
            # One that is resumed is stopped no more.
            tags = {name: value for name, value in partition_backfill.tags.items() if name != STOPPED_BY_TAG}
            if partition_backfill.status == BulkActionStatus.CANCELING:
                tags[STOPPED_BY_TAG] = user.name
            partition_backfill = partition_backfill._replace(tags=tags)
        super().update_backfill(partition_backfill)

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        if event.event_type in _STOPPING and (name := self._stopping(run_id)):
            self.add_run_tags(run_id, {STOPPED_BY_TAG: name})
            with self.connect() as connection:
                connection.execute(_NOTE_STOP, {"actor": f"user:{name}", "run_id": run_id})
        super().handle_run_event(run_id, event, update_timestamp)

    def _stopping(self, run_id: str) -> str | None:
        """Who is stopping a run: the signed-in user, or whoever canceled its backfill, whose runs the daemon stops."""
        if user := signed_in.get():
            return user.name
        # None of a run that was deleted meanwhile; one that a user stopped by itself is theirs.
        (tags,) = [run.tags for run in self.get_runs(RunsFilter([run_id]), limit=1)] or [{}]
        if STOPPED_BY_TAG in tags or BACKFILL_ID_TAG not in tags:
            return None
        backfill = self.get_backfill(tags[BACKFILL_ID_TAG])
        return backfill.tags.get(STOPPED_BY_TAG) if backfill else None


def _signed(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of something new, which may be the launchpad's, or those of what is executed again."""
    user = signed_in.get()
    if user is None:
        return {name: value for name, value in tags.items() if name != STOPPED_BY_TAG}
    return {name: value for name, value in tags.items() if name not in _OTHERS} | {USER_TAG: user.name}
