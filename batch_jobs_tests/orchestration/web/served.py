"""The web server with a login as `batch-jobs up --auth` starts it, for an installation of the tests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batch_jobs.access.roles import ROLES
from batch_jobs.access.users import add_user
from batch_jobs.store.database import Database
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.installation import Installation
from batch_jobs_tests.orchestration.services import free_port
from batch_jobs_tests.orchestration.web.browser import Browser

LOADED = "{workspaceOrError {... on Workspace {locationEntries {loadStatus}}}}"


@dataclass(frozen=True)
class Served:
    """A running web server. Its users are called as their roles.

    Attributes:
        installation: what it shows.
        database: of the installation.
        port: on 127.0.0.1.
        process: the server itself.
        log: what it prints.
    """

    installation: Installation
    database: Database
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def password(self, name: str) -> str:
        """Of one of its users."""
        return f"correct horse of {name}"

    def browser(self, name: str | None = None) -> Browser:
        """A browser, in which somebody has signed in."""
        opened = Browser(self.port)
        if name:
            entered = opened.sign_in(name, self.password(name))
            assert entered.status == 303, entered
        return opened


@contextmanager
def serving(installation: Installation) -> Iterator[Served]:
    """The server for the length of a `with` block, ready, with a viewer, an operator and an admin."""
    assert installation.settings.database_url
    port, log = free_port(), installation.clone / "web.log"
    with Database(installation.settings.database_url) as database, log.open("w") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "batch_jobs.orchestration.web", "--host", "127.0.0.1"),
                *("--port", str(port), "--workspace", str(installation.clone / "workspace.yaml")),
            ],
            cwd=installation.clone,
            env={**installation.variables, "DAGSTER_HOME": str(installation.settings.dagster_home)},
            stdout=out,
            stderr=out,
        )
        try:
            served = Served(installation, database, port, process, log)
            for role in ROLES:
                add_user(database, role, role, served.password(role))
            until(lambda: process.poll() is not None or _is_up(served), 120)
            assert process.poll() is None, log.read_text()
            yield served
        finally:
            process.terminate()
            process.wait(30)


def _is_up(served: Served) -> bool:
    try:
        entries = served.browser("viewer").ask(LOADED)["workspaceOrError"]["locationEntries"]
    except ConnectionError:
        return False
    return [entry["loadStatus"] for entry in entries] == ["LOADED"]
