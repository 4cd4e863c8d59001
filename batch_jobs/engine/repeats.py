"""What is asked for when a job run is repeated: the whole of it, or what of it failed."""

from collections.abc import Callable

from batch_jobs.engine.batch import ERRORS_KEPT
from batch_jobs.engine.job_runs import ACTIVE, JobRun, Trigger
from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BadInputError


def replay(run: JobRun, actor: str) -> RunRequest:
    """The same job, workspace, run date and parameters."""
    return _again(run, "replay", actor, None)


def retry(
    run: JobRun, actor: str, find: Callable[[str], JobRun], failed_rows: Callable[[str], list[str]]
) -> RunRequest:
    """The rows that failed; all rows when the run failed or was stopped as a whole.

    Args:
        run: what is to be retried.
        actor: who asks.
        find: gives the run of an id.
        failed_rows: gives the ids of a run's rows that failed.

    Raises:
        BadInputError: there is nothing to retry.
    """
    if run.status in ("failed", "stopped"):
        # A retry that failed knows no rows of its own: those of the run that it repeats are still to be done.
        while run.trigger == "retry" and run.replay_of and run.status in ("failed", "stopped"):
            run = find(run.replay_of)
        if run.status in ("failed", "stopped"):
            return _again(run, "retry", actor, None)
    if run.status in ACTIVE or not run.errors:
        raise BadInputError(
            f"job run {run.job_run_id} is {run.status} and has no failed rows to retry; "
            f"to run it again, use: batch-jobs runs replay {run.job_run_id}"
        )
    # Beyond the errors that are kept, the rows that failed are not known: then all are tried.
    return _again(run, "retry", actor, failed_rows(run.job_run_id) if run.errors <= ERRORS_KEPT else None)


def _again(run: JobRun, trigger: Trigger, actor: str, row_ids: list[str] | None) -> RunRequest:
    return RunRequest(
        job=run.job,
        targets=[(run.workspace_id, run.run_date)],
        parameters=run.params,
        trigger=trigger,
        actor=actor,
        # What was allowed once is meant again.
        allow_future=True,
        replay_of=run.job_run_id,
        row_ids=row_ids,
    )
