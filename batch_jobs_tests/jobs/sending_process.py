"""A process that sends what waits in workspace acme. Arguments: database URL, port of the server, a seed."""

import sys
from pathlib import Path
from random import Random
from uuid import UUID

from batch_jobs.engine.batch import Outside, WorkspaceRun
from batch_jobs.engine.contract import Parameters
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.settings import Settings, Smtp
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.company import DAY


def main() -> None:
    url, port, seed = sys.argv[1:]
    run_id = str(UUID(int=Random(seed).getrandbits(128)))
    settings = Settings(home=Path("unused"), smtp=Smtp(host="127.0.0.1", port=int(port), security="none", timeout=5))
    with Database(url) as database:
        runs = {"acme": WorkspaceRun(run_id, DAY, "UTC", Parameters())}
        DeliverNotifications().reach_out(Outside(database, settings, runs, lambda _: None))


if __name__ == "__main__":
    main()
