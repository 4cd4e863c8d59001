"""What is watched all the time: continuous jobs, workspaces, dead workers, runs outside of Dagster, trouble."""

import json
from collections import Counter
from datetime import datetime, timedelta

from dagster import (
    AddDynamicPartitionsRequest,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    MultiPartitionsDefinition,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from batch_jobs.announcing.announcer import look, tell
from batch_jobs.announcing.channels import NOBODY, channel_names
from batch_jobs.engine.contract import Job
from batch_jobs.engine.due import CLOCKS_DIFFER
from batch_jobs.orchestration.batch_events import report_runless_events
from batch_jobs.orchestration.history import partition_events
from batch_jobs.orchestration.ledger_reads import Place, ended_outside_dagster
from batch_jobs.orchestration.partitions import WORKSPACES, window, workspace_changes, workspace_keys
from batch_jobs.orchestration.resources import ENGINE, engine_of
from batch_jobs.orchestration.run_requests import requests_for
from batch_jobs.settings import Settings

OUTSIDE_RUNS_AT_MOST = 1000
CONTINUOUS_SECONDS = 30
# What is overdue is found by the need-checks of all jobs.
ANNOUNCING_SECONDS = 300
SHOWN_AGAIN = timedelta(hours=1)


def workspace_partitions_sensor() -> SensorDefinition:
    """Keeps the partitions equal to the workspaces that schedules ask for."""

    @sensor(
        name="workspace_partitions",
        minimum_interval_seconds=30,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={ENGINE},
        description="Makes each active workspace a partition, and takes suspended and deleted ones away. Their history "
        "is there again when they are resumed. A deleted one is there again while its rows are due to be purged.",
    )
    def workspace_partitions(context: SensorEvaluationContext) -> SensorResult:
        scheduled = engine_of(context.resources).scheduled_workspaces()
        new, gone = workspace_changes(context.instance, scheduled)
        told = f"{len(scheduled)} workspaces; {len(new)} added, {len(gone)} removed"
        context.log.info(told)
        requests: list[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest] = []
        if new:
            requests.append(WORKSPACES.build_add_request(new))
        if gone:
            requests.append(WORKSPACES.build_delete_request(gone))
        return SensorResult(skip_reason=SkipReason(told), dynamic_partitions_requests=requests)

    return workspace_partitions


def job_sensor(
    job: Job, dagster_job: UnresolvedAssetJobDefinition, partitions: MultiPartitionsDefinition
) -> SensorDefinition:
    """The sensor `<job>_sensor` of a continuous job, on from the start.

    Args:
        job: the job.
        dagster_job: what it starts.
        partitions: by run date and workspace.
    """

    @sensor(
        name=f"{job.name}_sensor",
        job=dagster_job,
        minimum_interval_seconds=CONTINUOUS_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={ENGINE},
        description=f"Every {CONTINUOUS_SECONDS} seconds: {job.name} for the workspaces where it is due.",
    )
    def watch(context: SensorEvaluationContext) -> list[RunRequest] | SkipReason:
        report = engine_of(context.resources).due([job.name])
        requests, summary = requests_for(job, report, context.instance, partitions)
        context.log.info(summary)
        return requests or SkipReason(summary)

    return watch


def lost_workers_sensor() -> SensorDefinition:
    """Ends the job runs of dead workers."""

    @sensor(
        name="lost_workers",
        minimum_interval_seconds=15,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={ENGINE},
        description="Ends the job runs of workers that gave no sign of life as failed (worker lost), so that they are "
        "due again.",
    )
    def lost_workers(context: SensorEvaluationContext) -> SkipReason:
        lost = engine_of(context.resources).fail_lost_workers()
        if lost:
            context.log.warning(f"{lost} job runs had lost their worker")
        return SkipReason(f"{lost} job runs had lost their worker")

    return lost_workers


def outside_runs_sensor(partitions: MultiPartitionsDefinition) -> SensorDefinition:
    """Shows the job runs of the command line in the grid too."""

    @sensor(
        name="outside_runs",
        minimum_interval_seconds=30,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={ENGINE},
        description="Records job runs that were started outside of Dagster as events of their partitions.",
    )
    def outside_runs(context: SensorEvaluationContext) -> SkipReason:
        engine = engine_of(context.resources)
        if set(engine.active_workspaces()) - set(workspace_keys(context.instance)):
            return SkipReason("waits until all active workspaces are partitions")
        place = _not_to_come(_read_place(context.cursor), engine.clock())
        runs = ended_outside_dagster(engine, place, at_most=OUTSIDE_RUNS_AT_MOST)
        first, last = window(partitions)
        workspaces = set(workspace_keys(context.instance))
        shown = [run for run in runs if first <= run.run_date <= last and run.workspace_id in workspaces]
        events = partition_events(engine, shown)
        report_runless_events(context.instance, events.materializations)
        report_runless_events(context.instance, events.observations)
        if runs:
            # A crash before this line records them again at the next tick, which changes no partition's status.
            context.update_cursor(json.dumps([str(runs[-1].ended_at), runs[-1].job_run_id]))
        return SkipReason(f"{len(shown)} job runs recorded, {len(runs) - len(shown)} without a partition")

    return outside_runs


def announcements_sensor(settings: Settings) -> SensorDefinition:
    """Tells people of trouble, where the settings name anybody."""

    @sensor(
        name="announcements",
        minimum_interval_seconds=ANNOUNCING_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        required_resource_keys={ENGINE},
        description="Tells by webhook or e-mail what failed, warns or is overdue: one message for a cause, and one "
        "when it is mended. Switched off, nobody is told; `batch-jobs announce` does the same without the daemon.",
    )
    def announcements(context: SensorEvaluationContext) -> SkipReason:
        if not channel_names(settings):
            return SkipReason(NOBODY)
        engine = engine_of(context.resources)
        judged = look(engine, settings)
        sent = list(tell(engine, settings))
        told = Counter(one.taken for one in sent)
        refused = f"; {told[False]} not taken, and tried again later" if told[False] else ""
        return SkipReason(
            f"{len({one.open.cause for one in judged})} causes known; {told[True]} messages sent{refused}"
        )

    return announcements


def _not_to_come(place: Place | None, now: datetime) -> Place | None:
    """The place; after a clock was put back an earlier one, since runs end before the latest of them again.

    That some are recorded once more changes no partition's status.
    """
    if place is None or place.ended_at <= now + CLOCKS_DIFFER:
        return place
    return Place(now - SHOWN_AGAIN, place.job_run_id)


def _read_place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    ended_at, job_run_id = json.loads(cursor)
    return Place(datetime.fromisoformat(ended_at), job_run_id)
