"""What a person does in the web UI: opening pages, reading what they show, clicking through its dialogs."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, WebSocket, expect

# The machine runs other tests at the same time.
PATIENCE = 90_000
# A run waits for the daemon, and starts a process.
RUN_PATIENCE = 240_000


class Dagit:
    """The web UI in one tab.

    Args:
        page: the tab.
        url: of the web server.
        pictures: folder for screenshots, None for no screenshots.
    """

    def __init__(self, page: Page, url: str, pictures: Path | None = None) -> None:
        self.page = page
        self.errors: list[str] = []
        self.url = url
        self._pictures = pictures
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("response", self._notice)
        page.on("websocket", self._watch)
        page.on("console", self._hear)

    def open(self, path: str) -> None:
        """Go to a page of the UI."""
        self.page.goto(self.url + path)

    def choose(self, name: str) -> None:
        """Click on an entry of the navigation at the left."""
        if self.page.url.rstrip("/") in ("about:blank", ""):
            self.open("/")
        self.page.locator("a").filter(has_text=name).first.click()

    def button(self, name: str, within: Locator | None = None) -> Locator:
        """A button by its text."""
        # Not by its accessible name, in which that of its icon stands too.
        return (within or self.page).get_by_role("button").filter(has_text=re.compile(f"^{re.escape(name)}$")).first

    def link(self, name: str) -> Locator:
        """A link, or a button that is one, by its text."""
        found = self.page.get_by_role("link").or_(self.page.get_by_role("button"))
        return found.filter(has_text=re.compile(f"^{re.escape(name)}$")).first

    def text(self, shown: str) -> Locator:
        """The first place where a text is shown."""
        return self.page.get_by_text(shown).first

    def filter_runs(self, tag: str) -> None:
        """Show those runs alone that have a tag.

        Args:
            tag: as the page shows it, `status: warning`.
        """
        offered = self.page.get_by_text("Add tag to filter")
        # What the tag before offered goes away by and by; a click on that would be lost.
        self.page.mouse.move(0, 0)
        expect(offered).to_have_count(0)
        self.text(tag).hover()
        offered.click()
        expect(self.text(tag.replace(": ", "="))).to_be_visible()

    def picture(self, name: str) -> None:
        """Keep a screenshot, where screenshots are wanted."""
        if self._pictures:
            # What was clicked last may still move or be highlighted.
            self.page.mouse.move(0, 0)
            self.page.wait_for_timeout(1000)
            self.page.screenshot(path=self._pictures / f"{name}.png", animations="disabled")

    def write_config(self, op: str, config: Mapping[str, Any]) -> None:
        """Replace what the editor of the launchpad says."""
        self.page.locator(".CodeMirror-code").first.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(yaml.safe_dump({"ops": {op: {"config": dict(config)}}}, sort_keys=False))

    def switch(self, *, on: bool) -> None:
        """Turn the schedule whose page is open, which is the other way, and see that it stays so."""
        switch = self.page.get_by_role("checkbox").first
        expect(switch).to_be_checked(checked=not on)
        # The box itself is drawn by its label.
        self.page.locator("label").filter(has=switch).click()
        expect(switch).to_be_checked(checked=on)
        self.page.reload()
        expect(switch).to_be_checked(checked=on)

    def launch(self, job: str, op: str, config: Mapping[str, Any], picture: str | None = None) -> str:
        """Start a job from its launchpad. Returns the id of the run, whose page is open then."""
        self.open(f"/locations/batch_jobs/jobs/{job}/playground")
        expect(self.text("No errors")).to_be_visible()
        self.write_config(op, config)
        expect(self.text("Checking config")).to_be_hidden()
        expect(self.text("No errors")).to_be_visible()
        if picture:
            self.picture(picture)
        self.button("Launch Run").click()
        self.page.wait_for_url("**/runs/*")
        return self.page.url.rsplit("/", 1)[1]

    def run_ends(self, status: str = "Success") -> None:
        """Wait until the run whose page is open has ended so."""
        ended = self.page.get_by_text("RUN_", exact=False).filter(has_text="SUCCESS")
        if status != "Success":
            ended = self.page.get_by_text(status, exact=True)
        expect(ended.first).to_be_visible(timeout=RUN_PATIENCE)

    def full_message(self) -> Locator:
        """Open the event of the run that has tables, and give its dialog."""
        self.page.get_by_text("View full message").last.click()
        return self.page.get_by_role("dialog")

    def _notice(self, response: Response) -> None:
        if response.url.endswith("/graphql") and response.status >= 400:
            self.errors.append(f"{response.status} for {response.request.post_data}")

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self._look(str(frame)))

    def _look(self, frame: str) -> None:
        if '"errors":' in frame:
            self.errors.append(frame[:1000])

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.errors.append(message.text)


@contextmanager
def open_tab(browser: BrowserContext, url: str) -> Iterator[Dagit]:
    """The web UI in a tab of its own; errors of the server that it met fail the test at its end.

    Args:
        browser: where.
        url: of the web server.
    """
    pictures = os.environ.get("PICTURES")
    opened = Dagit(browser.new_page(), url, Path(pictures) if pictures else None)
    yield opened
    opened.page.close()
    assert opened.errors == []
