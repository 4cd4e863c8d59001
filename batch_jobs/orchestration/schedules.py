"""The schedule of a job: every five minutes it asks what is due, and asks for few runs over what is."""

from collections.abc import Iterator, Sequence

from dagster import (
    DefaultScheduleStatus,
    MultiPartitionsDefinition,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, DagsterRun
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from batch_jobs.engine.contract import Job
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.history import run_date_tag
from batch_jobs.orchestration.partitions import Target, read_partition_key, window, workspace_keys
from batch_jobs.orchestration.ranges import KeyRange, keys_in
from batch_jobs.orchestration.resources import ENGINE, engine_of
from batch_jobs.orchestration.run_plan import RunPlan, plan_runs

EVERY_MINUTES = 5
TICK_TAG = "batch_jobs/tick"


def job_schedule(
    job: Job, dagster_job: UnresolvedAssetJobDefinition, partitions: MultiPartitionsDefinition, *, minute: int
) -> ScheduleDefinition:
    """The schedule `<job>_schedule`, on from the start.

    Args:
        job: the job.
        dagster_job: what it starts.
        partitions: by run date and workspace.
        minute: when it looks, in minutes after each full five.
    """

    @schedule(
        name=f"{job.name}_schedule",
        job=dagster_job,
        cron_schedule=f"{minute}-59/{EVERY_MINUTES} * * * *",
        default_status=DefaultScheduleStatus.RUNNING,
        required_resource_keys={ENGINE},
        description=f"Every {EVERY_MINUTES} minutes: {job.name} for the workspaces where it is due, from "
        f"{job.start_time:%H:%M} local time on.",
    )
    def evaluate(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        report = engine_of(context.resources).schedule(job.name)
        workspaces = workspace_keys(context.instance)
        unfinished = context.instance.get_runs(RunsFilter(job_name=job.name, statuses=NOT_FINISHED_STATUSES))
        under_way = {target for run in unfinished for target in _asked_for(run, workspaces)}
        plan = plan_runs(report.due, workspaces, under_way=under_way, dates=window(partitions))
        summary = "; ".join([report.summary(), *plan.notes])
        # A tick that asks for runs has no message of its own: its log and the tags of its runs tell.
        context.log.info(summary)
        return list(_requests(job, plan, summary)) or SkipReason(summary)

    return evaluate


def _requests(job: Job, plan: RunPlan, summary: str) -> Iterator[RunRequest]:
    op = job_key(job.name).to_python_identifier()
    config = {"ops": {op: {"config": dict(job.scheduled)}}} if job.scheduled else {}
    for day, (first, last) in plan.ranges:
        start, end = Target(first, day).partition_key, Target(last, day).partition_key
        tags = {ASSET_PARTITION_RANGE_START_TAG: start, ASSET_PARTITION_RANGE_END_TAG: end}
        yield RunRequest(f"{start}...{end}", config, tags={**tags, **run_date_tag([day]), TICK_TAG: summary})
    for target in plan.alone:
        key = target.partition_key
        tags = {**run_date_tag([target.run_date]), TICK_TAG: summary}
        yield RunRequest(key, config, partition_key=key, tags=tags)


def _asked_for(run: DagsterRun, workspaces: Sequence[str]) -> Iterator[Target]:
    alone = run.tags.get(PARTITION_NAME_TAG)
    first = read_partition_key(run.tags.get(ASSET_PARTITION_RANGE_START_TAG, alone or ""))
    last = read_partition_key(run.tags.get(ASSET_PARTITION_RANGE_END_TAG, alone or ""))
    for workspace_id in keys_in(KeyRange(first.workspace_id, last.workspace_id), workspaces):
        yield Target(workspace_id, first.run_date)
