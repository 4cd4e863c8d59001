"""The schedule of a job: every five minutes it asks what is due, and asks for few runs over what is."""

from dagster import (
    DefaultScheduleStatus,
    MultiPartitionsDefinition,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from batch_jobs.engine.contract import Job
from batch_jobs.orchestration.resources import ENGINE, engine_of
from batch_jobs.orchestration.run_requests import requests_for

EVERY_MINUTES = 5


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
        # Without the distinction the UI describes the plain case as "minutes 0 through 59".
        cron_schedule=f"{minute}-59/{EVERY_MINUTES} * * * *" if minute else f"*/{EVERY_MINUTES} * * * *",
        default_status=DefaultScheduleStatus.RUNNING,
        required_resource_keys={ENGINE},
        description=f"Every {EVERY_MINUTES} minutes: {job.name} for the workspaces where it is due, from "
        f"{job.start_time:%H:%M} local time on.",
    )
    def evaluate(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        report = engine_of(context.resources).schedule(job.name)
        requests, summary = requests_for(job, report, context.instance, partitions)
        # A tick that asks for runs has no message of its own: its log and the tags of its runs tell.
        context.log.info(summary)
        return requests or SkipReason(summary)

    return evaluate
