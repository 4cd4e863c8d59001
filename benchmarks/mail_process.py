"""A worker of the mail benchmark: says "ready", and sends what waits once its stdin ends.

Arguments: database URL, port of the server on loopback, workspace.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from batch_jobs.engine.batch import Outside, WorkspaceRun
from batch_jobs.engine.contract import Parameters
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.mail import message, rendering
from batch_jobs.settings import Settings, Smtp
from batch_jobs.store.database import Database


def main() -> None:
    """Send."""
    url, port, workspace = sys.argv[1:]
    assert message
    assert rendering
    smtp = Smtp(host="127.0.0.1", port=int(port), security="none")
    with Database(url) as database:
        with database.reader() as connection:
            connection.execute("SELECT 1")
        print("ready", flush=True)
        sys.stdin.read()
        run = WorkspaceRun(str(uuid4()), datetime.now(UTC).date(), "UTC", Parameters())
        settings = Settings(home=Path("unused"), smtp=smtp)
        DeliverNotifications().reach_out(Outside(database, settings, {workspace: run}, lambda _: None))


if __name__ == "__main__":
    main()
