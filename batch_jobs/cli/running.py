"""`due` and `run`: what needs to be done, and doing it now."""

import getpass
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Annotated, Any

import typer

from batch_jobs.cli import arguments
from batch_jobs.cli.arguments import AsJson, read_dates
from batch_jobs.cli.failures import INTERRUPTED
from batch_jobs.cli.interruption import stopping_on_signal
from batch_jobs.cli.output import note, print_json, print_table, say
from batch_jobs.cli.progress import progress_bar
from batch_jobs.cli.run_tables import MOST_SHOWN, outcome_code, print_results
from batch_jobs.engine.admission import read_day
from batch_jobs.engine.by_hand import admit_day, in_order, parameters_of_each, wanted_targets
from batch_jobs.engine.contract import Job
from batch_jobs.engine.due import DueReport
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.progress import Progress
from batch_jobs.engine.requests import RunRequest, read_parameters
from batch_jobs.errors import BadInputError, BatchJobsError
from batch_jobs.installation import open_engine

Workspaces = Annotated[
    list[str] | None,
    typer.Option("--workspace", metavar="ID", help="Only this workspace; repeat it for several.", show_default=False),
]


def due(
    date_: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Run date; by default each workspace's own today."),
    ] = None,
    job: Annotated[list[str] | None, typer.Option("--job", help="Only this job; repeat it for several.")] = None,
    workspace: Workspaces = None,
    as_json: AsJson = False,
) -> None:
    """Show which jobs are due or waiting in which active workspaces, and why the others are not.

    It is what the scheduler sees. With --date the local time of the workspaces does not count.
    """
    run_date = None if date_ is None else read_day(date_)
    with open_engine(progress=note) as engine:
        if workspace:
            engine.own_today(workspace)
        report = engine.due(job or None, workspaces=workspace or None, run_date=run_date)
        names = [found.name for found in in_order(engine.jobs, job or engine.scheduled_jobs)]
    if as_json:
        print_json(
            [
                {"job": item.job, "workspace_id": item.workspace_id, "run_date": item.run_date, "state": item.state}
                | {"reason": item.reason, "rows": item.rows, "failures": item.failures}
                for item in report.items
            ]
        )
    else:
        _print_due(report, names)


def run(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Names of jobs; `batch-jobs due` lists them.")],
    *,
    workspace: Workspaces = None,
    date_: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="D|A..B",
            help="Run date as YYYY-MM-DD, or the first and last of several, run one after the other (400 at the most). "
            "By default each workspace's own today.",
        ),
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Do all the work, undo it, and report what a real run would do. Nothing is changed. By default off, "
            "but on for jobs that delete or rebuild.",
        ),
    ] = None,
    allow_future: Annotated[
        bool,
        typer.Option(
            "--allow-future",
            help="Allow a run date after a workspace's own today. What is written for a future day has to be undone "
            "by hand.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Without --workspace: take all active workspaces, due or not. Where the job can work on rows that "
            "are not due (its parameter force or force_recompute), it does.",
        ),
    ] = False,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the jobs; repeat it for several."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run jobs now, each after those that it comes after, without the orchestrator.

    Without --workspace they run in the active workspaces where rows are due, whatever the local time and whatever ran
    before; with it, in those named, and say so where nothing was due. Ctrl-C stops after the current chunk of work:
    what was committed stays, and the run ends as stopped.
    """
    dates = read_dates(date_)
    given = arguments.read_parameters(param or [])
    with open_engine(progress=note) as engine:
        chosen = _parameters(given, dry_run=dry_run)
        plan = parameters_of_each(in_order(engine.jobs, jobs), chosen, force=force)
        runs: list[JobRun] = []
        refusal: BatchJobsError | None = None
        interrupted = False
        with stopping_on_signal() as should_stop:
            try:
                for request in _requests(engine, plan, dates, workspace or [], force=force, allow_future=allow_future):
                    if should_stop():
                        break
                    runs += _run_one(engine, request, should_stop)
            except BatchJobsError as error:
                refusal = error
            interrupted = should_stop()
    _report(runs, refusal=refusal, as_json=as_json, asked=[job.name for job, _ in plan])
    raise typer.Exit(INTERRUPTED if interrupted else outcome_code(runs))


def actor() -> str:
    """Who asks, for the ledger: the user of the operating system."""
    try:
        return f"user:{getpass.getuser()}"
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"user:{os.getuid()}"


def _run_one(engine: Engine, request: RunRequest, should_stop: Callable[[], bool]) -> list[JobRun]:
    # Whole workspaces differ so much in size that their number says little about how much is left.
    by_unit = engine.jobs[request.job].by_hand_only
    unit = engine.jobs[request.job].unit if by_unit else "workspaces"

    def on_progress(progress: Progress) -> None:
        if by_unit:
            advance(progress.rows_done, progress.rows)
        else:
            advance(progress.workspaces_done, progress.workspaces)

    with progress_bar(request.job, unit=unit) as advance:
        return engine.run(
            request,
            on_progress=on_progress,
            should_stop=should_stop,
        )


def _requests(
    engine: Engine,
    plan: Sequence[tuple[Job, dict[str, Any]]],
    dates: Sequence[date | None],
    workspaces: Sequence[str],
    *,
    force: bool,
    allow_future: bool,
) -> Iterator[RunRequest]:
    """One request for each date and job, made when the one before has been carried out, whose events it sees."""
    future = allow_future or all(read_parameters(job, parameters).dry_run for job, parameters in plan)
    if not future:
        admit_day(engine, [job for job, _ in plan], workspaces, dates[-1])
    for run_date in dates:
        for job, parameters in plan:
            targets = wanted_targets(
                engine, job, parameters, workspaces=workspaces, run_date=run_date, force=force, future=future
            )
            if targets:
                yield RunRequest(
                    job=job.name,
                    targets=targets,
                    parameters=parameters,
                    actor=actor(),
                    allow_future=allow_future,
                )


def _parameters(given: dict[str, str], *, dry_run: bool | None) -> dict[str, Any]:
    chosen: dict[str, Any] = dict(given)
    if dry_run is not None:
        if "dry_run" in given:
            raise BadInputError(f"--param dry_run={given['dry_run']} and --dry-run are the same choice; give one")
        chosen["dry_run"] = dry_run
    return chosen


def _report(runs: Sequence[JobRun], *, refusal: BatchJobsError | None, as_json: bool, asked: Sequence[str]) -> None:
    if as_json and (runs or refusal is None):
        print_json([run.as_json() for run in runs])
    elif runs:
        print_results(runs)
    if refusal is not None:
        raise refusal
    if not runs:
        note(f"nothing is due for {', '.join(asked)} in any active workspace; --force or --workspace runs it anyway")


def _print_due(report: DueReport, jobs: Sequence[str]) -> None:
    rows = [*report.due, *report.of("waiting")]
    if rows:
        print_table(
            ["job", "workspace", "run date", "state", "rows", "why not"],
            [
                [item.job, item.workspace_id, item.run_date, item.state, item.rows, item.reason or None]
                for item in rows[:MOST_SHOWN]
            ],
            folding=["job", "workspace", "why not"],
        )
    if len(rows) > MOST_SHOWN:
        say(f"... and {len(rows) - MOST_SHOWN:,} more; --json lists all")
    for name in jobs:
        say(f"{name}: {DueReport([item for item in report.items if item.job == name]).summary()}")
    if not report.items:
        say("there are no active workspaces; `batch-jobs sample` makes some, `batch-jobs import` brings yours")
