"""Dagster's web server and daemon for an installation, as real processes on loopback, and questions to them."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from batch_jobs.orchestration.services import DIRECT
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.installation import Installation

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "batch_jobs"}


class Services:
    """The two processes, up.

    Args:
        port: of the web server.
    """

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Put a GraphQL question. Returns its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with DIRECT.open(request, timeout=30) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from None
        assert "errors" not in said, said["errors"]
        return dict(said["data"])

    def is_up(self) -> bool:
        """Whether the web server answers and has loaded the code."""
        try:
            found = self.ask("{workspaceOrError {... on Workspace {locationEntries {loadStatus}}}}")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return [entry["loadStatus"] for entry in found["workspaceOrError"]["locationEntries"]] == ["LOADED"]


@contextmanager
def running_services(installation: Installation) -> Iterator[Services]:
    """Web server and daemon for the length of a `with` block."""
    port = free_port()
    commands = {
        "webserver": ["dagster-webserver", "-h", "127.0.0.1", "-p", str(port)],
        "daemon": ["dagster-daemon", "run"],
    }
    started = []
    for name, (program, *arguments) in commands.items():
        with (installation.clone / f"{name}.log").open("w") as log:
            started.append(
                subprocess.Popen(
                    [Path(sys.executable).with_name(program), *arguments],
                    cwd=installation.clone,
                    env=installation.variables,
                    stdout=log,
                    stderr=log,
                    # Its code servers and their workers are ended with it.
                    start_new_session=True,
                )
            )
    try:
        services = Services(port)
        until(services.is_up, 60)
        yield services
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(20)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
