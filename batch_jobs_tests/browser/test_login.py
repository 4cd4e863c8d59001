"""Who may do what, by clicks: a viewer, an operator and an admin sign in to `batch-jobs up --auth`."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from batch_jobs_tests.browser.dagit import Dagit, open_tab
from batch_jobs_tests.browser.running import Installation, running, sample

WORKSPACES, EMPLOYEES = 2, 5
VIEWER, OPERATOR, ADMIN = "vera", "oskar", "anna"
USERS = {VIEWER: "viewer", OPERATOR: "operator", ADMIN: "admin"}
JOB = "accrual_forecast"
LAUNCHPAD = "/locations/batch_jobs/jobs/run_batch_jobs/playground"
FORM = re.compile(r"/login\?next=")
SCHEDULE = "/locations/batch_jobs/schedules/purge_expired_data_schedule"


@pytest.fixture(scope="module")
def guarded(program: Path) -> Iterator[Installation]:
    """A sample with a user of each role, and `batch-jobs up --auth` on it."""
    with sample(workspaces=WORKSPACES, employees=EMPLOYEES) as cli:
        for name, role in USERS.items():
            ended = cli("users", "add", name, "--role", role, stdin=f"{password(name)}\n".encode())
            assert ended.code == 0, ended
        with running(cli, "--auth") as started:
            yield started


@pytest.fixture
def dagit(guarded: Installation, browser: BrowserContext) -> Iterator[Dagit]:
    """The web UI in a tab of a browser in which nobody is signed in."""
    browser.clear_cookies()
    with open_tab(browser, guarded.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def launched(guarded: Installation, browser: BrowserContext) -> str:
    """A dry run that the operator has launched and seen end. Its id."""
    browser.clear_cookies()
    with open_tab(browser, guarded.url) as dagit:
        sign_in(dagit, OPERATOR)
        chosen = {"jobs": [JOB], "run_date": str(guarded.day(0)), "dry_run": True}
        run_id = dagit.launch("run_batch_jobs", "run_jobs", chosen)
        dagit.run_ends()
    return run_id


def password(name: str) -> str:
    return f"correct horse of {name}"


def fill_in(dagit: Dagit, name: str, secret: str) -> None:
    """Send the form that is shown."""
    dagit.page.get_by_label("Name").fill(name)
    dagit.page.get_by_label("Password").fill(secret)
    dagit.button("Sign in").click()


def sign_in(dagit: Dagit, name: str, path: str = "/runs") -> None:
    """Ask for a page, sign in at the form that comes instead, and be led to it."""
    dagit.open(path)
    dagit.page.wait_for_url(FORM)
    fill_in(dagit, name, password(name))
    dagit.page.wait_for_url(f"**{path}")
    expect(menu(dagit)).to_have_attribute("title", f"Signed in as {name} ({USERS[name]})")


def menu(dagit: Dagit) -> Locator:
    return dagit.page.locator("#signed-in summary")


def test_a_wrong_password_is_told_and_the_right_one_leads_to_the_page_wanted(dagit: Dagit) -> None:
    dagit.open("/runs")
    dagit.page.wait_for_url(FORM)
    expect(dagit.page.get_by_label("Name")).to_be_focused()
    dagit.picture("login")
    fill_in(dagit, VIEWER, "wrong horse of nobody")
    expect(dagit.page.get_by_role("alert")).to_have_text("Name and password do not fit.")
    # The name stands already.
    expect(dagit.page.get_by_label("Password")).to_be_focused()
    dagit.page.keyboard.type(password(VIEWER))
    dagit.page.keyboard.press("Enter")
    dagit.page.wait_for_url("**/runs")
    expect(dagit.text("Created at")).to_be_visible()


def test_a_viewer_sees_history_and_can_not_launch(dagit: Dagit, launched: str) -> None:
    sign_in(dagit, VIEWER)
    dagit.link(launched[:8]).click()
    dagit.run_ends()
    expect(dagit.full_message().get_by_text("outcomes", exact=True)).to_be_visible()
    dagit.open(LAUNCHPAD)
    # There is no way to the launchpad, and who asks for it by its address is led to the overview.
    expect(dagit.page.get_by_role("tab", name="Launchpad")).to_be_disabled()
    expect(dagit.text("Runs the named jobs")).to_be_visible()
    expect(dagit.button("Launch Run")).to_have_count(0)
    dagit.open(SCHEDULE)
    expect(dagit.page.get_by_role("checkbox").first).to_be_disabled()


def test_an_operator_launches_and_can_not_switch_schedules(dagit: Dagit) -> None:
    sign_in(dagit, OPERATOR, LAUNCHPAD)
    expect(dagit.button("Launch Run")).to_be_enabled()
    dagit.open(SCHEDULE)
    switch = dagit.page.get_by_role("checkbox").first
    expect(switch).to_be_checked()
    expect(switch).to_be_disabled()


def test_who_launched_a_run_is_its_actor(guarded: Installation, launched: str) -> None:
    runs = [run for run in guarded.cli.json("runs", "--job", JOB) if run["dagster_run_id"] == launched]
    assert len(runs) == WORKSPACES
    assert {run["actor"] for run in runs} == {f"user:{OPERATOR}"}


def test_an_admin_switches_a_schedule_off_and_on(dagit: Dagit) -> None:
    sign_in(dagit, ADMIN, SCHEDULE)
    dagit.switch(on=False)
    dagit.switch(on=True)


def test_signing_out_in_the_menu_ends_the_session(dagit: Dagit, browser: BrowserContext) -> None:
    sign_in(dagit, ADMIN)
    expect(dagit.text("Created at")).to_be_visible()
    menu(dagit).click()
    shown = dagit.page.locator("#signed-in form")
    expect(shown).to_contain_text(ADMIN)
    expect(shown).to_contain_text(USERS[ADMIN])
    dagit.picture("user_menu")
    kept = browser.cookies()
    question = {"data": {"query": "{version}"}}
    assert browser.request.post(f"{dagit.url}/graphql", **question).status == HTTPStatus.OK
    dagit.button("Sign out", shown).click()
    dagit.page.wait_for_url("**/login")
    assert browser.cookies() == []
    dagit.open("/runs")
    dagit.page.wait_for_url(FORM)
    browser.add_cookies(kept)
    assert browser.request.post(f"{dagit.url}/graphql", **question).status == HTTPStatus.UNAUTHORIZED
    dagit.open("/runs")
    dagit.page.wait_for_url(FORM)
