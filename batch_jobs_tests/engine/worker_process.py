"""A process that runs the marking job and can be held in the midst of it.

Its arguments: database URL, `worker_lost_after`, a workspace, `due` or `all`, and the workspaces to run for. It says
"deciding" when it comes to the first, and goes on when it reads a line; at the end it prints its job runs as JSON, or
the refusal.
"""

import json
import sys

from batch_jobs.engine.requests import RunRequest
from batch_jobs.errors import BatchJobsError
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.company import DAY, engine_of
from batch_jobs_tests.engine.marking import Marking


def main() -> None:
    url, lost_after, gate, only_due, *workspaces = sys.argv[1:]
    held = []

    def hold(batch):
        if gate in batch.runs and batch.rows and not held:
            held.append(True)
            print("deciding", flush=True)
            sys.stdin.readline()

    with Database(url) as database:
        engine = engine_of(database, Marking(on_batch=hold), worker_lost_after=int(lost_after), chunk_rows=3)
        request = RunRequest(
            job="marking",
            targets=[(name, DAY) for name in workspaces],
            actor="user:first",
            only_due=only_due == "due",
            refuse_active=only_due != "due",
        )
        try:
            runs = engine.run(request)
        except BatchJobsError as refused:
            print(json.dumps({"refused": str(refused)}))
        else:
            print(json.dumps({"runs": [[run.workspace_id, run.status, run.message] for run in runs]}))


if __name__ == "__main__":
    main()
