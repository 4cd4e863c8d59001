"""`runs`: the ledger of job runs, and what can be done to one of them."""

from typing import Annotated, get_args

import typer

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.failures import INTERRUPTED
from batch_jobs.cli.interruption import stopping_on_signal
from batch_jobs.cli.output import note, print_json, say
from batch_jobs.cli.progress import progress_bar
from batch_jobs.cli.run_tables import outcome_code, print_details, print_history, print_results
from batch_jobs.cli.running import actor
from batch_jobs.engine.history import list_runs, row_errors
from batch_jobs.engine.job_runs import Status
from batch_jobs.engine.requests import find_job
from batch_jobs.errors import BadInputError
from batch_jobs.installation import open_engine
from batch_jobs.store.workspaces import check_known

app = typer.Typer(
    help="List job runs, newest first; show, replay, retry or stop one. Without a command: the list.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

JobRunId = Annotated[str, typer.Argument(metavar="ID", help="The job run's id, or the beginning of it.")]


@app.callback()
def runs(
    context: typer.Context,
    *,
    job: Annotated[str | None, typer.Option("--job", help="Only this job.")] = None,
    workspace: Annotated[str | None, typer.Option("--workspace", metavar="ID", help="Only this workspace.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help=f"Only this status: {', '.join(get_args(Status))}.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="How many job runs at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List job runs, newest first."""
    if context.invoked_subcommand:
        return
    with open_engine(progress=note) as engine:
        if job is not None:
            find_job(engine.jobs, job)
        engine.fail_lost_workers()
        with engine.database.reader() as connection:
            found = list_runs(connection, job=job, workspace_id=workspace, status=_read_status(status), limit=limit)
        if workspace is not None and not found:
            check_known(engine.database, workspace)
    if as_json:
        print_json([run.as_json() for run in found])
    elif found:
        print_history(found)
    else:
        say(
            "no job runs"
            + (" of that kind" if job or workspace or status else " yet; `batch-jobs due` shows what is due")
        )


@app.command()
def show(job_run_id: JobRunId, as_json: AsJson = False) -> None:
    """Show all about one job run: columns, parameters, counters, row errors (the first 1,000), rows of a dry run."""
    with open_engine(progress=note) as engine:
        engine.fail_lost_workers()
        run = engine.find(job_run_id)
        with engine.database.reader() as connection:
            failed_rows = row_errors(connection, run.job_run_id)
    if as_json:
        print_json(run.as_json() | {"row_errors": failed_rows})
    else:
        print_details(run, failed_rows)


@app.command()
def replay(job_run_id: JobRunId, as_json: AsJson = False) -> None:
    """Run again with the same job, workspace, run date and parameters. What is done already is not done twice."""
    _again(job_run_id, "replay", as_json=as_json)


@app.command()
def retry(job_run_id: JobRunId, as_json: AsJson = False) -> None:
    """Run again for the rows that failed; for all rows when the run failed as a whole."""
    _again(job_run_id, "retry", as_json=as_json)


@app.command()
def stop(job_run_id: JobRunId) -> None:
    """Ask a pending or started job run to end before its next chunk of work. What it committed stays.

    The scheduler finds the job due again at its next look; to keep it from that, switch its schedule off first.
    """
    with open_engine(progress=note) as engine:
        engine.fail_lost_workers()
        run = engine.stop(job_run_id, actor=actor())
    say(f"{run.job} in workspace {run.workspace_id} for {run.run_date} ends before its next chunk: {run.job_run_id}")


def _again(job_run_id: str, how: str, *, as_json: bool) -> None:
    with open_engine(progress=note) as engine, stopping_on_signal() as should_stop:
        again = engine.replay if how == "replay" else engine.retry
        with progress_bar(how, unit="rows") as advance:
            done = again(
                job_run_id,
                actor=actor(),
                on_progress=lambda progress: advance(progress.rows_done, progress.rows),
                should_stop=should_stop,
            )
        interrupted = should_stop()
    if as_json:
        print_json([run.as_json() for run in done])
    else:
        print_results(done)
    raise typer.Exit(INTERRUPTED if interrupted else outcome_code(done))


def _read_status(text: str | None) -> Status | None:
    for status in get_args(Status):
        if text == status:
            found: Status = status
            return found
    if text is not None:
        raise BadInputError(f'status "{text}" is not known; expected one of: {", ".join(get_args(Status))}')
    return None
