"""A notification is created once per user and dedup key, and once for each event id."""

from collections import namedtuple
from datetime import date

import pytest

from batch_jobs.engine.batch import Batch, WorkspaceRun
from batch_jobs.mail.notices import Notice, create
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs.store.events import append
from batch_jobs_tests import builders
from batch_jobs_tests.projections.catching_up import catch_up_all, rows

Row = namedtuple("Row", "workspace_id row_id due")
ACME, BELL = Row("acme", "1", True), Row("bell", "1", True)


def _notice(row=ACME, user_id="u-1", parts=("a", "b"), **fields):
    return Notice(row, user_id, "note", parts, {"n": 1}, **fields)


@pytest.fixture
def send(database):
    """Creates notices as a job does, and catches up. Returns what `create` said."""
    builders.import_all(database, builders.workspace(), builders.workspace("bell"))

    def do(*notices, job="remind"):
        with database.worker(["acme", "bell"]) as connection:
            runs = {name: WorkspaceRun("run", date(2026, 6, 1), "UTC", None) for name in ("acme", "bell")}
            batch = Batch(
                [ACME, BELL],
                runs,
                connection,
                job=job,
                counters=["errors"],
                warning_counters=["errors"],
                error_counter="errors",
            )
            created = create(batch, notices)
            assert len(batch.events) == sum(created)
            append(connection, batch.events)
        catch_up_all(database, "acme", "bell")
        return created

    return do


def test_what_is_written(database, send):
    assert send(_notice(channels=("in_app",))) == [True]
    (found,) = rows(database, "notification_feed")
    notification_id = str(deterministic_event_id("acme", "remind", "notification", "note:a:b"))
    assert (found["user_id"], found["notification_id"], found["kind"]) == ("u-1", notification_id, "note")
    assert (found["dedup_key"], found["data"]) == ("note:a:b", {"n": 1})
    with database.worker(["acme"]) as connection:
        events = connection.execute(
            "SELECT event_id::text, actor, occurred_at::text FROM batch_jobs.events WHERE type = 'notification.created'"
        ).fetchall()
    assert events == [(notification_id, "job:remind", "2026-06-01 00:00:00+00")]


def test_an_existing_key_is_not_created_again(database, send):
    assert send(_notice(), _notice(parts=("c",))) == [True, True]
    assert send(_notice(), _notice(parts=("d",)), _notice(BELL)) == [False, True, True]
    assert len(rows(database, "notification_feed")) == 3


def test_of_equal_keys_in_one_batch_the_first_counts(database, send):
    assert send(_notice(), _notice(), _notice(BELL)) == [True, False, True]


def test_a_key_that_an_application_used_counts_as_well(database, send):
    payload = {
        "notification_id": "n-1",
        "user_id": "u-1",
        "kind": "note",
        "channels": ["in_app"],
        "data": {},
        "dedup_key": "note:a:b",
    }
    builders.import_all(database, builders.event("notification.created", payload))
    catch_up_all(database, "acme", "bell")
    assert send(_notice(), _notice(user_id="u-2")) == [False, True]


def test_the_same_event_is_not_written_for_another_user(database, send):
    """The event's id is made without the user, so that a second one would contradict the first."""
    assert send(_notice(), _notice(user_id="u-2")) == [True, False]
    assert send(_notice(user_id="u-2")) == [False]
    assert send(_notice(user_id="u-2"), job="another") == [True]


def test_nothing_to_create_asks_nothing(send):
    assert send() == []
