"""A process that rebuilds, and can be held at a point of it. Its arguments: database URL, the point, the workspaces.

It says "here" when it comes to the point: `created`, `folded`, `locked`, `compared`, `swapped` or `committed`.
"""

import sys
from collections.abc import Callable
from typing import Any

from batch_jobs.engine import chunk_transaction, rebuild
from batch_jobs.engine.requests import RunRequest
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.company import DAY, engine_of

# What is over when the point is reached.
POINTS: dict[str, tuple[Any, str]] = {
    "created": (rebuild, "_create_beside"),
    "folded": (rebuild.Rebuild, "build"),
    "locked": (chunk_transaction, "lock_workspaces"),
    "caught up": (rebuild.Rebuild, "catch_up"),
    "compared": (rebuild.Rebuild, "compare"),
    "swapped": (rebuild.Rebuild, "swap"),
    "ended": (chunk_transaction.ChunkTransaction, "_end"),
    "committed": (chunk_transaction.ChunkTransaction, "do"),
}


def main() -> None:
    url, point, *workspaces = sys.argv[1:]
    owner, name = POINTS[point]
    setattr(owner, name, held_after(getattr(owner, name)))
    with Database(url) as database:
        engine = engine_of(database, RebuildEmployeeProjections(), worker_lost_after=2)
        targets = [(workspace_id, DAY) for workspace_id in workspaces]
        engine.run(RunRequest(job=RebuildEmployeeProjections.name, targets=targets, parameters={"dry_run": False}))


def held_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def first(*arguments: Any, **options: Any) -> Any:
        found = function(*arguments, **options)
        print("here", flush=True)
        sys.stdin.readline()
        return found

    return first


if __name__ == "__main__":
    main()
