"""A scheduled job as Dagster sees it: an asset partitioned by run date and workspace, and the job that selects it."""

from collections.abc import Iterator, Mapping

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSelection,
    BackfillPolicy,
    DagsterEvent,
    MultiPartitionsDefinition,
    asset,
    define_asset_job,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from batch_jobs.engine.contract import Job
from batch_jobs.engine.projection import Projection
from batch_jobs.orchestration.asset_keys import job_key, projection_key
from batch_jobs.orchestration.failures import refusals_as_failures
from batch_jobs.orchestration.job_op import run_partitions
from batch_jobs.orchestration.op_config import op_config
from batch_jobs.orchestration.resources import ENGINE


def job_asset(
    job: Job, partitions: MultiPartitionsDefinition, projections: Mapping[str, Projection]
) -> AssetsDefinition:
    """The asset `jobs/<name>`, whose compute is the job's op with its Config.

    Args:
        job: the job.
        partitions: by run date and workspace.
        projections: all of them; the description names those that its need-check reads.
    """
    config_class = op_config(type(job))

    @asset(
        key=job_key(job.name),
        description="\n\n".join([describe(job), _when(job), _reads(job, projections)]),
        group_name="jobs",
        partitions_def=partitions,
        # Neighbouring partitions of a backfill become one run: a run costs seconds, a partition a millisecond.
        backfill_policy=BackfillPolicy.single_run(),
        # The op itself reports what is materialized; see batch_events.
        output_required=False,
        # Not the projections that it reads: their partitions are not materialized each night, and Dagster would warn
        # of that before each backfill and mark every cell as out of date.
        deps=[job_key(name) for name in job.after],
        required_resource_keys={ENGINE},
        pool=job.name,
    )
    def compute(context: AssetExecutionContext, config: config_class) -> Iterator[DagsterEvent]:  # type: ignore[valid-type]
        with refusals_as_failures():
            yield from run_partitions(context, job, config, partitions)

    return compute


def asset_job(job: Job) -> UnresolvedAssetJobDefinition:
    """The Dagster job of the job's name, which its schedule starts."""
    # The check looks by itself every hour; after each run its events would stand where what came of the run is read.
    return define_asset_job(
        job.name, selection=AssetSelection.assets(job_key(job.name)).without_checks(), description=job.description
    )


def describe(job: Job) -> str:
    """What the UI says of any job: what it is for, and its counters."""
    counters = "\n".join(
        f"- `{counter.name}`: {counter.description}{' (above zero: a warning)' if counter.warns else ''}"
        for counter in job.counters
    )
    return f"{job.description}\n\n{counters}"


def _when(job: Job) -> str:
    if job.continuous:
        return "Runs at any time of the day, for the workspaces where something is due."
    links = ", ".join(_link(name, job_key(name)) for name in job.after)
    after = f", after {links} of the same night" if links else ""
    return f"Runs once a night, from {job.start_time:%H:%M} local time of the workspace{after}."


def _reads(job: Job, projections: Mapping[str, Projection]) -> str:
    links = [
        _link(name, projection_key(projection))
        for name, projection in projections.items()
        if f"{projection.schema}.{name}" in job.candidates
    ]
    return f"Finds its work in {', '.join(links)}." if links else ""


def _link(text: str, key: AssetKey) -> str:
    return f"[{text}](/assets/{'/'.join(key.path)})"
