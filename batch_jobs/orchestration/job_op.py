"""What the op of a job asset does: partitions to targets, targets to the engine, job runs to events and tags."""

from collections import Counter
from collections.abc import Iterator, Sequence

from dagster import AssetExecutionContext, DagsterEvent, Failure
from dagster import MultiPartitionsDefinition as Partitions

from batch_jobs.engine.contract import Job
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BadInputError
from batch_jobs.orchestration.batch_events import output_is_ready, report_events
from batch_jobs.orchestration.history import DONE, note_end, partition_events, run_date_tag, totals
from batch_jobs.orchestration.interrupts import stopping_between_chunks
from batch_jobs.orchestration.launch import read_launch
from batch_jobs.orchestration.ledger_reads import of_run_dates, targets_of_dagster_run
from batch_jobs.orchestration.op_config import FutureConfig, read_chosen
from batch_jobs.orchestration.outcomes import outcomes
from batch_jobs.orchestration.partitions import Target, no_partitions, read_partition_key
from batch_jobs.orchestration.progress_log import ProgressLog
from batch_jobs.orchestration.resources import engine_of

NAMED_IN_FAILURE = 5


def run_partitions(
    context: AssetExecutionContext, job: Job, config: FutureConfig, partitions: Partitions
) -> Iterator[DagsterEvent]:
    """Run the job for the partitions that the Dagster run was asked for.

    Raises:
        Failure: some are not done, unless a schedule asked for a range: those are tried again.
        BadInputError: the request is refused.
    """
    engine = engine_of(context.resources)
    launch = read_launch(context.run.tags)
    parameters, allow_future = read_chosen(job, config)
    asked, only_due = _asked(context), launch.only_due
    if launch.again:
        # Its range also held workspaces that nobody had asked for. If it came to nothing, what is due now is meant.
        first = targets_of_dagster_run(engine, launch.again)
        only_due = not first
        asked = [target for target in asked if only_due or target in first]
    refused = no_partitions(asked, partitions, context.instance)
    refused |= engine.refused(job, asked, future=allow_future or parameters.dry_run)
    targets = [target for target in asked if target not in refused]
    if not targets and not only_due:
        reasons = list(refused.values()) or ["nothing that the first run worked on has a partition any more"]
        raise BadInputError("; ".join(_some(reasons)))
    if not targets:
        context.log.info("nothing is due")
        note_end(context)
        yield output_is_ready(context)
        return
    context.instance.add_run_tags(context.run.run_id, run_date_tag({target.run_date for target in targets}))
    log = ProgressLog(context.log)

    def on_finished(runs: Sequence[JobRun]) -> None:
        log.finished(runs)
        events = partition_events(engine, runs)
        report_events(context, events.materializations)
        report_events(context, events.observations)

    with stopping_between_chunks() as should_stop:
        runs = engine.run(
            RunRequest(
                job=job.name,
                targets=targets,
                parameters=parameters.model_dump(exclude_unset=True),
                trigger=launch.trigger,
                actor=launch.actor,
                only_due=only_due,
                # Of one partition a person wants to hear that it runs already; of many, the others are to go on.
                refuse_active=len(asked) == 1 and not only_due,
                allow_future=allow_future,
                dagster_run_id=context.run.run_id,
            ),
            on_finished=on_finished,
            on_progress=log.progress,
            should_stop=should_stop,
        )
        note_end(context, runs)
    numbers = Counter(run.status for run in runs)
    context.log.info(", ".join(f"{number} {status}" for status, number in numbers.items()) or "nothing is due")
    # Of the whole night: workspaces of other time zones, and those that failed before, have Dagster runs of their own.
    # A continuous job has no night: it runs every half minute, and counts what each run did.
    of_night = runs if job.continuous else of_run_dates(engine, job.name, {run.run_date for run in runs})
    report_events(context, totals(job, of_night))
    yield output_is_ready(context, outcomes(engine, runs))
    unwell = [run for run in runs if run.status not in DONE]
    undone = [f"{run.workspace_id} {run.run_date} {run.status}: {run.message}" for run in unwell]
    if not only_due:
        undone += [*_busy(targets, runs), *refused.values()]
    if undone and not launch.over_range:
        raise Failure(f"{len(undone)} of {len(asked)} not done: {'; '.join(_some(undone))}", allow_retries=False)


def _asked(context: AssetExecutionContext) -> list[Target]:
    """What the run was asked for, whether or not it can be done."""
    if not (context.has_partition_key or context.has_partition_key_range):
        raise BadInputError(
            "no partition was asked for; choose run dates and workspaces (Materialize, or --partition "
            '"2026-11-23|WORKSPACE" on the command line), or use run_batch_jobs'
        )
    return [read_partition_key(key) for key in context.partition_keys]


def _busy(targets: Sequence[Target], runs: Sequence[JobRun]) -> list[str]:
    """What could be run and has no job run, with the reason."""
    known = {(run.workspace_id, run.run_date) for run in runs}
    return [f"{name} {day}: another run of it is active" for name, day in targets if (name, day) not in known]


def _some(texts: Sequence[str]) -> list[str]:
    return [*texts[:NAMED_IN_FAILURE], *(["…"] if len(texts) > NAMED_IN_FAILURE else [])]
