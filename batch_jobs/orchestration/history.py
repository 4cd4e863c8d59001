"""What Dagster shows of job runs: events of partitions with their metadata, and tags of runs."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from dagster import AssetMaterialization, AssetObservation, MetadataValue, TableRecord

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import ACTIVE, WORST_FIRST, JobRun, Status
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.ledger_reads import row_error_samples
from batch_jobs.orchestration.partitions import Target

JOB_TAG = "batch_jobs/job"
STATUS_TAG = "batch_jobs/status"
ERRORS_TAG = "batch_jobs/errors"
RUN_DATE_TAG = "batch_jobs/run_date"


DONE: tuple[Status, ...] = ("completed", "warning")


class PartitionEvents(NamedTuple):
    """What is recorded of job runs, by kind of event."""

    materializations: list[AssetMaterialization]
    observations: list[AssetObservation]


def partition_events(engine: Engine, runs: Sequence[JobRun]) -> PartitionEvents:
    """The events that job runs are for their partitions.

    What made the job done for a workspace is a materialization. What did not (a failure, a dry run, a run for one
    employee) is an observation: it is told there, and the partition does not look done.
    """
    found = PartitionEvents([], [])
    samples = row_error_samples(engine, runs)
    for run in runs:
        if engine.jobs[run.job].by_hand_only:
            continue  # not an asset
        key, partition = job_key(run.job), Target(run.workspace_id, run.run_date).partition_key
        metadata = partition_metadata(run, samples.get(run.job_run_id, ()))
        parameters = engine.jobs[run.job].parameters(**run.params)
        if run.status in DONE and not (parameters.dry_run or parameters.narrows):
            found.materializations.append(AssetMaterialization(key, partition=partition, metadata=metadata))
        else:
            found.observations.append(AssetObservation(key, partition=partition, metadata=metadata))
    return found


def partition_metadata(run: JobRun, row_errors: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a partition tells of its job run. Numbers stay numbers, so that they plot over time.

    Args:
        run: the job run, ended.
        row_errors: a sample of its row errors, as columns by name.
    """
    shown: dict[str, Any] = {
        **run.counters,
        "status": run.status,
        "errors": run.errors,
        "duration_seconds": run.duration_seconds or 0.0,
        "attempt": run.attempt,
        "trigger": run.trigger,
        "actor": run.actor,
        "job_run_id": run.job_run_id,
    }
    if run.message:
        shown["message"] = run.message
    if row_errors:
        shown["row_errors"] = table(row_errors)
    if run.plan:
        shown["plan"] = table(run.plan)
    return shown


def table(rows: Sequence[Mapping[str, Any]]) -> MetadataValue:
    """Rows as a table in the UI, with the columns of all of them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return MetadataValue.table([TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows])


def run_tags(runs: Iterable[JobRun], earlier: Mapping[str, str]) -> dict[str, str]:
    """The tags by which the Runs page shows and filters how the job runs of a Dagster run ended.

    Args:
        runs: the job runs that ended in this op.
        earlier: the tags of the Dagster run so far: it may have several ops.
    """
    runs = list(runs)
    statuses = {run.status for run in runs} | {earlier.get(STATUS_TAG)} - set(ACTIVE)
    worst = next((status for status in WORST_FIRST if status in statuses), "nothing due")
    errors = sum(run.errors for run in runs) + int(earlier.get(ERRORS_TAG, 0))
    return {STATUS_TAG: worst, ERRORS_TAG: str(errors)}


def fresh_run_tags() -> dict[str, str]:
    """The same tags of a run that has only begun: one that is executed again has those of the first."""
    return {STATUS_TAG: "started", ERRORS_TAG: "0"}


def run_date_tag(run_dates: Collection[date]) -> dict[str, str]:
    """The tag of the run dates of a Dagster run."""
    first, last = min(run_dates), max(run_dates)
    return {RUN_DATE_TAG: str(first) if first == last else f"{first}..{last}"}


def _cell(value: Any) -> str | int | float | bool | None:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
