"""One running installation and one browser for the day."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from batch_jobs.orchestration.services import answers
from batch_jobs.settings import PROJECT_FOLDER, Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.browser.chromium import MISSING, chromium, open_browser
from batch_jobs_tests.browser.dagit import Dagit
from batch_jobs_tests.browser.nights import NIGHTS
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.test_services import free_port
from batch_jobs_tests.deadline import until

SLOW = 180
WORKSPACES, EMPLOYEES = 6, 15


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


@pytest.fixture(scope="module")
def program() -> Path:
    """The browser's program; without one the day is skipped."""
    return chromium() or pytest.skip(MISSING)


@pytest.fixture(scope="module")
def installation(program: Path) -> Iterator[Installation]:
    """A sample with two nights behind it, and `batch-jobs up` on it."""
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-day-"))
    # Few rows a chunk: a run is stopped between two of them.
    cli = CommandLine(home, BATCH_JOBS_CHUNK_ROWS="20")
    up = None
    try:
        today = datetime.now(UTC).date()
        last_day = today - timedelta(days=NIGHTS + 1)
        sample = [f"--workspaces={WORKSPACES}", f"--employees={EMPLOYEES}", f"--until={last_day}"]
        for arguments in (["init"], ["sample", *sample]):
            ended = cli(*arguments)
            assert ended.code == 0, ended
        nights = [sys.executable, "-m", "batch_jobs_tests.browser.nights"]
        subprocess.run(nights, cwd=PROJECT_FOLDER, env=cli.environment, check=True)
        port = free_port()
        with (home / "out").open("wb") as out:
            up = cli.start("up", f"--port={port}", stdout=out, stderr=subprocess.STDOUT)
        until(lambda: f"ready: http://127.0.0.1:{port}" in (home / "out").read_text() or up.poll() is not None, SLOW)
        assert answers(f"http://127.0.0.1:{port}"), (home / "out").read_text()
        yield Installation(cli, f"http://127.0.0.1:{port}", today)
    finally:
        if up is not None:
            up.send_signal(signal.SIGINT)
            up.wait(SLOW)
        EmbeddedServer(Settings(home=home)).stop()
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def browser(program: Path) -> Iterator[BrowserContext]:
    """A browser that nobody has used before."""
    with open_browser(program) as opened:
        yield opened


@pytest.fixture
def dagit(installation: Installation, browser: BrowserContext) -> Iterator[Dagit]:
    """The web UI in a tab of its own; a test in which it met an error of the server fails."""
    pictures = os.environ.get("PICTURES")
    opened = Dagit(browser.new_page(), installation.url, Path(pictures) if pictures else None)
    yield opened
    opened.page.close()
    assert opened.errors == []
