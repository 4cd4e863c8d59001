"""Runs for days that have not begun: told in log and ledger where they really write."""

import logging
from datetime import date, timedelta

import pytest

from batch_jobs.engine.admission import read_day
from batch_jobs.engine.engine import Engine
from batch_jobs.errors import BadInputError
from batch_jobs.jobs.timesheet_statement_generate import TimesheetStatementGenerate
from batch_jobs.store.database import Database
from batch_jobs_tests.engine.company import DAY, engine_of, found, run

JOB = TimesheetStatementGenerate.name
TOMORROW = DAY + timedelta(days=1)
NOTE = f"run date {TOMORROW} is after today, {DAY}: what was written has to be undone by hand"


@pytest.fixture
def engine(database: Database) -> Engine:
    found(database, ["acme", "zeta"])
    return engine_of(database, TimesheetStatementGenerate())


def test_a_run_for_a_future_day_is_told(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    runs = run(engine, JOB, ["acme", "zeta"], TOMORROW, allow_future=True)
    assert [(one.status, one.message) for one in runs] == [("completed", NOTE)] * 2
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [f"{JOB} in 2 workspaces: {NOTE}"]


def test_a_dry_run_and_a_day_that_has_begun_need_no_word(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    runs = [
        *run(engine, JOB, ["acme"], TOMORROW, parameters={"dry_run": True}),
        *run(engine, JOB, ["acme"], DAY, allow_future=True),
    ]
    assert [one.message for one in runs] == [None, None]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_day_is_read_in_one_form() -> None:
    assert read_day("2026-12-25") == date(2026, 12, 25)
    for text in ("20261225", "2026-W52-5", "2026-12-25T00:00", " 2026-12-25", "٢٠٢٦-12-25", "tomorrow", ""):
        with pytest.raises(BadInputError, match=f'^run_date "{text}": expected YYYY-MM-DD, such as 2026-11-23$'):
            read_day(text, name="run_date")
    with pytest.raises(BadInputError, match="expected a day that exists"):
        read_day("2026-02-30")
    with pytest.raises(BadInputError, match="expected 0001-01-02 or a later day"):
        read_day("0001-01-01")
