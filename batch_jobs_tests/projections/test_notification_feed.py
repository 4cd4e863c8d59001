"""The feed of notifications: what enters, what is marked, what leaves, and what can not be applied."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.projections.catching_up import catch_up_all, rows, take_in

NAMES = ["notification_feed"]
START = datetime(2026, 1, 1, 8, tzinfo=UTC)


def notice(what: str, notification_id: str, user_id: str = "u-1", minute: int = 0, **fields: Any) -> Event:
    payload: dict[str, Any] = {"notification_id": notification_id, "user_id": user_id}
    if what == "created":
        payload |= {"kind": "note", "channels": ["in_app", "email"], "data": {"n": 1}, "dedup_key": notification_id}
    at = (START + timedelta(minutes=minute)).isoformat()
    return make.event(f"notification.{what}", payload | fields, occurred_at=at)


def held(database: Database, table: str, *columns: str, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute(
            f"SELECT {', '.join(columns)} FROM projections.{table} ORDER BY {', '.join(columns)}"
        ).fetchall()


def reasons(database: Database, workspace_id: str = "acme") -> list[tuple[int, str]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute("SELECT position, reason FROM batch_jobs.dead_letters ORDER BY position").fetchall()


def test_a_notification_enters_the_feed_and_is_read_and_dismissed_once(database: Database):
    take_in(
        database,
        notice("created", "n-1"),
        notice("read", "n-1", minute=5),
        notice("read", "n-1", minute=3),
        notice("dismissed", "n-1", minute=9),
    )
    take_in(database, notice("read", "n-1", minute=1), notice("dismissed", "n-1", minute=2))
    assert rows(database, "notification_feed") == [
        {
            "user_id": "u-1",
            "notification_id": "n-1",
            "kind": "note",
            "data": {"n": 1},
            "created_at": START,
            "read_at": START + timedelta(minutes=5),
            "dismissed_at": START + timedelta(minutes=9),
            "dedup_key": "n-1",
        }
    ]
    assert reasons(database) == []


def test_the_first_of_a_dedup_key_counts(database: Database):
    result = take_in(
        database,
        notice("created", "n-1", dedup_key="k"),
        notice("created", "n-2", dedup_key="k"),
        notice("created", "n-2", dedup_key="another"),
        notice("created", "n-2", "u-2", dedup_key="k"),
    )
    again = take_in(database, notice("created", "n-3", dedup_key="k"), notice("read", "n-3"))
    assert held(database, "notifications", "user_id", "dedup_key", "notification_id") == [
        ("u-1", "another", "n-2"),
        ("u-1", "k", "n-1"),
        ("u-2", "k", "n-2"),
    ]
    assert (result.dead_letters, again.dead_letters) == (1, 2)
    first_counts = 'user "u-1" has a notification with dedup_key "k" already; the first one counts'
    assert reasons(database) == [
        (2, first_counts),
        (5, first_counts),
        (
            6,
            'notification "n-3" of user "u-1" was read before it was created; import its notification.created first',
        ),
    ]


def test_one_id_for_two_notifications_of_a_user_is_refused(database: Database):
    take_in(database, notice("created", "n-1", dedup_key="a"), notice("created", "n-1", dedup_key="b"))
    take_in(database, notice("created", "n-1", dedup_key="c"))
    assert held(database, "notification_feed", "notification_id", "dedup_key") == [("n-1", "a")]
    assert [position for position, _ in reasons(database)] == [2, 3]
    assert all("give each notification an id of its own" in reason for _, reason in reasons(database))


def test_what_is_purged_leaves_the_feed_for_good(database: Database):
    take_in(database, notice("created", "n-1"), notice("read", "n-1"), notice("purged", "n-1"))
    take_in(database, notice("purged", "n-1"), notice("read", "n-1"), notice("dismissed", "n-1"))
    assert rows(database, "notification_feed") == []
    assert held(database, "notifications", "notification_id") == [("n-1",)]
    assert reasons(database) == []
    take_in(database, notice("created", "n-1"))
    assert rows(database, "notification_feed") == []
    assert len(reasons(database)) == 1


def test_e_mail_alone_is_for_no_feed(database: Database):
    take_in(database, notice("created", "n-1", channels=["email"]), notice("read", "n-1"), notice("purged", "n-1"))
    assert rows(database, "notification_feed") == []
    assert held(database, "notifications", "notification_id", "channels") == [("n-1", ["email"])]
    assert reasons(database) == []


def test_what_is_said_of_no_notification_is_a_dead_letter(database: Database):
    take_in(
        database,
        notice("read", "n-1"),
        notice("dismissed", "n-1"),
        notice("purged", "n-1"),
        notice("created", "n-1"),
        notice("read", "n-1", "u-2"),
    )
    assert [position for position, _ in reasons(database)] == [1, 2, 3, 5]
    ((read_at, dismissed_at),) = held(database, "notification_feed", "read_at", "dismissed_at")
    assert (read_at, dismissed_at) == (None, None)


@pytest.mark.parametrize(
    ("kind", "data", "named"),
    [
        ("timeoff_reminder", {"absence_ids": ["a-1", "a-2", "a-1"]}, ["a-1", "a-2"]),
        ("timeoff_reminder", {"absence_ids": "a-1"}, []),
        ("timeoff_reminder", {"absence_ids": [None, 7, "", "x" * 101]}, ["7"]),
        ("timeoff_reminder", {}, []),
        ("note", {"absence_ids": ["a-1"]}, []),
    ],
)
def test_reminders_are_remembered_by_absence(database: Database, kind: str, data: dict[str, Any], named: list[str]):
    take_in(database, notice("created", "n-1", kind=kind, data=data))
    take_in(database, notice("created", "n-2", kind=kind, data=data))
    assert [absence_id for (absence_id,) in held(database, "reminded_absences", "absence_id")] == named


_ids = st.sampled_from(["n-1", "n-2", "n-3"])
_users = st.sampled_from(["u-1", "u-2"])
_created = st.builds(
    lambda one, user, key, channels, kind: notice(
        "created", one, user, dedup_key=key, channels=channels, kind=kind, data={"absence_ids": [key]}
    ),
    _ids,
    _users,
    st.sampled_from(["k-1", "k-2", "k-3"]),
    st.sampled_from([["in_app"], ["email"], ["in_app", "email"]]),
    st.sampled_from(["note", "timeoff_reminder"]),
)
_said = st.builds(
    notice,
    st.sampled_from(["read", "dismissed", "purged"]),
    _ids,
    _users,
    st.integers(0, 90),
)
_examples = iter(range(1_000_000))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_created | _said, st.booleans()), min_size=1, max_size=14))
def test_every_split_gives_what_a_plain_reading_gives(database: Database, happened: list[tuple[Event, bool]]):
    number = next(_examples)
    split, whole = f"split-{number}", f"whole-{number}"
    for event, then_catch_up in happened:
        import_all(database, *of(split, event))
        if then_catch_up:
            catch_up_all(database, split, names=NAMES)
    import_all(database, *of(whole, *(event for event, _ in happened)))
    catch_up_all(database, whole, split, names=NAMES)
    feed, known, letters = _plainly([event for event, _ in happened])
    for workspace_id in (split, whole):
        columns = ("user_id", "notification_id", "kind", "dedup_key", "read_at", "dismissed_at")
        found = held(database, "notification_feed", *columns, workspace_id=workspace_id)
        assert {row[:2]: row[2:] for row in found} == feed
        columns = ("user_id", "dedup_key", "notification_id", "position")
        assert set(held(database, "notifications", *columns, workspace_id=workspace_id)) == known
        assert [position for position, _ in reasons(database, workspace_id)] == letters
        named = {row[1] for row in known if happened[row[3] - 1][0]["payload"]["kind"] == "timeoff_reminder"}
        assert {one for (one,) in held(database, "reminded_absences", "absence_id", workspace_id=workspace_id)} == named


def _plainly(events: list[Event]) -> tuple[dict[Any, Any], set[Any], list[int]]:
    """Event by event: the feed by user and id, all that were ever created, and the positions of dead letters."""
    feed: dict[Any, Any] = {}
    known: dict[Any, Any] = {}
    ids: set[Any] = set()
    letters = []
    for position, event in enumerate(events, 1):
        payload, what = event["payload"], event["type"].removeprefix("notification.")
        identity = payload["user_id"], payload["notification_id"]
        if what == "created":
            key = payload["user_id"], payload["dedup_key"]
            if key in known or identity in ids:
                letters.append(position)
                continue
            known[key] = identity[1], position
            ids.add(identity)
            if "in_app" in payload["channels"]:
                feed[identity] = payload["kind"], payload["dedup_key"], None, None
        elif identity not in ids:
            letters.append(position)
        elif what == "purged":
            feed.pop(identity, None)
        elif identity in feed:
            kind, key, read_at, dismissed_at = feed[identity]
            at = datetime.fromisoformat(event["occurred_at"])
            read_at = read_at or (at if what == "read" else None)
            dismissed_at = dismissed_at or (at if what == "dismissed" else None)
            feed[identity] = kind, key, read_at, dismissed_at
    return feed, {(*key, *value) for key, value in known.items()}, letters
