"""Short nights with a few faults; `make faults` has the whole ones."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from batch_jobs.installation import all_projections
from batch_jobs.sample.companies import company
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.damage import add_a_row, change_a_row, remove_a_row
from batch_jobs_tests.faults.__main__ import table
from batch_jobs_tests.faults.clock import can_be_moved
from batch_jobs_tests.faults.comparison import rows_of
from batch_jobs_tests.faults.importing import write_files
from batch_jobs_tests.faults.looks import State
from batch_jobs_tests.faults.night import LOOK_SECONDS, Night
from batch_jobs_tests.faults.operators import start
from batch_jobs_tests.faults.place import make_base
from batch_jobs_tests.faults.plan import Plan
from batch_jobs_tests.faults.rules import broken_rules
from batch_jobs_tests.faults.trial import Expected, Ground, Result
from batch_jobs_tests.faults.undisturbed import pass_most, pass_undisturbed

pytestmark = pytest.mark.skipif(not can_be_moved(), reason="no C compiler, which the movable clock needs")

WORKSPACES, EMPLOYEES = 6, 4
# Jobs that come one after the other; the last makes messages.
JOBS = ("apply_scheduled_changes", "timesheet_statement_generate", "timesheet_statement_reminder")


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Ground, Expected]]:
    # Not pytest's tmp_path, which root keeps to itself and whose path may be too long for a socket.
    with TemporaryDirectory(prefix="batch-jobs-faults-") as name:
        folder = Path(name)
        begin = partial(pass_most, but=JOBS)
        base = make_base(folder, workspaces=WORKSPACES, employees=EMPLOYEES, begin=begin)
        made = Ground(folder, base, write_files(folder, known=WORKSPACES, new=1, employees=EMPLOYEES))
        yield made, made.expect()


@pytest.mark.parametrize(
    ("seed", "kinds"),
    [
        (1, ["kill_worker", "cut_connections"]),
        (2, ["clock_back_an_hour", "crash_database"]),
        (4, ["kill_code_server", "kill_daemon", "restart_database", "two_operators", "suspend_workspace"]),
    ],
)
def test_a_disturbed_night_comes_to_the_same(ground: tuple[Ground, Expected], seed: int, kinds: Sequence[str]) -> None:
    made, expected = ground
    result = made.disturb(seed, kinds, expected)
    assert not result.wrong, "\n".join(result.wrong)
    assert sorted(fault.kind for fault in result.injected) == sorted(kinds)
    assert not result.left_out


def test_a_row_that_is_not_what_the_events_give_is_told(ground: tuple[Ground, Expected]) -> None:
    """In tables that nights of another date do not compare, in workspaces with and without jobs."""
    made, expected = ground
    active, suspended = (company(number).workspace_id for number in (0, WORKSPACES))
    known = all_projections()
    (entries,) = known["timesheet_weeks"].further_tables
    with made.place("damaged") as (place, mail):
        pass_undisturbed(place, made.files)
        url = place.superuser_url
        assert list(broken_rules(url, mail, ())) == []
        # Looking has changed nothing.
        assert rows_of(url) == expected.rows
        with Database(url) as database:
            change_a_row(database, "projections", entries, active)
            add_a_row(database, "projections", known["accrual_owed"].table, active)
            remove_a_row(database, "search", known["employees"].table, suspended)
        told = sorted(broken_rules(url, mail, ()))
    assert [line.partition(", such as")[0] for line in told] == [
        f"projections.accrual_owed is not what the events give, in 1 workspaces: {{'{active}': {{'removed': 1}}}}",
        f"projections.time_entries is not what the events give, in 1 workspaces: {{'{active}': {{'changed': 1}}}}",
        f"search.employees is not what the events give, in 1 workspaces: {{'{suspended}': {{'added': 1}}}}",
    ]


def test_what_was_left_out_is_told_with_the_reason(ground: tuple[Ground, Expected]) -> None:
    made, _ = ground
    with made.place("left-out") as (place, _):
        night = Night(replace(place, is_small_disk=False), made.files)
        impossible = Plan(night, seed=1, kinds=["fill_disk"], runs=1)
        assert not impossible(State(ended=0))
        while impossible(State(ended=1)):
            time.sleep(LOOK_SECONDS)
        late = Plan(night, seed=1, kinds=["kill_worker"], runs=1)
        assert not late(State(ended=0))
    assert impossible.left_out == {"fill_disk": "the home is on no disk of its own, which takes root"}
    assert late.left_out == {"kill_worker": "the night has ended before job run 1 of it"}
    result = Result(1, left_out=impossible.left_out)
    assert "| fill disk | 0 | 1 | 0 | nothing came after it |" in table([result])
    assert "left out: fill_disk, 1 times: the home is on no disk of its own" in table([result])


def test_commands_and_services_that_end_as_none_may_are_told(
    ground: tuple[Ground, Expected], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = ground
    with made.place("endings") as (place, _):
        assert start(place, ["run", JOBS[0], "--dry-run"], 0).complaint(disturbed=False) is None
        refused = ["run", "no_such_job"]
        complaint = start(place, refused, 0).complaint(disturbed=False)
        assert (complaint or "").startswith("`run no_such_job` ended with exit code 2:")
        assert start(place, refused, 0).complaint(disturbed=True) is None
        killed = start(place, ["due"], 0)
        killed.process.kill()
        assert "ended with exit code -9" in (killed.complaint(disturbed=True) or "")
        monkeypatch.setattr("batch_jobs_tests.faults.night.END_SECONDS", 0.5)
        with Night(place, made.files) as night:
            psutil.Process(night.up).suspend()
        assert not psutil.pid_exists(night.up)
    (complaint,) = night.complaints
    assert "the services did not end within" in complaint
