"""The browser: Debian's Chromium, without a window, with an empty profile."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium on this machine: make chromium, or install the package `chromium`"
# Its talk with its makers is refused on machines without internet, and holds up connections to the UI.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SIZE = {"width": 1280, "height": 800}


def chromium() -> Path | None:
    """The program, or None where there is none."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return Path(found) if found else None


@contextmanager
def open_browser(program: Path) -> Iterator[BrowserContext]:
    """A browser that nobody has used before, for the length of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="batch-jobs-browser-") as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=program, headless=True, args=FLAGS, viewport=SIZE, timezone_id="UTC"
        )
        try:
            yield context
        finally:
            context.close()
