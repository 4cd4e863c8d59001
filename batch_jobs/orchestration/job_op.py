"""What the op of a job asset does: partitions to targets, targets to the engine, job runs to events and tags."""

from collections import Counter
from collections.abc import Iterator, Sequence

from dagster import AssetExecutionContext, DagsterEvent, Failure
from dagster import MultiPartitionsDefinition as Partitions

from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.requests import RunRequest
from batch_jobs.orchestration.batch_events import output_is_ready, report_events
from batch_jobs.orchestration.history import DONE, note_end, partition_events, run_date_tag, totals
from batch_jobs.orchestration.interrupts import stopping_between_chunks
from batch_jobs.orchestration.launch import Launch, read_launch
from batch_jobs.orchestration.ledger_reads import of_run_dates
from batch_jobs.orchestration.op_config import FutureConfig, read_chosen
from batch_jobs.orchestration.outcomes import outcomes
from batch_jobs.orchestration.partitions import Target, known_targets
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
    targets = _targets(context, engine, job, launch, partitions)
    if not targets:
        context.log.info("nothing is due")
        note_end(context)
        yield output_is_ready(context)
        return
    context.instance.add_run_tags(context.run.run_id, run_date_tag({target.run_date for target in targets}))
    parameters, allow_future = read_chosen(job, config)
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
                only_due=launch.only_due,
                # Of one partition a person wants to hear that it runs already; of many, the others are to go on.
                refuse_active=len(targets) == 1 and not launch.only_due,
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
    undone = _undone(targets, runs, launch)
    if undone and not launch.over_range:
        shown = "; ".join(undone[:NAMED_IN_FAILURE]) + ("; …" if len(undone) > NAMED_IN_FAILURE else "")
        raise Failure(f"{len(undone)} of {len(targets)} not done: {shown}", allow_retries=False)


def _targets(
    context: AssetExecutionContext, engine: Engine, job: Job, launch: Launch, partitions: Partitions
) -> list[Target]:
    """What the run was asked for."""
    targets = known_targets(context.partition_keys, partitions, context.instance)
    if not launch.only_due:
        return targets
    # A range also holds workspaces that nobody asked for: suspended since, or not yet in that day.
    open_to = set(engine.workspaces_of(job))
    own = engine.own_today([target.workspace_id for target in targets if target.workspace_id in open_to], job)
    return [target for target in targets if target.workspace_id in own and target.run_date <= own[target.workspace_id]]


def _undone(targets: Sequence[Target], runs: Sequence[JobRun], launch: Launch) -> list[str]:
    undone = [
        f"{run.workspace_id} {run.run_date} {run.status}: {run.message}" for run in runs if run.status not in DONE
    ]
    if not launch.only_due:
        known = {(run.workspace_id, run.run_date) for run in runs}
        undone += [f"{name} {day}: another run of it is active" for name, day in targets if (name, day) not in known]
    return undone
