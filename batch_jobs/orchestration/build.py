"""Everything that Dagster loads, put together from parts that tests can replace."""

import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from graphlib import TopologicalSorter

from dagster import BetaWarning, Definitions, in_process_executor

from batch_jobs import jobs as all_jobs
from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import utc_now
from batch_jobs.engine.projection import Projection
from batch_jobs.installation import all_projections
from batch_jobs.orchestration.checks import checks_schedule
from batch_jobs.orchestration.drift_checks import drift_checks
from batch_jobs.orchestration.job_assets import asset_job, job_asset
from batch_jobs.orchestration.job_checks import job_checks
from batch_jobs.orchestration.partitions import job_partitions
from batch_jobs.orchestration.projection_assets import projection_asset
from batch_jobs.orchestration.projection_checks import projection_checks
from batch_jobs.orchestration.resources import ENGINE, engine_resource
from batch_jobs.orchestration.run_batch_jobs import run_batch_jobs_job
from batch_jobs.orchestration.schedules import EVERY_MINUTES, job_schedule
from batch_jobs.orchestration.sensors import (
    announcements_sensor,
    job_sensor,
    lost_workers_sensor,
    outside_runs_sensor,
    workspace_partitions_sensor,
)
from batch_jobs.orchestration.troubleshooting import troubleshooting_job
from batch_jobs.settings import Settings, read_settings


def build_definitions(
    *,
    settings: Settings | None = None,
    clock: Callable[[], datetime] = utc_now,
    jobs: Mapping[str, Job] | None = None,
    projections: Mapping[str, Projection] | None = None,
) -> Definitions:
    """Build what Dagster loads.

    Args:
        settings: the installation, by default what the environment says.
        clock: the instant, for what is due and for the window of run dates.
        jobs: the jobs by name, by default all of the product.
        projections: the projections and search indexes by name, by default all of the product.
    """
    settings = settings or read_settings()
    jobs = all_jobs.registry() if jobs is None else jobs
    projections = all_projections() if projections is None else projections
    partitions = job_partitions(today=clock().astimezone(UTC).date(), days_back=settings.partition_days_back)
    scheduled = {name: job for name, job in jobs.items() if not job.by_hand_only}
    nightly = {name: job for name, job in scheduled.items() if not job.continuous}
    dagster_jobs = {name: asset_job(job) for name, job in scheduled.items()}
    with warnings.catch_warnings():
        # Backfill policies are a beta of Dagster; tests hold them to what is needed of them.
        warnings.simplefilter("ignore", BetaWarning)
        assets = [
            *(projection_asset(projection, partitions, projections) for projection in projections.values()),
            *(job_asset(job, partitions, projections) for job in scheduled.values()),
        ]
    of_projections, of_jobs = projection_checks(projections), job_checks(scheduled)
    return Definitions(
        assets=assets,
        asset_checks=[of_projections, of_jobs, drift_checks(projections)],
        jobs=[
            *dagster_jobs.values(),
            *(troubleshooting_job(job) for job in jobs.values() if job.by_hand_only),
            run_batch_jobs_job(partitions),
        ],
        schedules=[
            checks_schedule(
                of_projections,
                "check_projections",
                cron="17 6 * * *",
                description="Looks whether projections and search indexes are in step, of this code, and without dead "
                "letters.",
            ),
            checks_schedule(
                of_jobs,
                "check_jobs",
                cron="47 * * * *",
                description="Looks whether a workspace has been due for a job for more than an hour without a run.",
            ),
            *(
                job_schedule(job, dagster_jobs[job.name], partitions, minute=minute)
                for job, minute in _minutes(nightly).items()
            ),
        ],
        sensors=[
            workspace_partitions_sensor(),
            lost_workers_sensor(),
            outside_runs_sensor(partitions),
            announcements_sensor(settings),
            *(job_sensor(job, dagster_jobs[job.name], partitions) for job in scheduled.values() if job.continuous),
        ],
        resources={ENGINE: engine_resource(settings, clock)},
        # A process of its own for each step would take longer to start than most steps take. A step begins when those
        # before it have done what they could, though some of their workspaces failed.
        executor=in_process_executor.configured({"step_dependency_config": {"require_upstream_step_success": False}}),
    )


def _minutes(jobs: Mapping[str, Job]) -> dict[Job, int]:
    """When each job is looked at within five minutes: after those before it, so that a chain takes one round."""
    depth: dict[str, int] = {}
    for name in TopologicalSorter({name: job.after for name, job in jobs.items()}).static_order():
        depth[name] = max((depth[before] + 1 for before in jobs[name].after), default=0)
    return {job: min(depth[name], EVERY_MINUTES - 1) for name, job in jobs.items()}
