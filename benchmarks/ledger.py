"""What the ledger and Dagster's events cost a workspace.

Measured: the night's run once more, over the same workspaces and in as many chunks, with a job that has nothing to do
but is due everywhere. What is left of the run is the price of keeping history: rows of the ledger queued, started and
finished, the chunks' transactions with their locks and fences, a planned event and a materialization with its metadata
for each partition, and Dagster's own events of the run, its creation included. The start of a process is not in it, as
it is no part of the writes; it is in the night's figure.

Held against: the target itself, an absolute number; Dagster's share alone was measured at 0.8 ms a workspace.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from dagster import DagsterInstance, Definitions, InitResourceContext, JobDefinition, in_process_executor, resource
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    SCHEDULE_NAME_TAG,
)

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job, Parameters
from batch_jobs.engine.engine import Engine
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.job_assets import asset_job, job_asset
from batch_jobs.orchestration.partitions import Target, job_partitions
from batch_jobs.orchestration.resources import ENGINE
from batch_jobs.projections import registry as projections
from batch_jobs.projections.workforces import employees_in_scope
from benchmarks.bench import Bench, tell
from benchmarks.figures import Figure, Figures
from benchmarks.importing import night_workspaces

TARGET_MS = 1.5


class NoWork(Job):
    """Due once in every workspace, and does nothing."""

    name = "no_work"
    description = "Does nothing, everywhere."
    parameters: ClassVar[type[Parameters]] = Parameters
    counters = (Counter("done", "rows looked at"), Counter("errors", "never", warns=True))
    candidates = "SELECT s.workspace_id, 'nothing' AS row_id, true AS due FROM scope s"

    def decide(self, batch: Batch) -> None:
        """Count the rows."""
        for row in batch.rows:
            batch.count(row, "done")


def measure(bench: Bench) -> Figures:
    """Run the night with the work removed."""
    workspaces = night_workspaces(bench)
    first, last = (Target(name, bench.run_date).partition_key for name in (workspaces[0], workspaces[-1]))
    tags = {
        ASSET_PARTITION_RANGE_START_TAG: first,
        ASSET_PARTITION_RANGE_END_TAG: last,
        SCHEDULE_NAME_TAG: "no_work_schedule",
    }
    job = _dagster_job(bench)
    tell(f"a run over {len(workspaces):,} workspaces without work")
    with DagsterInstance.from_config(str(bench.settings.dagster_home)) as instance:
        began = time.perf_counter()
        job.execute_in_process(instance=instance, tags=tags)
        seconds = time.perf_counter() - began
        materialized = instance.get_materialized_partitions(job_key(NoWork.name))
    assert len(materialized) == len(workspaces), f"{len(materialized)} materializations"
    return {
        "ledger_ms_per_workspace": Figure(
            work="ledger and Dagster events of that night",
            value=1000 * seconds / len(workspaces),
            unit="ms",
            limit=TARGET_MS,
            beside="the target",
            target=TARGET_MS,
        )
    }


def _dagster_job(bench: Bench) -> JobDefinition:
    job = NoWork()
    # A chunk holds as many workspaces as one of the night.
    settings = replace(bench.settings, chunk_rows=bench.settings.chunk_rows // bench.sizes.employees)

    @resource
    def engine(_: InitResourceContext) -> Iterator[Engine]:
        yield Engine(
            bench.database,
            {job.name: job},
            projections(),
            employees_in_scope=employees_in_scope,
            settings=settings,
        )

    partitions = job_partitions(today=bench.run_date, days_back=settings.partition_days_back)
    definitions = Definitions(
        assets=[job_asset(job, partitions, projections())],
        jobs=[asset_job(job)],
        resources={ENGINE: engine},
        executor=in_process_executor,
    )
    return definitions.resolve_job_def(job.name)
