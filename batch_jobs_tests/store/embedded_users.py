"""Processes that use an embedded server, for the tests of its life time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs.store.embedded.binaries import find_binaries

# Says "ready" when the server runs, and uses it until its input ends.
PROGRAM = """
import sys
from pathlib import Path
from batch_jobs.errors import BatchJobsError
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer

home, binaries, idle = sys.argv[1:]
settings = Settings(home=Path(home), postgres_bin=Path(binaries), postgres_idle_seconds=int(idle))
server = EmbeddedServer(settings, configuration={"fsync": "off"})
try:
    server.ensure_running(lambda text: print(text, flush=True))
except BatchJobsError as error:
    sys.exit(str(error))
print("ready", flush=True)
sys.stdin.read()
"""


class User:
    """A process of its own that uses the server of a home."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        binaries = str(find_binaries(settings.postgres_bin).folder)
        # The standard library is enough, so a Python serves that other users may run too.
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") if "user" in options else sys.executable
        if python is None:
            pytest.skip("no Python in the system folders that another user may run")
        command = [python, "-c", PROGRAM, str(settings.home), binaries, str(settings.postgres_idle_seconds)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(PROJECT_FOLDER)},
            **options,
        )

    def wait_ready(self) -> list[str]:
        """Wait until it has its server; gives what it was told before."""
        assert self.process.stdout is not None
        told = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                return told
            told.append(line.strip())
        raise AssertionError(self.process.communicate()[1])

    def next_line(self) -> str:
        """Wait until it is told something."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def leave(self) -> str:
        """Let it end; gives what it complained of."""
        return self.process.communicate()[1]

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.communicate()


class Homes:
    """Homes for a test, whose servers are stopped at its end.

    Args:
        root: a short path, which the user that runs the server can reach.
        binaries: folder of PostgreSQL programs, None for those of the Python package.
        blank: a data folder as the first start makes it, which takes longer than most tests.
    """

    def __init__(self, root: Path, binaries: Path | None, blank: Path) -> None:
        self.root = root
        self._blank = blank
        self.binaries = binaries
        self._servers: list[EmbeddedServer] = []

    def settings(self, name: str = "home", *, idle: int = 60) -> Settings:
        """The settings of a home."""
        return Settings(home=self.root / name, postgres_bin=self.binaries, postgres_idle_seconds=idle)

    def server(self, name: str = "home", *, idle: int = 60) -> EmbeddedServer:
        """The server of a home, not started."""
        server = EmbeddedServer(self.settings(name, idle=idle), configuration={"fsync": "off"})
        self._servers.append(server)
        return server

    def fill(self, name: str = "home") -> None:
        """Give a home the data folder of a server that has not run yet."""
        home = self.root / name
        home.mkdir(parents=True)
        subprocess.run(["cp", "-a", self._blank, home / "postgres"], check=True)

    def running(self, name: str = "home", *, idle: int = 60) -> EmbeddedServer:
        """The server of a new home, started and held by this process."""
        self.fill(name)
        server = self.server(name, idle=idle)
        server.ensure_running()
        return server

    def user(self, *, idle: int = 60, **options: Any) -> User:
        """Another process that uses the server of the first home."""
        return User(self.settings(idle=idle), **options)

    def close(self) -> None:
        """Stop what runs."""
        for server in self._servers:
            server.stop()
