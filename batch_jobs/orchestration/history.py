"""What Dagster shows of job runs: events of partitions with their metadata, and tags of runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from dagster import AssetCheckExecutionContext, AssetExecutionContext, AssetMaterialization, AssetObservation

from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import ACTIVE, WORST_FIRST, JobRun, Status
from batch_jobs.orchestration.asset_keys import job_key
from batch_jobs.orchestration.ledger_reads import row_error_samples
from batch_jobs.orchestration.partitions import Target
from batch_jobs.orchestration.tables import in_words, plan_row, table

# Short, since the Runs page shows some twenty letters of a tag, its name included.
STATUS_TAG = "status"
ERRORS_TAG = "errors"
RUN_DATE_TAG = "run_date"

NONE_CHOSEN = "none chosen"
NOTHING_DUE = "nothing due"

DONE: tuple[Status, ...] = ("completed", "warning")
BROKEN_OFF: tuple[Status, ...] = ("failed", "stopped")


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
        metadata = partition_metadata(run, engine.jobs[run.job], samples.get(run.job_run_id, ()))
        if run.status in DONE and not _is_partial(engine.jobs[run.job], run):
            found.materializations.append(AssetMaterialization(key, partition=partition, metadata=metadata))
        else:
            found.observations.append(AssetObservation(key, partition=partition, metadata=metadata))
    return found


def totals(job: Job, runs: Sequence[JobRun]) -> list[AssetObservation]:
    """For each run date what its job runs counted together, as numbers of the asset that plot over time.

    The plots of the partitions have a point for each workspace, which says little of a night.

    Args:
        job: their job.
        runs: that have ended; those that do not make the job done are left out.
    """
    observations = []
    done = [run for run in runs if run.status in DONE and not _is_partial(job, run)]
    for day in sorted({run.run_date for run in done}):
        of_day = [run for run in done if run.run_date == day]
        shown: dict[str, Any] = {
            f"total {counter.name}": sum(run.counters.get(counter.name, 0) for run in of_day)
            for counter in job.counters
        }
        shown |= {"total workspaces": len(of_day), "run_date": str(day)}
        observations.append(AssetObservation(job_key(job.name), metadata=shown))
    return observations


def _is_partial(job: Job, run: JobRun) -> bool:
    """Whether it leaves the job to be done: a dry run, or one for a part of the workspace."""
    parameters = job.parameters(**run.params)
    return parameters.dry_run or parameters.narrows


def partition_metadata(run: JobRun, job: Job, row_errors: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What a partition tells of its job run, the most important first. Numbers stay numbers: they can be plotted.

    Args:
        run: the job run, ended.
        job: its job.
        row_errors: a sample of its row errors, as columns by name.
    """
    shown: dict[str, Any] = {"status": run.status}
    if run.message:
        shown["message"] = run.message
    shown |= counters_in_order(run, job) | {"errors": run.errors}
    if row_errors:
        shown["row_errors"] = table([{"message": error["message"]} for error in row_errors])
    if run.plan:
        shown["plan"] = table([plan_row(row) for row in run.plan])
    return shown | {
        "parameters": in_words(run.params) or NONE_CHOSEN,
        "trigger": run.trigger,
        "actor": run.actor,
        "attempt": run.attempt,
        "duration_seconds": run.duration_seconds or 0.0,
        "job_run_id": run.job_run_id,
    }


def counters_in_order(run: JobRun, job: Job) -> dict[str, Any]:
    """The counters of a run as its job lists them, and then the rest: the ledger keeps no order."""
    declared = {counter.name: run.counters[counter.name] for counter in job.counters if counter.name in run.counters}
    return declared | run.counters


def note_end(
    context: AssetExecutionContext | AssetCheckExecutionContext,
    runs: Iterable[JobRun] = (),
    *,
    otherwise: str = NOTHING_DUE,
) -> None:
    """Tag the Dagster run with what came of this op, beside what came of others: see `run_tags`."""
    run = context.instance.get_run_by_id(context.run.run_id)
    context.instance.add_run_tags(context.run.run_id, run_tags(runs, run.tags if run else {}, otherwise=otherwise))


def run_tags(runs: Iterable[JobRun], earlier: Mapping[str, str], *, otherwise: str = NOTHING_DUE) -> dict[str, str]:
    """The tags by which the Runs page shows and filters how the job runs of a Dagster run ended.

    Args:
        runs: the job runs that ended in this op.
        earlier: the tags of the Dagster run so far: it may have several ops.
        otherwise: the status where neither has one.
    """
    runs = list(runs)
    statuses = {run.status for run in runs} | {earlier.get(STATUS_TAG)} - set(ACTIVE)
    worst = next((status for status in WORST_FIRST if status in statuses), otherwise)
    errors = sum(run.errors for run in runs) + int(earlier.get(ERRORS_TAG, 0))
    return {STATUS_TAG: worst, ERRORS_TAG: str(errors)}


def fresh_run_tags() -> dict[str, str]:
    """The same tags of a run that has only begun: one that is executed again has those of the first."""
    return {STATUS_TAG: "started", ERRORS_TAG: "0"}


def broken_off_tags(earlier: Mapping[str, str], status: Status) -> dict[str, str]:
    """The status tag of a Dagster run that failed or was canceled, whatever its job runs came to: some had not begun.

    Args:
        earlier: the tags of the run.
        status: `failed` or `stopped`; one of both that the tag names already stays.
    """
    return {} if earlier.get(STATUS_TAG) in BROKEN_OFF else {STATUS_TAG: status}


def run_date_tag(run_dates: Collection[date]) -> dict[str, str]:
    """The tag of the run dates of a Dagster run."""
    first, last = min(run_dates), max(run_dates)
    return {RUN_DATE_TAG: str(first) if first == last else f"{first}..{last}"}
