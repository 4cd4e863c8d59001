"""What a Dagster run tells of its job runs together: tables of outcomes, row errors, and what dry runs would do."""

from collections.abc import Sequence
from typing import Any

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import WORST_FIRST, JobRun
from batch_jobs.orchestration.history import NONE_CHOSEN, counters_in_order
from batch_jobs.orchestration.ledger_reads import row_error_samples
from batch_jobs.orchestration.tables import in_words, plan_row, table

ROWS_SHOWN = 1000


def outcomes(engine: Engine, runs: Sequence[JobRun]) -> dict[str, Any]:
    """The metadata that tell what came of job runs.

    Args:
        engine: whose ledger has them.
        runs: that have ended; those that ended worst are shown first.
    """
    worst_first = sorted(runs, key=lambda run: WORST_FIRST.index(run.status))[:ROWS_SHOWN]
    # What all have in common is told by the tags of the run, and would only make the tables wider.
    telling = [
        name for name in ("job", "workspace_id", "run_date") if name == "workspace_id" or _differ(worst_first, name)
    ]
    where = {run.job_run_id: {name.removesuffix("_id"): getattr(run, name) for name in telling} for run in worst_first}
    samples = row_error_samples(engine, worst_first)
    errors = [
        {**where[run.job_run_id], "message": error["message"]}
        for run in worst_first
        for error in samples.get(run.job_run_id, ())
    ]
    plan = [{**where[run.job_run_id], **plan_row(row)} for run in worst_first for row in run.plan or ()]
    shown: dict[str, Any] = {"job_runs": len(runs)}
    if runs:
        # Each job takes those that it has.
        chosen = {name: value for run in runs for name, value in run.params.items()}
        shown["parameters"] = in_words(chosen) or NONE_CHOSEN
        shown["outcomes"] = table([{**where[run.job_run_id], **_outcome(engine, run)} for run in worst_first])
    if errors:
        shown["row_errors"] = table(errors[:ROWS_SHOWN])
    if plan:
        shown["plan"] = table(plan[:ROWS_SHOWN])
    return shown


def _differ(runs: Sequence[JobRun], name: str) -> bool:
    return len({getattr(run, name) for run in runs}) > 1


def _outcome(engine: Engine, run: JobRun) -> dict[str, Any]:
    counted = in_words(counters_in_order(run, engine.jobs[run.job]))
    return {"status": run.status, "result": "; ".join(text for text in (run.message, counted) if text)}
