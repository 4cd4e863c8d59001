"""All jobs together: nights on time and late, in any order and chunk size, dry and real, over clean and broken data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.requests import RunRequest
from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.engine.company import digests, rows
from batch_jobs_tests.jobs.bad_data import BAD
from batch_jobs_tests.jobs.nights import UNTIL, night_after, nightly, nights_engine, run_night, tell_story

TONIGHT = night_after(UNTIL)
# What ten nights on time and one after an outage of ten days agree on. Digests and reminders are of their day: nobody
# is told ten days late of what was open then.
PROMISED = {
    "absences": "absence_id, state, start_date, end_date, consumed_to",
    "absence_days": "absence_id, date, employee_id, activity_id, account_id, minutes, amount, registered",
    "account_balances": "employee_id, account_id, credited, used, expired, planned, balance",
    "accrual_forecast": "entry_id, employee_id, policy_id, kind, due_date, amount, materialized_at IS NULL",
    "approvals_inbox": "manager_id, item_kind, item_id, employee_id, period_start, period_end",
    "definitions": 'kind, entity_id, valid_from, "values"',
    "employee_directory": "employee_id, status, org_unit_id, manager_id, is_manager",
    "employment_periods": "employee_id, employment_id, valid_from, valid_to, terms_id",
    "policy_activities": "employee_id, policy_kind, policy_id, activity_id, account_id, unit",
    "published_norms": "employee_id, monday, minutes, holidays",
    "timesheet_statements": "statement_id, employee_id, terms_id, period_start, period_end, state",
    "timesheet_weeks": "employee_id, monday, work_minutes, time_off_minutes, non_work_minutes, expected_minutes",
}
# A forecast reaches two years ahead of the night that made it. Someone who left while nobody looked has no empty weeks
# published for the time after.
ONLY = {"accrual_forecast": "due_date < '2027-11-01'", "published_norms": "0 < ANY (minutes)"}


@pytest.fixture
def fresh(make_database: Callable[..., str], migrated: str) -> Iterator[Callable[[], Database]]:
    """Makes databases with the same story."""
    opened: list[Database] = []

    def make_one() -> Database:
        database = Database(make_database(migrated))
        opened.append(database)
        tell_story(database)
        return database

    yield make_one
    for database in opened:
        database.close()


@contextmanager
def unchanged(database: Database) -> Iterator[None]:
    before = digests(database)
    yield
    assert digests(database) == before


def promised(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: rows(database, f"SELECT workspace_id, {columns} FROM projections.{table} {_only(table)}")
        for table, columns in PROMISED.items()
    }


def test_a_night_ends_well_and_the_second_changes_nothing(fresh: Callable[[], Database]) -> None:
    engine = nights_engine(fresh(), TONIGHT)
    runs = run_night(engine)
    assert {run.status for run in runs} <= {"completed", "warning"}
    assert len({run.job for run in runs}) >= 8
    with unchanged(engine.database):
        assert run_night(engine) == []
        for job in nightly(engine):
            if job.name != "purge_expired_data":
                again = engine.run(RunRequest(job=job.name, targets=[(run.workspace_id, TONIGHT) for run in runs[:1]]))
                assert {run.status for run in again} <= {"completed", "warning"}, job.name


def test_ten_days_late_is_as_good_as_ten_nights_on_time(fresh: Callable[[], Database]) -> None:
    on_time, late = fresh(), fresh()
    # The scheduler has seen the last night before the outage, or it would take the workspaces for new ones.
    run_night(nights_engine(late, TONIGHT))
    for nights in range(1, 12):
        run_night(nights_engine(on_time, night_after(nights=nights)))
    run_night(nights_engine(late, night_after(nights=11)))
    one, other = promised(on_time), promised(late)
    for table in PROMISED:
        assert other[table] == one[table], table


def test_neither_chunk_size_nor_order_of_workspaces_matters(fresh: Callable[[], Database]) -> None:
    usual, small, reversed_order = fresh(), fresh(), fresh()
    run_night(nights_engine(usual, TONIGHT))
    run_night(nights_engine(small, TONIGHT, chunk_rows=3))
    run_night(nights_engine(reversed_order, TONIGHT), order=reversed)
    expected = digests(usual)
    assert digests(small) == expected
    assert digests(reversed_order) == expected


def test_a_dry_run_counts_what_the_real_one_does_and_leaves_no_trace(fresh: Callable[[], Database]) -> None:
    engine = nights_engine(fresh(), TONIGHT)
    engine.catch_up()
    for job in nightly(engine):
        due = [(item.workspace_id, item.run_date) for item in engine.due([job.name]).due]
        if not due:
            continue
        with unchanged(engine.database):
            dry = engine.run(RunRequest(job=job.name, targets=due, parameters={"dry_run": True}))
        real = engine.run(RunRequest(job=job.name, targets=due, parameters={"dry_run": False}))
        assert [run.counters for run in dry] == [run.counters for run in real], job.name
        assert [run.status for run in dry] == [run.status for run in real], job.name
        for run in dry:
            assert run.plan is not None


def test_a_workspace_that_is_not_in_scope_is_left_alone(fresh: Callable[[], Database]) -> None:
    engine = nights_engine(fresh(), TONIGHT)
    first, *others = engine.active_workspaces()
    engine.catch_up()

    def of_others() -> list[tuple[Any, ...]]:
        return rows(engine.database, "SELECT * FROM batch_jobs.events WHERE workspace_id <> %s ORDER BY 1, 2", first)

    before = of_others()
    for job in nightly(engine):
        engine.run(RunRequest(job=job.name, targets=[(first, TONIGHT)]))
    assert of_others() == before
    assert others


def test_bad_data_ends_in_row_errors_and_warnings_never_in_a_failed_night(database: Database) -> None:
    make.import_all(database, *BAD)
    engine = nights_engine(database, TONIGHT)
    runs = run_night(engine) + run_night(nights_engine(database, date(2026, 12, 1)))
    assert {run.job: run.message for run in runs if run.status not in ("completed", "warning")} == {}
    warned = {run.job for run in runs if run.status == "warning"}
    assert {"apply_scheduled_changes", "accrual_materialize", "absence_registration", "timeoff_consumption"} <= warned
    for error in _errors(engine):
        assert "Traceback" not in error
        assert "can not work on this row" not in error, error


def test_a_change_of_today_is_seen_by_every_job_of_the_night(database: Database) -> None:
    make.import_all(
        database,
        make.workspace(),
        make.terms(approval_period="none"),
        make.event("time_account.defined", {"account_id": "a", "name": "Days", "kind": "time_off", "unit": "days"}),
        make.event(
            "time_off_policy.defined",
            {
                "policy_id": "p",
                "name": "Extra",
                "account_id": "a",
                "accrual": {"plugin": "yearly", "annual": 500, "timing": "year_start", "year_start_month": 11},
            },
        ),
        make.employee("e-1"),
        make.employment("e-1/1"),
        make.event(
            "change.scheduled",
            {
                "change_id": "c-1",
                "entity": "employment_terms",
                "entity_id": "t-1",
                "effective_date": "2026-11-01",
                "values": {"approval_period": "weekly", "time_off_policy_ids": ["p"], "norm": [[60] * 7]},
            },
        ),
    )
    engine = nights_engine(database, date(2026, 11, 1))
    runs = run_night(engine)
    assert {run.status for run in runs} == {"completed"}
    assert rows(database, "SELECT credited FROM projections.account_balances") == [(500,)]
    assert rows(database, "SELECT period_start::text FROM projections.timesheet_statements") == [("2026-10-26",)]
    published = "SELECT minutes FROM projections.published_norms WHERE monday = '2026-11-02'"
    assert rows(database, published) == [([60] * 7,)]


def _only(table: str) -> str:
    return f"WHERE {ONLY.get(table, 'true')} ORDER BY 1, 2, 3, 4"


def _errors(engine: Engine) -> list[str]:
    return [message for (message,) in rows(engine.database, "SELECT message FROM batch_jobs.job_run_errors")]
