"""sample: made once, kept on another day, more of it on demand."""

from batch_jobs.store.database import Database
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.cli.test_events import count

SMALL = ("sample", "--workspaces", "2", "--employees", "5", "--seed", "7")


def test_a_sample_is_made_once_and_kept(cli: CommandLine, opened: Database) -> None:
    first = cli(*SMALL, "--until", "2026-03-01")
    assert first.code == 0, first
    events = count(opened, "batch_jobs.events")
    assert first.out == f"2 workspaces made, {events:,} events\n"
    again = cli(*SMALL, "--until", "2026-03-01")
    assert (again.code, again.out) == (0, "2 workspaces are there already and were kept as they are\n")
    # Told until another day it would be another history under the same ids.
    assert cli(*SMALL, "--until", "2026-03-02").out == again.out
    assert count(opened, "batch_jobs.events") == events
    assert count(opened, "projections.employee_directory") > 0


def test_more_workspaces_are_added(cli: CommandLine, opened: Database) -> None:
    cli("sample", "--workspaces", "1", "--employees", "5", "--until", "2026-03-01")
    more = cli(*SMALL, "--until", "2026-03-01")
    assert more.out.startswith("1 workspaces made")
    assert more.out.endswith("1 workspaces are there already and were kept as they are\n")
    assert count(opened, "batch_jobs.workspaces") == 2


def test_the_sample_has_work_for_the_next_day(cli: CommandLine) -> None:
    cli(*SMALL, "--until", "2026-03-01")
    states = {item["state"] for item in cli.json("due", "--date", "2026-03-02")}
    assert "due" in states


def test_an_impossible_size_or_day_is_refused(cli: CommandLine) -> None:
    assert cli("sample", "--workspaces", "0").refuses("--workspaces", "greater than or equal to 1")
    assert cli("sample", "--until", "2026-13-01").refuses('date "2026-13-01"', "YYYY-MM-DD")
