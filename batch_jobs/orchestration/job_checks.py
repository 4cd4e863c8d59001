"""The asset check of jobs: nobody waits for one that does not come. It only warns."""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    multi_asset_check,
)

from batch_jobs.engine.contract import Job
from batch_jobs.engine.overdue import Overdue
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.checks import warning
from batch_jobs.orchestration.history import note_end
from batch_jobs.orchestration.resources import ENGINE, engine_of

NOT_OVERDUE = "not_overdue"


def job_checks(jobs: Mapping[str, Job]) -> AssetChecksDefinition:
    """The checks of all scheduled jobs, found out together."""
    text = (
        "No workspace has been due for more than an hour without a run. Otherwise: see whether the schedule is "
        "switched off, and what its last ticks say."
    )
    specs = [AssetCheckSpec(NOT_OVERDUE, asset=job_key(name), description=text, blocking=False) for name in jobs]

    @multi_asset_check(
        name="job_checks",
        description="Looks whether a workspace has been due for a job for more than an hour without a run.",
        specs=specs,
        can_subset=True,
        required_resource_keys={ENGINE},
    )
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        overdue = engine_of(context.resources).overdue()
        for name in jobs:
            if AssetCheckKey(job_key(name), NOT_OVERDUE) in context.selected_asset_check_keys:
                yield _result(name, [one for one in overdue if one.job == name])
        note_end(context, otherwise="completed")

    return check


def _result(job: str, overdue: list[Overdue]) -> AssetCheckResult:
    text = f"{len(overdue):,} workspaces have been due for more than an hour"
    since = {"since": f"{overdue[0].since:%Y-%m-%d %H:%M} UTC"} if overdue else {}
    return warning(job_key(job), NOT_OVERDUE, [one.workspace_id for one in overdue], text, **since)
