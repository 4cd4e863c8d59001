"""One running installation and one browser for the day."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs_tests.browser.chromium import MISSING, chromium, open_browser
from batch_jobs_tests.browser.dagit import Dagit, open_tab
from batch_jobs_tests.browser.nights import NIGHTS
from batch_jobs_tests.browser.running import Installation, running, sample

WORKSPACES, EMPLOYEES = 6, 15


@pytest.fixture(scope="module")
def program() -> Path:
    """The browser's program; without one the day is skipped."""
    return chromium() or pytest.skip(MISSING)


@pytest.fixture(scope="module")
def installation(program: Path) -> Iterator[Installation]:
    """A sample with two nights behind it, and `batch-jobs up` on it."""
    # Few rows a chunk: a run is stopped between two of them.
    with sample(workspaces=WORKSPACES, employees=EMPLOYEES, nights=NIGHTS, BATCH_JOBS_CHUNK_ROWS="20") as cli:
        nights = [sys.executable, "-m", "batch_jobs_tests.browser.nights"]
        subprocess.run(nights, cwd=PROJECT_FOLDER, env=cli.environment, check=True)
        with running(cli) as started:
            yield started


@pytest.fixture(scope="module")
def browser(program: Path) -> Iterator[BrowserContext]:
    """A browser that nobody has used before."""
    with open_browser(program) as opened:
        yield opened


@pytest.fixture
def dagit(installation: Installation, browser: BrowserContext) -> Iterator[Dagit]:
    """The web UI in a tab of its own; a test in which it met an error of the server fails."""
    with open_tab(browser, installation.url) as opened:
        yield opened
