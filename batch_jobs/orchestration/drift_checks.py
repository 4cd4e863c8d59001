"""The asset check of what is in the rows of projections and search indexes: what a rebuild of them would change.

It takes as long as a rebuild, so no schedule asks for it: a person does, who has doubts, and again after a rebuild.
Where it comes along with a materialization of partitions, it looks at their workspaces alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    DagsterRun,
    multi_asset_check,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from batch_jobs.engine.by_hand import wanted_targets
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BadInputError
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.orchestration.asset_keys import projection_key
from batch_jobs.orchestration.checks import warning
from batch_jobs.orchestration.failures import refusals_as_failures
from batch_jobs.orchestration.history import note_end
from batch_jobs.orchestration.interrupts import stopping_between_chunks
from batch_jobs.orchestration.launch import read_launch
from batch_jobs.orchestration.partitions import read_partition_key, workspace_keys
from batch_jobs.orchestration.ranges import KeyRange, keys_in
from batch_jobs.orchestration.resources import ENGINE, engine_of

AS_RECORDED = "rows_match_the_events"


class _Rebuild(NamedTuple):
    """The job whose dry run shows how rows differ: its name, the parameter that chooses, what its counters count. And
    what the check says.
    """

    job: str
    choice: str
    counted: str
    says: str

    def description(self, projection: str) -> str:
        return (
            f"{self.says}, which takes as long as a rebuild; so this is looked at only when a person asks. Otherwise: "
            f"launch {self.job} with {self.choice} {projection} and dry_run false."
        )


_REBUILDS = {
    "projections": _Rebuild(
        RebuildEmployeeProjections.name,
        "projection",
        "rows",
        "Every row is what the events give. All of them are folded anew to find that out",
    ),
    "search": _Rebuild(
        RebuildSearchIndexes.name,
        "index",
        "documents",
        "Every document is what the projections give; whether these are right their own checks tell. All documents are "
        "made anew to find that out",
    ),
}


def drift_checks(projections: Mapping[str, Projection]) -> AssetChecksDefinition:
    """The check of each projection and search index, by the dry run of its rebuild."""
    specs = [
        AssetCheckSpec(
            AS_RECORDED,
            asset=projection_key(projection),
            description=_REBUILDS[projection.schema].description(projection.name),
            blocking=False,
        )
        for projection in projections.values()
    ]

    @multi_asset_check(
        name="drift_checks",
        description="Rebuilds the chosen projections and search indexes beside those that serve, as a dry run, and "
        "compares their rows.",
        specs=specs,
        can_subset=True,
        required_resource_keys={ENGINE},
    )
    def check(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        engine = engine_of(context.resources)
        with refusals_as_failures():
            workspaces = _workspaces(context)
            for projection in projections.values():
                if AssetCheckKey(projection_key(projection), AS_RECORDED) in context.selected_asset_check_keys:
                    rebuild = _REBUILDS[projection.schema]
                    runs = _dry_run(engine, rebuild, projection.name, workspaces, context.run)
                    yield _result(projection, rebuild, runs)
            note_end(context, otherwise="completed")

    return check


def _workspaces(context: AssetCheckExecutionContext) -> Sequence[str]:
    """Those of the partitions that the run is for; none for all.

    Raises:
        BadInputError: they are no partitions any more.
    """
    tags = context.run.tags
    start = tags.get(ASSET_PARTITION_RANGE_START_TAG, tags.get(PARTITION_NAME_TAG))
    if start is None:
        return []
    end = tags.get(ASSET_PARTITION_RANGE_END_TAG, start)
    ends = KeyRange(read_partition_key(start).workspace_id, read_partition_key(end).workspace_id)
    found = keys_in(ends, workspace_keys(context.instance))
    if not found:
        raise BadInputError(f'partition "{start}" names no active workspace any more, so there are no rows to look at')
    return found


def _dry_run(
    engine: Engine, rebuild: _Rebuild, name: str, workspaces: Sequence[str], asked: DagsterRun
) -> list[JobRun]:
    parameters = {rebuild.choice: name, "dry_run": True}
    job, launch = engine.jobs[rebuild.job], read_launch(asked.tags)
    targets = wanted_targets(engine, job, parameters, workspaces=workspaces, run_date=None, force=False)
    with stopping_between_chunks() as should_stop:
        return engine.run(
            RunRequest(
                job=job.name,
                targets=targets,
                parameters=parameters,
                trigger=launch.trigger,
                actor=launch.actor,
                dagster_run_id=asked.run_id,
            ),
            should_stop=should_stop,
        )


def _result(projection: Projection, rebuild: _Rebuild, runs: list[JobRun]) -> AssetCheckResult:
    numbers: Counter[str] = Counter()
    differing, failed = [], [run for run in runs if run.status in ("failed", "stopped")]
    for run in runs:
        found = {
            change: run.counters.get(f"{rebuild.counted}_{change}", 0) for change in ("added", "changed", "removed")
        }
        numbers.update(found)
        if any(found.values()):
            differing.append(run.workspace_id)
    text = (
        f"{rebuild.counted} that differ from what the events give: {numbers['added']:,} are missing, "
        f"{numbers['changed']:,} are wrong, {numbers['removed']:,} should not be there"
    )
    if failed:
        text = f"{text}; {len(failed):,} workspaces could not be compared, the first one since: {failed[0].message}"
    workspaces = sorted({*differing, *(run.workspace_id for run in failed)})
    return warning(projection_key(projection), AS_RECORDED, workspaces, text)
