"""What is past its retention goes, all else stays, and a rebuild gives the same rows. Real rows of every kind."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg import errors as database_errors

from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.errors import BadInputError
from batch_jobs.jobs.purge_expired_data import PurgeExpiredData, Retention
from batch_jobs.jobs.timesheet_statement_generate import TimesheetStatementGenerate
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.builders import Event
from batch_jobs_tests.engine.company import DAY, digests, engine_of, rows, run
from batch_jobs_tests.projections.catching_up import everything

JOB = PurgeExpiredData.name
ZERO = {counter.name: 0 for counter in PurgeExpiredData.counters}
WRITE = {"dry_run": False}
# Kolkata is 5:30 ahead of UTC: the run date began there at 18:30 UTC of the day before.
KOLKATA = "Asia/Kolkata"


@pytest.fixture
def engine(database):
    return engine_of(database, PurgeExpiredData(), TimesheetStatementGenerate())


def purge(engine: Engine, workspace_id: str = "acme", day: date = DAY, **parameters: Any) -> JobRun:
    (one,) = run(engine, JOB, [workspace_id], day, parameters=WRITE | parameters)
    return one


def deleted(engine: Engine, *wishes: Any, **parameters: Any) -> dict[str, Any]:
    """The counters of a purge that are not zero."""
    one = purge(engine, *wishes, **parameters)
    assert one.status == "completed"
    return {name: value for name, value in one.counters.items() if value}


def instant(days_ago: float, *, of: date = DAY) -> str:
    return (datetime.combine(of, datetime.min.time(), UTC) - timedelta(days=days_ago)).isoformat()


def notification(notification_id: str, user_id: str = "u-1") -> Event:
    payload = {"notification_id": notification_id, "user_id": user_id, "kind": "news", "channels": ["in_app"]}
    return builders.event("notification.created", {**payload, "data": {}, "dedup_key": f"news:{notification_id}"})


def seen(what: str, notification_id: str, days_ago: float, user_id: str = "u-1") -> Event:
    payload = {"notification_id": notification_id, "user_id": user_id}
    return builders.event(f"notification.{what}", payload, occurred_at=instant(days_ago))


def invited(user_id: str, days_ago: float, **fields: Any) -> Event:
    return builders.user(user_id, status="invited", invited_at=instant(days_ago), **fields)


def feed(engine: Engine) -> list[tuple[str, str]]:
    found = rows(engine.database, "SELECT user_id, notification_id FROM projections.notification_feed ORDER BY 1, 2")
    return list(found)


def statuses(engine: Engine) -> dict[str, str]:
    sql = """SELECT entity_id, "values" ->> 'status' FROM projections.definitions WHERE kind = 'user' ORDER BY 1"""
    return dict(rows(engine.database, sql))


def test_read_and_dismissed_notifications_leave_the_feed_by_an_event(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        *(notification(name) for name in ("old", "dismissed", "new", "unread", "both")),
        seen("read", "old", 91),
        seen("dismissed", "dismissed", 90.5),
        seen("read", "new", 89.5),
        seen("read", "both", 100),
        seen("dismissed", "both", 1),
    )
    assert deleted(engine) == {"notifications_deleted": 3}
    assert feed(engine) == [("u-1", "new"), ("u-1", "unread")]
    written = rows(
        engine.database,
        "SELECT event_id, payload FROM batch_jobs.events WHERE type = 'notification.purged' ORDER BY position LIMIT 1",
    )
    event_id = deterministic_event_id("acme", JOB, "notifications", "both")
    assert written == [(event_id, {"notification_id": "both", "user_id": "u-1"})]
    assert purge(engine).counters["skipped_reason"] == "nothing is past its retention"


@pytest.mark.parametrize(
    ("zone", "days_ago", "goes"), [(KOLKATA, 90.2, False), (KOLKATA, 90.3, True), ("UTC", 90, False)]
)
def test_days_are_counted_from_the_start_of_the_run_date_in_the_workspace(engine, zone, days_ago, goes):
    builders.import_all(
        engine.database, builders.workspace(timezone=zone), notification("n-1"), seen("read", "n-1", days_ago)
    )
    assert deleted(engine).get("notifications_deleted", 0) == goes


def test_two_users_with_notifications_of_one_id_both_lose_them(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        *(one for user in ("u-1", "u-2") for one in (notification("n", user), seen("read", "n", 91, user))),
    )
    assert deleted(engine) == {"notifications_deleted": 2}
    assert feed(engine) == []
    assert digests_stay(engine)


def digests_stay(engine: Engine) -> bool:
    before = digests(engine.database)
    purge(engine)
    return digests(engine.database) == before


def test_invitations_expire_and_those_sent_again_expire_again(engine):
    builders.import_all(
        engine.database,
        builders.workspace(),
        invited("late", 8),
        invited("fresh", 6.5),
        builders.user("active", status="active", invited_at=instant(50)),
        invited("later-active", 30),
        builders.user("later-active", since=DAY - timedelta(days=20)),
        builders.user("still-invited", status="invited", invited_at=instant(9)),
        builders.user("still-invited", since=DAY + timedelta(days=20)),
    )
    assert deleted(engine) == {"invitations_deleted": 2}
    found = statuses(engine)
    assert (found["late"], found["fresh"]) == ("expired", "invited")
    assert rows(engine.database, "SELECT event_id FROM batch_jobs.events WHERE payload ->> 'user_id' = 'late'")[1] == (
        deterministic_event_id("acme", JOB, "invitations", "late"),
    )
    builders.import_all(engine.database, invited("late", 7.5))
    assert deleted(engine) == {"invitations_deleted": 1}
    assert statuses(engine)["late"] == "expired"
    builders.import_all(engine.database, invited("late", 7.4))
    assert deleted(engine) == {"invitations_deleted": 1}
    assert digests_stay(engine)


def test_an_invitation_without_its_time_was_sent_when_its_event_occurred(engine):
    def undated(user_id: str, days_ago: float, **fields: Any) -> Event:
        return builders.user(user_id, status="invited", **fields) | {"occurred_at": instant(days_ago)}

    builders.import_all(
        engine.database,
        builders.workspace(timezone=KOLKATA),
        undated("late", 7.3),
        undated("fresh", 7.2),
        # Recorded long before the day from which it holds.
        undated("planned", 90, since=DAY - timedelta(days=7)),
        undated("held", 90, since=DAY - timedelta(days=8)),
        undated("again", 90),
        undated("again", 1),
    )
    assert deleted(engine) == {"invitations_deleted": 2}
    assert [name for name, status in statuses(engine).items() if status == "expired"] == ["held", "late"]
    assert deleted(engine, invitations_days=6) == {"invitations_deleted": 2}


def age_runs(engine: Engine, job: str, days: int) -> None:
    with engine.database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.job_runs SET ended_at = ended_at - make_interval(days => %s), run_date = run_date - %s "
            "WHERE job = %s",
            [days, days, job],
        )


def test_old_job_runs_leave_the_ledger_with_their_errors(engine):
    generate = TimesheetStatementGenerate.name
    people = [builders.employment("e-1/1", terms_id="t-9"), builders.employee("e-1")]
    for name in ("acme", "zeta"):
        builders.import_all(engine.database, *builders.of(name, builders.workspace(), *people))
    run(engine, generate, ["acme", "zeta"], DAY - timedelta(days=1))
    age_runs(engine, generate, 500)
    run(engine, generate, ["acme", "zeta"])
    assert rows(engine.database, "SELECT count(*) FROM batch_jobs.job_run_errors") == [(4,)]
    assert deleted(engine) == {"job_runs_deleted": 1}
    left = rows(
        engine.database,
        "SELECT job, workspace_id, run_date FROM batch_jobs.job_runs ORDER BY 1, 2, 3",
    )
    assert left == [
        (JOB, "acme", DAY),
        (generate, "acme", DAY),
        (generate, "zeta", DAY - timedelta(days=501)),
        (generate, "zeta", DAY),
    ]
    assert rows(engine.database, "SELECT count(*) FROM batch_jobs.job_run_errors") == [(3,)]


def test_runs_that_go_on_or_make_a_near_day_done_stay(engine):
    builders.import_all(engine.database, builders.workspace())
    for change in ("status = 'started', ended_at = NULL", "ended_at = '2020-01-01'"):
        run(engine, TimesheetStatementGenerate.name, ["acme"])
        with engine.database.owner() as connection:
            connection.execute(f"UPDATE batch_jobs.job_runs SET {change} WHERE status <> 'started'".encode())
    assert deleted(engine) == {"skipped_reason": "nothing is past its retention"}


def living(name: str) -> list[Event]:
    return builders.of(
        name, builders.workspace(), builders.employee("e-1"), builders.terms(), builders.employment("e-1/1")
    )


def delete(name: str, days_ago: float) -> Event:
    return builders.event("workspace.deleted", workspace_id=name, occurred_at=instant(days_ago))


def rows_of(engine: Engine, workspace_id: str) -> dict[str, int]:
    """How many rows each table holds of a workspace, where there are any."""
    names = rows(
        engine.database,
        "SELECT concat_ws('.', relnamespace::regnamespace, relname) FROM pg_attribute a JOIN pg_class c "
        "ON c.oid = attrelid WHERE attname = 'workspace_id' "
        "AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'",
    )
    counts = {
        name: rows(engine.database, f"SELECT count(*) FROM {name} WHERE workspace_id = %s", workspace_id)[0][0]
        for (name,) in names
    }
    return {name: number for name, number in counts.items() if number}


def test_a_deleted_workspace_loses_all_its_rows_but_the_record_of_it(engine):
    for name in ("gone", "late", "alive", "rests"):
        builders.import_all(engine.database, *living(name))
    run(engine, TimesheetStatementGenerate.name, ["gone", "alive"])
    others = {name: rows_of(engine, name) for name in ("alive", "late", "rests")}
    builders.import_all(engine.database, delete("gone", 31), delete("late", 29))
    builders.import_all(engine.database, builders.event("workspace.suspended", workspace_id="rests"))
    engine.catch_up()
    (due,) = engine.due([JOB]).due
    assert (due.workspace_id, due.rows) == ("gone", 1)
    assert engine.scheduled_workspaces() == ["alive", "gone"]

    (one,) = run(engine, JOB, ["gone"], only_due=True, parameters=WRITE)
    assert (one.status, one.counters) == ("completed", ZERO | {"workspaces_deleted": 1})
    assert rows_of(engine, "gone") == {"batch_jobs.job_runs": 1}
    assert engine.find(one.job_run_id).status == "completed"
    assert engine.due([JOB]).due == []
    assert engine.scheduled_workspaces() == ["alive"]
    found = {name: rows_of(engine, name) for name in others}
    assert found["alive"] == others["alive"]
    assert found["late"]["projections.employee_directory"] == found["rests"]["projections.employee_directory"] == 1

    # The name is free again.
    builders.import_all(engine.database, *living("gone"))
    assert run(engine, TimesheetStatementGenerate.name, ["gone"])[0].counters["created"] == 1


def test_a_workspace_that_is_not_yet_to_be_purged_says_so(engine):
    builders.import_all(engine.database, *living("late"), delete("late", 29))
    assert deleted(engine, "late") == {"skipped_reason": "nothing is past its retention"}
    assert deleted(engine, "late", workspaces_days=28) == {"workspaces_deleted": 1}


def test_a_suspended_workspace_is_refused_and_other_jobs_refuse_deleted_ones(engine):
    builders.import_all(engine.database, *living("rests"), *living("gone"), delete("gone", 31))
    builders.import_all(engine.database, builders.event("workspace.suspended", workspace_id="rests"))
    with pytest.raises(BadInputError, match='"rests" is suspended; this job runs in active and deleted workspaces'):
        purge(engine, "rests")
    with pytest.raises(BadInputError, match='"gone" is deleted; jobs run in active workspaces only'):
        run(engine, TimesheetStatementGenerate.name, ["gone"])


@pytest.mark.parametrize(
    ("scope", "wanted", "why"),
    [
        ("alive", "alive", "is active; only deleted"),
        ("alive", "gone", "is not in scope"),
        ("nobody", "nobody", "unknown"),
    ],
)
def test_the_database_itself_refuses_to_purge_what_lives(engine, scope, wanted, why):
    builders.import_all(engine.database, *living("alive"), *living("gone"), delete("gone", 31))
    with (
        pytest.raises(database_errors.InsufficientPrivilege, match=why),
        engine.database.worker([scope]) as connection,
    ):
        connection.execute("SELECT batch_jobs.purge_workspace(%s)", [wanted])
    with pytest.raises(database_errors.InsufficientPrivilege), engine.database.reader() as connection:
        connection.execute("SELECT batch_jobs.purge_workspace('gone')")


def full(name: str = "acme") -> list[Event]:
    return builders.of(
        name,
        builders.workspace(),
        notification("n-1"),
        seen("read", "n-1", 200),
        notification("n-2"),
        invited("u-2", 20),
        invited("u-3", 1),
    )


def test_a_dry_run_counts_the_same_and_deletes_nothing(engine):
    builders.import_all(engine.database, *full(), *living("gone"), delete("gone", 31))
    run(engine, TimesheetStatementGenerate.name, ["acme"])
    age_runs(engine, TimesheetStatementGenerate.name, 500)
    engine.catch_up()
    before = digests(engine.database)
    dry = run(engine, JOB, ["acme", "gone"])
    assert digests(engine.database) == before
    removed, *written = dry[0].plan or ()
    assert (removed["table"], removed["change"], list(removed["key"])) == (
        "batch_jobs.job_runs",
        "removed",
        ["job_run_id"],
    )
    assert [row["type"] for row in written] == ["notification.purged", "user.invitation_expired"]
    (emptied,) = dry[1].plan or ()
    assert (emptied["table"], emptied["key"]) == ("batch_jobs.workspaces", {"workspace_id": "gone"})
    assert emptied["before"]["rows"] > len(living("gone"))
    real = run(engine, JOB, ["acme", "gone"], parameters=WRITE)
    assert [one.counters for one in dry] == [one.counters for one in real]
    assert real[0].counters == ZERO | {
        "notifications_deleted": 1,
        "invitations_deleted": 1,
        "job_runs_deleted": 1,
    }
    # The record of the dry run went with the workspace.
    assert [one.job_run_id for one in engine.load([one.job_run_id for one in [*dry, *real]])] == [
        dry[0].job_run_id,
        *(one.job_run_id for one in real),
    ]


def test_a_dry_run_shows_a_hundred_of_the_mails_that_would_go(engine):
    builders.import_all(engine.database, builders.workspace())
    with engine.database.owner() as connection:
        connection.execute(
            """
            INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, state, ended_at)
            SELECT 'acme', 'u-1', 'n-' || n, 'news', 'sent', %s::timestamptz FROM generate_series(1, 101) n
            """,
            [instant(31)],
        )
    (dry,) = run(engine, JOB, ["acme"])
    assert dry.counters["mail_deleted"] == 101
    assert len(dry.plan) == 100
    assert {(row["table"], row["change"], row["key"]["user_id"]) for row in dry.plan} == {
        ("batch_jobs.outbox", "removed", "u-1")
    }
    assert deleted(engine) == {"mail_deleted": 101}


def test_a_rebuild_after_a_purge_gives_the_same_rows_and_no_event_is_lost(engine):
    builders.import_all(engine.database, *full())
    events = rows(engine.database, "SELECT count(*) FROM batch_jobs.events")[0][0]
    purge(engine)
    assert rows(engine.database, "SELECT count(*) FROM batch_jobs.events")[0][0] == events + 2
    held = everything(engine.database)
    with engine.database.owner() as connection:
        for projection in engine.projections.values():
            for table in projection.tables:
                connection.execute(f"DELETE FROM {projection.schema}.{table.name}".encode())
        connection.execute("DELETE FROM batch_jobs.checkpoints")
    engine.catch_up()
    assert everything(engine.database) == held


def test_one_night_or_thirty_leave_the_same_and_nothing_outside_the_scope_changes(database):
    """A chunk of one row at a time, too."""
    engine = engine_of(database, PurgeExpiredData(), chunk_rows=1)
    for name in ("nightly", "once", "other"):
        builders.import_all(database, *full(name))
    first = DAY - timedelta(days=30)
    for days in range(31):
        purge(engine, "nightly", first + timedelta(days=days))
    purge(engine, "once")
    left = [
        {name: found for name, found in everything(database, one).items() if name != "employee_directory"}
        for one in ("nightly", "once")
    ]
    drop_positions(left)
    assert left[0] == left[1]
    assert [item.workspace_id for item in engine.due([JOB]).due] == ["other"]
    assert len(everything(database, "other")["notification_feed"]) == 2


def drop_positions(found: list[dict[str, Any]]) -> None:
    for tables in found:
        for table in tables.values():
            for row in table:
                row.pop("position", None)


def test_the_retentions_are_those_of_the_catalogue():
    defaults = Retention().model_dump()
    assert defaults == {
        "dry_run": True,
        "notifications_days": 90,
        "mail_days": 30,
        "job_runs_days": 400,
        "orchestrator_days": 60,
        "invitations_days": 7,
        "workspaces_days": 30,
    }
