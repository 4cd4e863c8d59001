"""Short nights with a few faults; `make faults` has the whole ones."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from batch_jobs_tests.faults.clock import can_be_moved
from batch_jobs_tests.faults.importing import write_files
from batch_jobs_tests.faults.place import make_base
from batch_jobs_tests.faults.trial import Expected, Ground
from batch_jobs_tests.faults.undisturbed import pass_most

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
    ("seed", "kinds"), [(1, ["kill_worker", "cut_connections"]), (2, ["clock_back_an_hour", "crash_database"])]
)
def test_a_disturbed_night_comes_to_the_same(ground: tuple[Ground, Expected], seed: int, kinds: Sequence[str]) -> None:
    made, expected = ground
    result = made.disturb(seed, kinds, expected)
    assert not result.wrong, "\n".join(result.wrong)
    assert sorted(fault.kind for fault in result.injected) == sorted(kinds)
