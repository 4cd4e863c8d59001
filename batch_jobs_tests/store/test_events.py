"""The event log: gapless positions whoever writes at once, and repeats that change nothing or are refused."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs.store.envelope import EventRecord, event_reader
from batch_jobs.store.events import append, lock_workspaces
from batch_jobs.store.temporary import temporary_table
from batch_jobs_tests.builders import Event, employee, event, import_all, lines, time_entered, workspace
from batch_jobs_tests.deadline import until

ID = "9b2f6c1e-0d5a-4e57-8c1b-4a7f3e2d1c00"


def records(*events: Event) -> list[EventRecord]:
    return [event_reader().read(line) for line in lines(*events)]


def log(database: Database, workspace_id: str = "acme") -> list[tuple[Any, ...]]:
    with database.worker([workspace_id]) as connection:
        return connection.execute(
            "SELECT position, type, payload ->> 'entry_id' FROM batch_jobs.events ORDER BY position"
        ).fetchall()


def head(database: Database, workspace_id: str = "acme") -> int:
    with database.worker([workspace_id]) as connection:
        return lock_workspaces(connection, [workspace_id])[workspace_id]


@pytest.mark.every_postgres
def test_positions_follow_the_order_of_the_file_in_each_workspace(database: Database) -> None:
    mixed = [
        {**time_entered(f"te-{number}"), "workspace_id": "acme" if number % 3 else "globex"} for number in range(30)
    ]
    appended = import_all(database, *mixed)
    assert (appended.events, appended.duplicates, appended.heads) == (30, 0, {"acme": 20, "globex": 10})
    for name in ("acme", "globex"):
        entries = [one["payload"]["entry_id"] for one in mixed if one["workspace_id"] == name]
        assert log(database, name) == [(position, "time.entered", entry) for position, entry in enumerate(entries, 1)]
    assert import_all(database, time_entered("te-last")).heads == {"acme": 21}


@pytest.mark.every_postgres
def test_concurrent_appenders_leave_no_gap_and_no_reader_sees_one(database: Database) -> None:
    writers, appends, size = 4, 8, 5
    done = threading.Event()
    seen = []

    def write(writer: int) -> None:
        for number in range(appends):
            with database.worker(["acme", "globex"]) as connection:
                append(
                    connection,
                    records(
                        *(
                            {**time_entered(f"{writer}-{number}-{one}"), "workspace_id": ("globex", "acme")[one % 2]}
                            for one in range(size)
                        )
                    ),
                )

    def read() -> None:
        while not done.is_set():
            with database.worker(["acme"]) as connection:
                row = connection.execute(
                    "SELECT count(*), coalesce(max(position), 0), max(w.head) FROM batch_jobs.events"
                    " RIGHT JOIN batch_jobs.workspaces w USING (workspace_id)"
                ).fetchone()
                assert row
                seen.append(row)

    with ThreadPoolExecutor(writers + 1) as pool:
        reader = pool.submit(read)
        for written in [pool.submit(write, writer) for writer in range(writers)]:
            written.result(60)
        done.set()
        reader.result(60)
    for name, of_each in (("acme", 2), ("globex", 3)):
        rows = log(database, name)
        assert [row[0] for row in rows] == list(range(1, writers * appends * of_each + 1))
        assert head(database, name) == len(rows)
        for _, one in itertools.groupby(rows, key=lambda row: row[2].rpartition("-")[0]):
            assert len(list(one)) == of_each, "an append is not torn apart"
    assert seen
    assert all(count in (highest, 1) and highest == (at or 0) for count, highest, at in seen)


@pytest.mark.every_postgres
def test_repeats_are_counted_and_change_nothing(database: Database) -> None:
    first, second = time_entered("te-1"), time_entered("te-2")
    assert import_all(database, first).duplicates == 0
    again = import_all(database, first, second, second, first, second)
    assert (again.events, again.duplicates, again.heads) == (1, 4, {"acme": 2})
    nothing = import_all(database, second, first)
    assert (nothing.events, nothing.duplicates, nothing.heads) == (0, 2, {})
    assert [row[0] for row in log(database)] == [1, 2]


def test_the_same_id_in_another_workspace_is_another_event(database: Database) -> None:
    one = time_entered("te-1")
    assert import_all(database, one, {**one, "workspace_id": "globex"}).events == 2


@pytest.mark.parametrize(
    ("change", "different"),
    [
        ({"type": "time.removed", "payload": {"entry_id": "te-1", "employee_id": "e-1"}}, "type"),
        ({"payload": {**time_entered("te-1", "e-2")["payload"]}}, "employee_id"),
        ({"targets": ["e-9"]}, "targets"),
        ({"payload": {**time_entered("te-1")["payload"], "minutes": 61}}, "payload"),
    ],
)
@pytest.mark.every_postgres
def test_another_content_under_an_id_is_refused_by_line_and_place(
    database: Database, change: dict[str, Any], different: str
) -> None:
    first = {**time_entered("te-1"), "event_id": ID}
    changed = {**first, **change}
    stands = rf'event_id "{ID}" \({changed["type"]}\) of workspace "acme" stands for another event in '
    with pytest.raises(BadInputError, match=rf"^line 3: {stands}line 1 of this file, with another {different}; "):
        import_all(database, first, time_entered("te-2"), changed)
    import_all(database, time_entered("te-0"), first)
    with pytest.raises(BadInputError, match=rf"^line 2: {stands}position 2 of its log, with another {different}; "):
        import_all(database, time_entered("te-3"), changed, first)
    assert head(database) == 2


def test_what_is_said_otherwise_but_means_the_same_is_a_repeat(database: Database) -> None:
    short = event("project.defined", {"project_id": "p", "name": "N", "status": "active"}, event_id=ID)
    long = {**short["payload"], "requires_approval": False, "description": None}
    import_all(database, short)
    again = import_all(database, {**short, "payload": long}, short, {**short, "payload": long})
    assert (again.events, again.duplicates) == (0, 3)
    other = {**short, "event_id": ID.replace("9b2f", "9b2e")}
    assert import_all(database, other, {**other, "payload": long}).duplicates == 1


def test_when_who_and_how_may_differ(database: Database) -> None:
    """The same id with other type, employee, targets or payload is an error (domain 2); the rest is not compared."""
    import_all(database, event("time.removed", {"entry_id": "t", "employee_id": "e"}, event_id=ID))
    later = event(
        "time.removed",
        {"entry_id": "t", "employee_id": "e"},
        event_id=ID,
        occurred_at="2026-05-05T00:00:00Z",
        actor="job:other",
    )
    assert import_all(database, later).duplicates == 1


def test_the_first_event_of_the_log_gives_the_first_date(database: Database) -> None:
    later, earlier = "2026-03-01T23:30:00+00:00", "2026-01-01T00:00:00+00:00"
    import_all(database, {**employee("e-1"), "occurred_at": later}, {**employee("e-2"), "occurred_at": earlier})
    import_all(database, {**workspace(), "occurred_at": earlier})
    with database.worker(["acme"]) as connection:
        row = connection.execute("SELECT first_event_at, head FROM batch_jobs.workspaces").fetchone()
    assert row == (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), 3)


@pytest.mark.every_postgres
@pytest.mark.parametrize("roles", [["owner", "worker", "owner", "worker"], ["worker", "owner", "worker"]])
def test_a_pooled_connection_serves_owner_and_worker_in_turn(database: Database, roles: list[str]) -> None:
    create = "CREATE TEMPORARY TABLE kept_table (x int) ON COMMIT DELETE ROWS"
    served = set()
    for number, role in enumerate(roles):
        with database.owner() if role == "owner" else database.worker(["acme"]) as connection:
            temporary_table(connection, "kept_table", create)
            connection.execute("INSERT INTO kept_table VALUES (1)")
            connection.execute("ANALYZE kept_table")
            assert connection.execute("SELECT count(*) FROM kept_table").fetchone() == (1,)
            temporary_table(connection, "kept_table", create)
            assert connection.execute("SELECT count(*) FROM kept_table").fetchone() == (0,)
            append(connection, records(time_entered(f"te-{number}")))
            served.add(connection.info.backend_pid)
            if number == 1:
                connection.execute("DROP TABLE kept_table")
    assert len(served) == 1
    assert head(database) == len(roles)


def test_events_for_a_workspace_that_is_just_purged_begin_it_anew(database: Database) -> None:
    import_all(database, workspace("acme"), time_entered("te-1"))
    with ThreadPoolExecutor(1) as pool:
        with database.owner() as connection:
            connection.execute("SELECT FROM batch_jobs.workspaces FOR UPDATE")
            late = pool.submit(import_all, database, time_entered("te-2"))
            until(lambda: connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall())
            connection.execute("DELETE FROM batch_jobs.events")
            connection.execute("DELETE FROM batch_jobs.workspaces")
        assert late.result(30).heads == {"acme": 1}
    assert log(database) == [(1, "time.entered", "te-2")]
