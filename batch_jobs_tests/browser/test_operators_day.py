"""The day: last night's warnings, a counter over time, what-ifs, backfills, stopping, schedules, damage."""

import re

import psycopg
from playwright.sync_api import expect

from batch_jobs.orchestration.schedules import EVERY_MINUTES
from batch_jobs_tests.browser.conftest import WORKSPACES
from batch_jobs_tests.browser.dagit import RUN_PATIENCE, Dagit
from batch_jobs_tests.browser.nights import NIGHTS
from batch_jobs_tests.browser.running import Installation
from batch_jobs_tests.deadline import until

TICKS_PATIENCE = (2 * EVERY_MINUTES + 1) * 60_000
POINTS = """
    title => {
        let found = title;
        while (!found.querySelector('canvas')) found = found.parentElement;
        const canvas = found.querySelector('canvas');
        const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        // Text and lines are grey; points are the blue columns, one beside the other.
        let points = 0, before = false;
        for (let x = 0; x < width; x++) {
            let blue = false;
            for (let y = 0; y < height; y++) {
                const at = 4 * (y * width + x);
                blue ||= data[at + 3] > 128 && data[at + 2] - data[at] > 100;
            }
            if (blue && !before) points++;
            before = blue;
        }
        return points;
    }
"""
"""How many points the plot under a title has, which no line joins."""


def test_last_nights_warnings_are_found_by_their_tag(dagit: Dagit, installation: Installation) -> None:
    dagit.choose("Runs")
    for tag in ("status: warning", f"run_date: {installation.day(-1)}"):
        dagit.filter_runs(tag)
    expect(dagit.page.get_by_text("status: completed")).to_have_count(0)
    dagit.picture("warnings")
    dagit.link("View").click()
    dagit.run_ends()
    shown = dagit.full_message()
    for said in ("parameters", "none chosen", "outcomes", "warning", "row_errors"):
        expect(shown.get_by_text(said, exact=True).first).to_be_visible()
    dagit.picture("run")


def test_a_cell_of_the_grid_tells_parameters_counters_and_row_errors(dagit: Dagit, installation: Installation) -> None:
    dagit.open("/assets/jobs/timesheet_statement_generate?view=partitions")
    dagit.page.locator("span").filter(has_text=str(installation.day(-2))).first.click()
    dagit.page.locator("span").filter(has_text="havnens-bageri").first.click()
    for said in ("warning", "created", "parameters", "terms_id"):
        expect(dagit.text(said)).to_be_visible()
    expect(dagit.page.get_by_text("Unsynced")).to_have_count(0)
    dagit.picture("cell")
    dagit.page.get_by_role("tab", name="Events").click()
    for workspace in ("havnens-bageri", "atelier-lumiere", "nordlys-design"):
        expect(dagit.text(f"{installation.day(-2)}|{workspace}")).to_be_visible()


def test_a_counter_is_plotted_over_time(dagit: Dagit) -> None:
    dagit.open("/assets/jobs/timesheet_statement_manager_digest")
    dagit.button("Plots").click()
    dagit.button("Events").click()
    plot = dagit.page.get_by_text("total sent", exact=True)
    expect(plot).to_be_attached()
    until(lambda: plot.evaluate(POINTS) >= NIGHTS, 60)
    plot.scroll_into_view_if_needed()
    dagit.picture("plots")


def test_a_dry_run_for_a_future_day_shows_its_plan(dagit: Dagit, installation: Installation) -> None:
    future, job = installation.day(30), "timesheet_statement_generate"
    run_id = dagit.launch(
        "run_batch_jobs", "run_jobs", {"jobs": [job], "run_date": str(future), "dry_run": True}, picture="launchpad"
    )
    dagit.run_ends()
    shown = dagit.full_message()
    expect(shown.get_by_text("plan", exact=True)).to_be_visible()
    expect(shown.get_by_text("statement.period_started").first).to_be_visible()
    dagit.picture("plan")
    runs = installation.cli.json("runs", "--job", job, "--limit", "50")
    of_it = [run for run in runs if run["dagster_run_id"] == run_id]
    assert len(of_it) == WORKSPACES
    assert {run["run_date"] for run in of_it} == {str(future)}
    assert all(run["params"]["dry_run"] for run in of_it)


def test_a_real_run_for_one_workspace(dagit: Dagit, installation: Installation) -> None:
    job, workspace = "accrual_forecast", "nordlys-design"
    chosen = {"jobs": [job], "run_date": str(installation.day(-1)), "workspaces": [workspace], "dry_run": False}
    run_id = dagit.launch("run_batch_jobs", "run_jobs", {**chosen, "parameters": {"force_recompute": True}})
    dagit.run_ends()
    expect(dagit.text(workspace)).to_be_visible()
    (run,) = [run for run in installation.cli.json("runs", "--job", job) if run["dagster_run_id"] == run_id]
    assert (run["workspace_id"], run["status"], run["trigger"]) == (workspace, "completed", "manual")
    assert run["counters"]["computed"] > 0


def test_a_run_date_is_made_good_in_all_workspaces(dagit: Dagit, installation: Installation) -> None:
    chosen = installation.day(-10)
    dagit.open("/assets/jobs/timesheet_statement_reminder")
    dagit.button("Materialize…").click()
    dialog = dagit.page.get_by_role("dialog")
    dialog.get_by_placeholder("ex:").fill(str(chosen))
    dialog.get_by_placeholder("ex:").press("Enter")
    dialog.get_by_text("All", exact=True).last.click()
    expect(dialog.get_by_text(f"{WORKSPACES} partitions", exact=True)).to_be_visible()
    dagit.picture("backfill")
    dagit.button("Launch backfill", dialog).click()
    dagit.link("View").click()
    expect(dagit.text("100% completed")).to_be_visible(timeout=RUN_PATIENCE)
    runs = installation.cli.json("runs", "--job", "timesheet_statement_reminder", "--limit", "50")
    done = [run for run in runs if run["run_date"] == str(chosen)]
    assert len(done) == WORKSPACES
    assert {run["trigger"] for run in done} == {"backfill"}
    assert {run["status"] for run in done} <= {"completed", "warning"}


def test_a_run_is_stopped_and_run_again(dagit: Dagit, installation: Installation) -> None:
    job = "accrual_forecast"
    chosen = {"jobs": [job], "run_date": str(installation.day(-2)), "dry_run": False, "force": True}

    def of(run_id: str) -> list[str]:
        runs = installation.cli.json("runs", "--job", job, "--limit", "100")
        return [run["status"] for run in runs if run["dagster_run_id"] == run_id]

    with psycopg.connect(installation.cli("db-url").out.strip()) as busy:
        # Somebody else works in this workspace: the run waits for it.
        busy.execute("SELECT FROM batch_jobs.workspaces WHERE workspace_id = 'atelier-lumiere' FOR UPDATE")
        run_id = dagit.launch("run_batch_jobs", "run_jobs", chosen)
        until(lambda: "started" in of(run_id), 180)
        # The page learns of it a moment later, and draws its buttons anew.
        expect(dagit.text("STEP_START")).to_be_visible()
        dagit.button("Terminate").click()
        dialog = dagit.page.get_by_role("dialog")
        dialog.get_by_role("button").filter(has_text="Terminate").click()
        expect(dagit.text("Cancel")).to_be_visible()
    dagit.run_ends("Canceled")
    until(lambda: set(of(run_id)) >= {"stopped"} and not {"started", "pending"} & set(of(run_id)), 60)
    dagit.open("/runs?q[0]=tag%3Astatus%3Dstopped")
    expect(dagit.text(run_id[:8])).to_be_visible()
    dagit.picture("stopped")
    dagit.open(f"/runs/{run_id}")
    dagit.button("Re-execute all (*)").click()
    dagit.page.wait_for_url(lambda url: "/runs/" in url and not url.endswith(run_id))
    dagit.run_ends()
    again = dagit.page.url.rsplit("/", 1)[1]
    assert set(of(again)) == {"completed"}
    assert len(of(again)) == WORKSPACES


def test_a_schedule_is_switched_off_and_on(dagit: Dagit) -> None:
    dagit.choose("Automation")
    dagit.page.get_by_role("link", name="purge_expired_data_schedule").click()
    dagit.switch(on=False)
    dagit.switch(on=True)


def test_why_a_schedules_tick_asked_for_nothing_can_be_read(dagit: Dagit) -> None:
    dagit.choose("Automation")
    dagit.page.get_by_role("link", name="timesheet_statement_generate_schedule").click()
    skipped = dagit.button("0 runs requested")
    # The first tick since the start may have found something due.
    expect(skipped).to_be_visible(timeout=TICKS_PATIENCE)
    skipped.click()
    shown = dagit.page.get_by_role("dialog")
    expect(shown.get_by_text("Tick for timesheet_statement_generate_schedule")).to_be_visible()
    expect(shown.get_by_text(re.compile(r"0 due, \d+ waiting, \d+ skipped; "))).to_be_visible()
    dagit.picture("tick")


def test_damage_shows_in_a_check_that_turns_green_after_the_rebuild(dagit: Dagit, installation: Installation) -> None:
    with psycopg.connect(installation.cli("db-url").out.strip()) as connection:
        damaged = connection.execute("UPDATE projections.employee_directory SET name = 'x' WHERE employee_id = 'e-3'")
    _check(dagit)
    expect(dagit.text(f"{damaged.rowcount} are wrong")).to_be_visible()
    dagit.picture("damage")
    dagit.launch(
        "rebuild_employee_projections",
        "run_rebuild_employee_projections",
        {"projection": "employee_directory", "dry_run": False},
    )
    dagit.run_ends()
    _check(dagit)
    expect(dagit.page.get_by_text("Passed", exact=True).first).to_be_visible()
    dagit.picture("mended")


def _check(dagit: Dagit) -> None:
    """Execute the check of the rows by hand."""
    dagit.open("/assets/projections/employee_directory?view=checks")
    dagit.page.get_by_text("rows_match_the_events").first.click()
    dagit.button("Execute").click()
    dagit.link("View").click()
    dagit.run_ends()
    dagit.open("/assets/projections/employee_directory?view=checks&checkDetail=rows_match_the_events")
