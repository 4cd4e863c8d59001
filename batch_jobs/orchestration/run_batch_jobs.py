"""The op job `run_batch_jobs`: any jobs, any run date, any workspaces, as a dry run unless told otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import Failure, JobDefinition, MultiPartitionsDefinition, OpExecutionContext, job, op
from pydantic import Field

import batch_jobs.jobs
from batch_jobs.engine.admission import read_day
from batch_jobs.engine.by_hand import in_order, parameters_of_each, wanted_targets
from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun, Target
from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BadInputError, BatchJobsError
from batch_jobs.orchestration.batch_events import report_events
from batch_jobs.orchestration.failures import refusals_as_failures
from batch_jobs.orchestration.history import DONE, partition_events, run_date_tag, run_tags
from batch_jobs.orchestration.interrupts import stopping_between_chunks
from batch_jobs.orchestration.launch import read_launch
from batch_jobs.orchestration.op_config import LaunchConfig
from batch_jobs.orchestration.outcomes import outcomes
from batch_jobs.orchestration.partitions import window, workspace_keys
from batch_jobs.orchestration.progress_log import ProgressLog
from batch_jobs.orchestration.resources import ENGINE, engine_of


def _nightly() -> list[str]:
    """All jobs of a night, in their order, but for those that by hand are tried first: what they delete is gone."""
    jobs = batch_jobs.jobs.registry()
    return [
        job.name for job in in_order(jobs, jobs) if not (job.by_hand_only or job.continuous or job.parameters().dry_run)
    ]


class RunBatchJobsConfig(LaunchConfig):
    """What to run, for whom, and for which day."""

    jobs: list[str] = Field(
        # A field without a default is left out of the form, and nobody knows the names by heart.
        default=_nightly(),
        description="Names of the jobs; leave out those that are not wanted. They run one after another, each after "
        f"those of the list that it comes after. There are: {', '.join(sorted(batch_jobs.jobs.registry()))}.",
    )
    run_date: str = Field(
        default="",
        description="The day to run for, as YYYY-MM-DD; any day, also outside of the window of the partitions. Empty: "
        "each workspace's own today.",
    )
    workspaces: list[str] = Field(
        default=[],
        description="Ids of the workspaces. They are run whatever the hour and whatever other jobs are due. Empty: all "
        "where the job is due (with force: all active ones).",
    )
    dry_run: bool = Field(
        default=True,
        description="Do all the work, undo it, and show the counters and up to 100 of the rows of each job run that a "
        "real run would write. Nothing is changed. Set it to false to write.",
    )
    allow_future: bool = Field(
        default=False,
        description="Allow a run date after a workspace's own today. What is written for a future day has to be undone "
        "by hand. A dry run needs no permission.",
    )
    force: bool = Field(
        default=False,
        description="With no workspaces named: take all active ones, due or not. Those with nothing to do end as "
        "completed and say so. A job that can redo what is not due (its parameter force or force_recompute) does.",
    )
    employee_id: str = Field(
        default="",
        description="Only this employee. The job then does not count as done for the workspace and run date.",
    )
    org_unit_id: str = Field(
        default="",
        description="Only employees of this org unit and those below it. The job then does not count as done for the "
        "workspace and run date.",
    )
    # A null that the type does not allow makes Dagster fall over instead of refusing it.
    parameters: dict[str, Any | None] = Field(
        default={},
        description="More parameters by name, given to each of the jobs that has them; see their descriptions.",
    )


def run_batch_jobs_job(partitions: MultiPartitionsDefinition) -> JobDefinition:
    """The job of the launchpad for what-if runs and for days outside of the window."""

    @op(required_resource_keys={ENGINE}, description="Runs the named jobs, one after another.")
    def run_jobs(context: OpExecutionContext, config: RunBatchJobsConfig) -> None:
        with refusals_as_failures():
            _run(context, config, partitions)

    @job(
        name="run_batch_jobs",
        description="Runs any jobs for any run date and any workspaces, also for days that have no partitions. A dry "
        "run unless dry_run is set to false.",
    )
    def run_batch_jobs() -> None:
        run_jobs()

    return run_batch_jobs


def _run(context: OpExecutionContext, config: RunBatchJobsConfig, partitions: MultiPartitionsDefinition) -> None:
    engine = engine_of(context.resources)
    plan = plan_of(engine, config)
    log = ProgressLog(context.log)
    first, last = window(partitions)
    shown = set(workspace_keys(context.instance))

    def on_finished(runs: Sequence[JobRun]) -> None:
        log.finished(runs)
        in_grid = [run for run in runs if first <= run.run_date <= last and run.workspace_id in shown]
        events = partition_events(engine, in_grid)
        report_events(context, events.materializations)
        report_events(context, events.observations)

    runs: list[JobRun] = []
    refusal = ""
    with stopping_between_chunks() as should_stop:
        for chosen, parameters in plan:
            if should_stop():
                context.log.info(f"stopped before {chosen.name}; what was done before stays")
                break
            try:
                targets = targets_of(engine, chosen, parameters, config)
                if not targets:
                    context.log.info(f"{chosen.name}: nothing is due")
                    continue
                done = engine.run(
                    request_of(
                        context,
                        chosen,
                        targets,
                        parameters,
                        named=bool(config.workspaces),
                        allow_future=config.allow_future,
                    ),
                    on_finished=on_finished,
                    on_progress=log.progress,
                    should_stop=should_stop,
                )
                tell_busy(context, chosen, targets, done)
                runs += done
            except BatchJobsError as error:
                if not runs:
                    raise
                refusal = f"{chosen.name}: {error}"
                break
        context.instance.add_run_tags(context.run.run_id, {**run_tags(runs, {}), **date_tag(runs)})
    report_runs(context, engine, runs, refusal=refusal)


def request_of(
    context: OpExecutionContext,
    chosen: Job,
    targets: Sequence[Target],
    parameters: Mapping[str, Any],
    *,
    named: bool,
    allow_future: bool,
) -> RunRequest:
    """What a person asks the engine for who fills in a form, and may have named the workspaces there."""
    launch = read_launch(context.run.tags)
    return RunRequest(
        job=chosen.name,
        targets=targets,
        parameters=parameters,
        trigger=launch.trigger,
        actor=launch.actor,
        # Who names workspaces wants to hear that one of them is busy; of all others, the rest goes on.
        refuse_active=named,
        allow_future=allow_future,
        dagster_run_id=context.run.run_id,
    )


def tell_busy(context: OpExecutionContext, chosen: Job, targets: Sequence[Target], runs: Sequence[JobRun]) -> None:
    """Say in the log where a job was left out because another run of it is active."""
    known = {(run.workspace_id, run.run_date) for run in runs}
    if busy := sorted({workspace_id for workspace_id, day in targets if (workspace_id, day) not in known}):
        context.log.warning(
            f"{chosen.name}: left out where another run of it is active: {busy[0]} and {len(busy) - 1} more"
        )


def report_runs(context: OpExecutionContext, engine: Engine, runs: Sequence[JobRun], *, refusal: str = "") -> None:
    """Attach what came of job runs to the op's output.

    Args:
        context: of the op.
        engine: that ran them.
        runs: that have ended.
        refusal: why there are no more of them.

    Raises:
        Failure: some of them failed or were stopped, or something was refused.
    """
    metadata = outcomes(engine, runs)
    failed = [run for run in runs if run.status not in DONE]
    if failed or refusal:
        said = [*([f"{len(failed)} of {len(runs)} job runs failed"] if failed else []), *([refusal] if refusal else [])]
        raise Failure("; ".join(said), metadata=metadata, allow_retries=False)
    context.add_output_metadata(metadata)


def plan_of(engine: Engine, config: RunBatchJobsConfig) -> list[tuple[Job, dict[str, Any]]]:
    """The jobs that are asked for, in their order, with the parameters of each.

    Raises:
        BadInputError: there are none, one is not known, or a parameter is not or does not fit.
    """
    if not config.jobs:
        raise BadInputError(f"no job is named in jobs; expected one or more of: {', '.join(sorted(engine.jobs))}")
    narrowing = {"employee_id": config.employee_id, "org_unit_id": config.org_unit_id}
    given = {
        **config.parameters,
        "dry_run": config.dry_run,
        **{name: value for name, value in narrowing.items() if value},
    }
    return parameters_of_each(in_order(engine.jobs, config.jobs), given, force=config.force)


def targets_of(engine: Engine, chosen: Job, parameters: Mapping[str, Any], config: RunBatchJobsConfig) -> list[Target]:
    """The workspaces and run dates that one job of the plan gets, none where nothing is due.

    Raises:
        BadInputError: the run date is none, a named workspace is not known, or the job may not run there.
    """
    run_date = read_day(config.run_date, name="run_date") if config.run_date else None
    return wanted_targets(
        engine,
        chosen,
        parameters,
        workspaces=config.workspaces,
        run_date=run_date,
        force=config.force,
        future=config.allow_future or config.dry_run,
    )


def date_tag(runs: Sequence[JobRun]) -> Mapping[str, str]:
    """The tag of the run dates of job runs, if there are any."""
    return run_date_tag({run.run_date for run in runs}) if runs else {}
