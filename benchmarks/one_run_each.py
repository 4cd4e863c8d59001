"""A code location like the product's, with a schedule that asks for one Dagster run per due workspace."""

from dagster import Definitions, RunRequest, ScheduleEvaluationContext, schedule

from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import Target
from batch_jobs.orchestration.resources import ENGINE, engine_of
from benchmarks.bench import JOB


@schedule(job_name=JOB, cron_schedule="*/5 * * * *", required_resource_keys={ENGINE})
def one_run_each(context: ScheduleEvaluationContext) -> list[RunRequest]:
    """Ask for a run of one partition for each workspace where the job is due."""
    due = engine_of(context.resources).schedule(JOB).due
    keys = [Target(item.workspace_id, item.run_date).partition_key for item in due]
    return [RunRequest(key, partition_key=key) for key in keys]


defs = Definitions.merge(build_definitions(), Definitions(schedules=[one_run_each]))
