"""What waits for longer than an hour is noticed, whoever should have started it; what goes its way is not."""

from datetime import timedelta
from typing import Any

import pytest

from batch_jobs.engine.overdue import OVERDUE_AFTER, Overdue
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.jobs.sync_projections import SyncProjections
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, NOON, Clock, engine_of, found, run
from batch_jobs_tests.engine.marking import Marking, named

NAMES = ["acme", "globex"]
A_SECOND = timedelta(seconds=1)
# Domain 7: jobs may begin at one o'clock of the workspace.
START = NOON.replace(hour=1, minute=0)


@pytest.fixture
def database(database: Database) -> Database:
    found(database, NAMES)
    happened(database, "workspaces", "recorded_at", NOON - timedelta(days=3))
    return database


def happened(database: Database, table: str, column: str, instant: Any) -> None:
    with database.owner() as connection:
        connection.execute(f"UPDATE batch_jobs.{table} SET {column} = %s", [instant])


def test_a_job_that_nobody_started_is_overdue_an_hour_after_its_time(database: Database) -> None:
    clock = Clock(START + OVERDUE_AFTER - A_SECOND)
    engine = engine_of(database, Marking(), clock=clock)
    engine.catch_up()
    yesterday = DAY - timedelta(days=1)
    assert {one.run_date for one in engine.overdue()} <= {yesterday}
    clock.now = START + OVERDUE_AFTER
    assert engine.overdue() == [Overdue("marking", name, DAY, START) for name in NAMES]
    run(engine, "marking", ["acme"])
    assert engine.overdue() == [Overdue("marking", "globex", DAY, START)]
    run(engine, "marking", ["globex"], parameters={"dry_run": True})
    assert [one.workspace_id for one in engine.overdue()] == ["globex"]


def test_an_import_has_an_hour_too(database: Database) -> None:
    engine = engine_of(database, Marking(), clock=Clock(NOON))
    engine.catch_up()
    happened(database, "workspaces", "recorded_at", NOON - OVERDUE_AFTER + A_SECOND)
    assert engine.overdue() == []
    happened(database, "workspaces", "recorded_at", NOON - OVERDUE_AFTER)
    assert len(engine.overdue()) == 2


def test_who_comes_after_another_waits_from_its_end_on(database: Database) -> None:
    first, second = named("first"), named("second", after=("first",))
    engine = engine_of(database, first, second, clock=Clock(NOON))
    engine.catch_up()
    assert {one.job for one in engine.overdue()} == {"first"}
    run(engine, "first", NAMES)
    happened(database, "job_runs", "ended_at", NOON - timedelta(minutes=10))
    assert engine.overdue() == []
    happened(database, "job_runs", "ended_at", NOON - timedelta(hours=2))
    assert {(one.job, one.since) for one in engine.overdue()} == {("second", NOON - timedelta(hours=2))}


def test_what_nobody_synced_or_sent(database: Database) -> None:
    engine = engine_of(database, SyncProjections(), DeliverNotifications(), clock=Clock(NOON))
    engine.catch_up()
    created = builders.event(
        "notification.created",
        {"notification_id": "n", "user_id": "u", "kind": "x", "channels": ["email"], "data": {}, "dedup_key": "n"},
    )
    builders.import_all(database, *builders.of("acme", builders.employee("e-9"), created))
    happened(database, "events", "recorded_at", NOON - timedelta(minutes=59))
    happened(database, "outbox", "next_attempt_at", NOON - timedelta(minutes=59))
    assert engine.overdue() == []
    happened(database, "events", "recorded_at", NOON - timedelta(minutes=61))
    assert engine.overdue() == [Overdue("sync_projections", "acme", None, NOON - timedelta(minutes=61))]
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, next_attempt_at) "
            "VALUES ('globex', 'u', 'n', 'x', %s)",
            [NOON - timedelta(hours=3)],
        )
    engine.catch_up()
    assert engine.overdue() == [Overdue("deliver_notifications", "globex", None, NOON - timedelta(hours=3))]
    builders.import_all(database, *builders.of("globex", builders.event("workspace.suspended", {})))
    assert engine.overdue() == []
