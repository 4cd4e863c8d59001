"""A job for troubleshooting as Dagster sees it: a plain op job, started from the launchpad for some workspaces."""

from functools import cache
from typing import Any

from dagster import JobDefinition, OpExecutionContext, job, op
from pydantic import Field

from batch_jobs.engine.admission import read_day
from batch_jobs.engine.by_hand import wanted_targets
from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import Target
from batch_jobs.orchestration.failures import refusals_as_failures
from batch_jobs.orchestration.history import run_tags
from batch_jobs.orchestration.interrupts import stopping_between_chunks
from batch_jobs.orchestration.job_assets import describe
from batch_jobs.orchestration.op_config import FutureConfig, op_config, read_chosen
from batch_jobs.orchestration.progress_log import ProgressLog
from batch_jobs.orchestration.resources import ENGINE, engine_of
from batch_jobs.orchestration.run_batch_jobs import date_tag, report_runs, request_of, tell_busy


class WorkspacesConfig(FutureConfig):
    """Where a job for troubleshooting works."""

    workspaces: list[str] = Field(
        default=[], description="Ids of the workspaces. Empty: all where there is something to do."
    )
    run_date: str = Field(
        default="",
        description="The day that decides who belongs to an org unit, as YYYY-MM-DD. Empty: each workspace's own "
        "today.",
    )


@cache
def troubleshooting_config(job: type[Job]) -> type[WorkspacesConfig]:
    """The Config of a job for troubleshooting: its parameters, the workspaces and the run date."""
    config = op_config(job)
    return type(config.__name__, (config, WorkspacesConfig), {"__module__": __name__, "__doc__": config.__doc__})


def troubleshooting_job(chosen: Job) -> JobDefinition:
    """The Dagster job of the job's name, without partitions and schedule."""
    config_class = troubleshooting_config(type(chosen))

    @op(name=f"run_{chosen.name}", required_resource_keys={ENGINE}, description=chosen.description)
    def run_it(context: OpExecutionContext, config: config_class) -> None:  # type: ignore[valid-type]
        with refusals_as_failures():
            _run(context, chosen, config)

    @job(name=chosen.name, description=describe(chosen))
    def troubleshoot() -> None:
        run_it()

    return troubleshoot


def read_wish(engine: Engine, chosen: Job, config: WorkspacesConfig) -> tuple[dict[str, Any], list[Target]]:
    """The job's parameters as they were chosen, and the workspaces and run dates.

    Raises:
        BadInputError: a parameter does not fit, the run date is none, a named workspace is not known, or the job may
            not run there.
    """
    parameters, allow_future = read_chosen(chosen, config)
    given = parameters.model_dump(exclude_unset=True)
    targets = wanted_targets(
        engine,
        chosen,
        given,
        workspaces=config.workspaces,
        run_date=read_day(config.run_date, name="run_date") if config.run_date else None,
        force=False,
        future=allow_future or parameters.dry_run,
    )
    return given, targets


def _run(context: OpExecutionContext, chosen: Job, config: WorkspacesConfig) -> None:
    engine = engine_of(context.resources)
    given, targets = read_wish(engine, chosen, config)
    log = ProgressLog(context.log)
    with stopping_between_chunks() as should_stop:
        runs = engine.run(
            request_of(
                context, chosen, targets, given, named=bool(config.workspaces), allow_future=config.allow_future
            ),
            on_finished=log.finished,
            on_progress=log.progress,
            should_stop=should_stop,
        )
    tell_busy(context, chosen, targets, runs)
    context.instance.add_run_tags(context.run.run_id, {**run_tags(runs, {}), **date_tag(runs)})
    if not runs:
        context.log.info(f"{chosen.name}: there is nothing to do")
    report_runs(context, engine, runs)
