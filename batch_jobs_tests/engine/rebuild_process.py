"""A process that rebuilds one workspace, and can be held at a point of it, to be killed there.

Its arguments: database URL, the job, the point, the workspace. It says "here" when it comes to the point.
"""

import sys
from collections.abc import Callable
from typing import Any

from batch_jobs.engine import chunk_transaction, drift, job_runs, rebuild, rebuild_job, runner
from batch_jobs.engine.requests import RunRequest
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.company import DAY, engine_of

JOBS = {job.name: job for job in (RebuildEmployeeProjections, RebuildSearchIndexes)}
# What has just been done, or done for the second time, when the point is reached. The run ends in the ledger within
# the transaction that swaps, so there is no point between the two commits.
POINTS: dict[str, tuple[Any, str, int]] = {
    "run-begun": (job_runs, "start", 1),
    "one-table-created": (rebuild, "_create_beside", 1),
    "two-projections-folded": (runner.Runner, "_on_load", 2),
    "built": (rebuild.Rebuild, "build", 1),
    "locked": (chunk_transaction, "lock_workspaces", 1),
    "caught-up-beside": (rebuild.Rebuild, "catch_up", 1),
    "caught-up-serving": (rebuild_job, "_catch_up_serving", 1),
    "one-table-compared": (drift.Comparison, "find", 1),
    "all-of-one-compared": (rebuild.Rebuild, "compare", 1),
    "two-tables-taken-over": (drift.Comparison, "take_over", 2),
    "one-projection-swapped": (rebuild.Rebuild, "swap", 1),
    "run-ended": (chunk_transaction.ChunkTransaction, "_end", 1),
    "committed": (chunk_transaction.ChunkTransaction, "do", 1),
}


def main() -> None:
    url, job, point, workspace_id = sys.argv[1:]
    owner, name, times = POINTS[point]
    setattr(owner, name, held_after(getattr(owner, name), times))
    with Database(url) as database:
        engine = engine_of(database, JOBS[job](), worker_lost_after=2)
        engine.run(RunRequest(job=job, targets=[(workspace_id, DAY)], parameters={"dry_run": False}))


def held_after(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    left = times

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        found = function(*arguments, **options)
        left -= 1
        if not left:
            print("here", flush=True)
            sys.stdin.readline()
        return found

    return counted


if __name__ == "__main__":
    main()
