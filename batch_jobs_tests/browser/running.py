"""A real installation under `batch-jobs up`, for the length of a `with` block."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from batch_jobs.orchestration.services import answers
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.test_services import free_port
from batch_jobs_tests.deadline import until

SLOW = 180


@dataclass(frozen=True)
class Installation:
    """Where it is.

    Attributes:
        cli: its command line.
        url: of its web UI.
        today: the day after its last night.
    """

    cli: CommandLine
    url: str
    today: date

    def day(self, offset: int) -> date:
        """A day by its distance from today."""
        return self.today + timedelta(days=offset)


@contextmanager
def sample(*, workspaces: int, employees: int, nights: int = 0, **variables: str) -> Iterator[CommandLine]:
    """A home of its own with sample data, up to the day before some nights that are still to be run.

    Args:
        workspaces: how many.
        employees: in each.
        nights: between the last day of the sample and today.
        **variables: of the environment.
    """
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-day-"))
    cli = CommandLine(home, **variables)
    last_day = datetime.now(UTC).date() - timedelta(days=nights + 1)
    try:
        chosen = [f"--workspaces={workspaces}", f"--employees={employees}", f"--until={last_day}"]
        for arguments in (["init"], ["sample", *chosen]):
            ended = cli(*arguments)
            assert ended.code == 0, ended
        yield cli
    finally:
        EmbeddedServer(Settings(home=home)).stop()
        shutil.rmtree(home)


@contextmanager
def running(cli: CommandLine, *options: str) -> Iterator[Installation]:
    """`batch-jobs up`, ready.

    Args:
        cli: of the installation.
        *options: of `up`.
    """
    port, out = free_port(), cli.home / "out"
    with out.open("wb") as written:
        up = cli.start("up", *options, f"--port={port}", stdout=written, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: f"ready: {url}" in out.read_text() or up.poll() is not None, SLOW)
        assert answers(url), out.read_text()
        yield Installation(cli, url, datetime.now(UTC).date())
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(SLOW)
