"""How a night went: for each job the workspaces that completed, warned, failed or had nothing to do."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from batch_jobs.cli.output import print_table, say
from batch_jobs.engine.history import row_errors
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.store.database import Transaction

WARNINGS_SHOWN = 20
COLUMNS = ("completed", "warning", "failed", "skipped")


def print_night(connection: Transaction, runs: Sequence[JobRun], *, jobs: Iterable[str], workspaces: int) -> None:
    """Print the night's jobs, and why those that warned did.

    Args:
        connection: a reader's transaction.
        runs: of the night, the newest first.
        jobs: their names, in the order of the night.
        workspaces: how many there are; one without a run was skipped.
    """
    latest: defaultdict[str, dict[str, JobRun]] = defaultdict(dict)
    for run in runs:
        latest[run.job].setdefault(run.workspace_id, run)
    rows = [_row(job, latest[job], workspaces) for job in jobs]
    print_table(["job", *COLUMNS, "what was done"], rows, folding=["job", "what was done"])
    warned = [run for found in latest.values() for run in found.values() if run.status in ("warning", "failed")]
    if warned:
        say("")
        print_table(
            ["id", "job", "workspace", "errors", "the first of them"],
            [_reason(connection, run) for run in warned[:WARNINGS_SHOWN]],
            folding=["job", "workspace", "the first of them"],
        )


def _row(job: str, runs: dict[str, JobRun], workspaces: int) -> list[object]:
    statuses: Counter[str] = Counter(run.status for run in runs.values())
    statuses["skipped"] = workspaces - len(runs)
    done: Counter[str] = Counter()
    for run in runs.values():
        done.update({name: value for name, value in run.counters.items() if isinstance(value, int) and value})
    return [job, *(statuses[name] for name in COLUMNS), ", ".join(f"{name} {value:,}" for name, value in done.items())]


def _reason(connection: Transaction, run: JobRun) -> list[object]:
    errors = row_errors(connection, run.job_run_id)
    warned = ", ".join(f"{name} {value}" for name, value in run.counters.items() if value)
    reason = run.message or (errors[0]["message"] if errors else warned)
    return [run.job_run_id[:8], run.job, run.workspace_id, run.errors, reason]
