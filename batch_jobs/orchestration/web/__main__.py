"""The process that serves the web UI with a login: `python -m batch_jobs.orchestration.web`."""

import argparse

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.version import __version__

from batch_jobs.installation import open_database
from batch_jobs.orchestration.web.gate import Gate
from batch_jobs.orchestration.web.login import login_routes
from batch_jobs.orchestration.web.server import UserProcessContext, UserWebserver

# Those of Dagster's own command line.
STATEMENT_MILLISECONDS = 15_000
POOL_RECYCLE_SECONDS = 3_600
POOL_OVERFLOW = 20
POLL_MILLISECONDS = 2_000

GRACE_SECONDS = 5


def main() -> None:
    """Serve until a signal ends it. The installation is the one that the environment names."""
    parser = argparse.ArgumentParser(prog="batch_jobs.orchestration.web")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--workspace", required=True)
    chosen = parser.parse_args()
    with open_database() as database, DagsterInstance.get() as instance:
        instance.optimize_for_webserver(STATEMENT_MILLISECONDS, POOL_RECYCLE_SECONDS, POOL_OVERFLOW)
        target = WorkspaceFileTarget([chosen.workspace])
        with UserProcessContext(instance, version=__version__, workspace_load_target=target) as process:
            webserver = UserWebserver(process, live_data_poll_rate=POLL_MILLISECONDS)
            uvicorn.run(
                Gate(webserver.create_asgi_app(), login_routes(database), database),
                host=chosen.host,
                port=chosen.port,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )


if __name__ == "__main__":
    main()
