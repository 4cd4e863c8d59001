"""From notification events to messages that a real server took over: each once, and each accounted for."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from batch_jobs.doctor.mail import examine
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.mail.kinds import MANAGER_DIGEST, STATEMENT_DEADLINE, TIMEOFF_REMINDER
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.absence_events import away, decided, interrupted
from batch_jobs_tests.builders import Event
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import digests, engine_of, found, rows, run
from batch_jobs_tests.mail.notifications import REALISTIC, digest, statement, time_off
from batch_jobs_tests.mail.server import MailServer, mail_server

JOB = DeliverNotifications.name
NOW = datetime.now(UTC)
AHEAD = NOW.date() + timedelta(5)
ENDED = "SELECT notification_id, state, reason FROM batch_jobs.outbox ORDER BY 1"
PERIOD = date(2026, 11, 1), date(2026, 11, 30)
STATEMENT_ID = "e-1:2026-11-01:2026-11-30"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(tmp_path / "received") as running:
        yield running


@pytest.fixture
def engine(database: Database, server: MailServer, tmp_path: Path) -> Engine:
    found(database, ["acme", "globex"])
    for name in ("acme", "globex"):
        builders.import_all(
            database,
            *builders.of(
                name,
                *(
                    builders.user(f"u-{number}", f"e-{number}", email=f"fine-{number}@x.example")
                    for number in (1, 2, 3)
                ),
                builders.statement("period_started", "e-1", *PERIOD),
            ),
        )
    return engine_of(database, DeliverNotifications(), smtp=server.smtp(), home=tmp_path, clock=lambda: NOW)


def created(notification_id: str, user_id: str = "u-1", kind: str = STATEMENT_DEADLINE, **fields: Any) -> Event:
    given = {
        "notification_id": notification_id,
        "user_id": user_id,
        "kind": kind,
        "channels": ["email"],
        "data": REALISTIC.get(kind),
        "dedup_key": notification_id,
    }
    return builders.event("notification.created", {**given, **fields}) | {"occurred_at": NOW.isoformat()}


def deliver(engine: Engine, *workspaces: str, **wishes: Any) -> list[JobRun]:
    return run(engine, JOB, workspaces or ["acme", "globex"], NOW.date(), trigger="sensor", **wishes)


def outbox(engine: Engine) -> dict[str, tuple[str, str | None]]:
    return {name: (state, reason) for name, state, reason in rows(engine.database, ENDED)}


def wait_no_more(engine: Engine) -> None:
    """Let the time of the next attempts come, and leases run out."""
    with engine.database.owner() as connection:
        connection.execute("UPDATE batch_jobs.outbox SET next_attempt_at = now() - interval '1 s', leased_until = NULL")


def test_a_notification_becomes_one_message(engine: Engine, server: MailServer) -> None:
    assert engine.due([JOB]).due == []
    builders.import_all(
        engine.database, *builders.of("acme", created("n-1"), created("n-2", "u-2", channels=["in_app"]))
    )
    assert [(item.workspace_id, item.rows) for item in engine.due([JOB]).due] == [("acme", 1)]
    acme, globex = deliver(engine)
    assert (acme.status, acme.counters["sent"], acme.trigger) == ("completed", 1, "sensor")
    assert globex.counters["skipped_reason"] == "nothing is due"
    (received,) = server.received
    ((recipient, message_id, reply, attempts),) = rows(
        engine.database, "SELECT recipient, message_id, server_reply, attempts FROM batch_jobs.outbox"
    )
    assert (
        (recipient, message_id) == (received["recipient"], received["message_id"]) == ("fine-1@x.example", message_id)
    )
    assert (reply, attempts) == ("250 OK taken over", 1)
    assert engine.due([JOB]).due == []
    wait_no_more(engine)
    before = digests(engine.database)
    deliver(engine)
    assert len(server.received) == 1
    assert digests(engine.database) == before


def test_what_is_not_folded_yet_waits_and_is_not_taken_for_a_duplicate(engine: Engine, server: MailServer) -> None:
    hinder = "ALTER TABLE projections.notifications ADD CONSTRAINT hindered CHECK (workspace_id <> 'acme') NOT VALID"
    with engine.database.owner() as connection:
        connection.execute(hinder)
    for name in ("acme", "globex"):
        builders.import_all(engine.database, *builders.of(name, created(f"n-{name}")))
    acme, globex = deliver(engine)
    assert outbox(engine) == {"n-acme": ("waiting", "unmade"), "n-globex": ("sent", None)}
    assert (acme.status, globex.status) == ("failed", "completed")
    assert "hindered" in acme.message
    ((said,),) = rows(engine.database, "SELECT server_reply FROM batch_jobs.outbox WHERE workspace_id = 'acme'")
    assert "not in step with the event log, CheckViolation" in said
    with engine.database.owner() as connection:
        connection.execute("ALTER TABLE projections.notifications DROP CONSTRAINT hindered")
    wait_no_more(engine)
    deliver(engine)
    assert outbox(engine)["n-acme"] == ("sent", None)
    assert len(server.received) == 2


def test_what_can_not_be_folded_for_a_day_is_given_up(engine: Engine, server: MailServer) -> None:
    with engine.database.owner() as connection:
        connection.execute("ALTER TABLE projections.notifications ADD CHECK (workspace_id <> 'acme') NOT VALID")
    builders.import_all(engine.database, *builders.of("acme", created("n-1")))
    with engine.database.owner() as connection:
        connection.execute("UPDATE batch_jobs.outbox SET recorded_at = recorded_at - interval '25 h'")
    deliver(engine)
    assert outbox(engine) == {"n-1": ("failed", "expired")}
    assert server.received == []


def test_history_is_not_sent_and_a_repeated_event_is_one_message(engine: Engine, server: MailServer) -> None:
    old = created("n-old") | {"occurred_at": (NOW - timedelta(hours=25)).isoformat()}
    again = created("n-1")
    builders.import_all(engine.database, *builders.of("acme", old, again))
    builders.import_all(engine.database, *builders.of("acme", again))
    same_key = created("n-2", dedup_key="n-1")
    builders.import_all(engine.database, *builders.of("acme", same_key))
    deliver(engine, "acme")
    assert [one["recipient"] for one in server.received] == ["fine-1@x.example"]
    assert outbox(engine) == {"n-1": ("sent", None), "n-2": ("skipped", "duplicate")}
    # The feed does not depend on e-mail, nor does a rebuild fill the outbox.
    assert rows(engine.database, "SELECT count(*) FROM projections.notifications") == [(2,)]


@pytest.mark.parametrize(
    ("notification", "meanwhile", "reason", "counter"),
    [
        ({}, builders.user("u-1", "e-1", email_notifications=False), "preference", "skipped_preference"),
        ({}, builders.user("u-1", "e-1", email="søren@x.example"), "no_address", "no_address"),
        ({"user_id": "u-9"}, builders.employee("e-9"), "no_address", "no_address"),
        ({}, builders.user("u-1", "e-1", status="suspended"), "suspended", "skipped_stale"),
        ({}, builders.removed("e-1"), "suspended", "skipped_stale"),
        ({}, builders.statement("submitted", "e-1", *PERIOD, approvers=["e-2"]), "stale", "skipped_stale"),
        ({}, builders.user("u-1", "e-2"), "stale", "skipped_stale"),
        ({"data": statement(statement_id="e-1:unknown")}, builders.employee("e-9"), "stale", "skipped_stale"),
        ({"kind": TIMEOFF_REMINDER, "data": time_off()}, builders.employee("e-9"), "stale", "skipped_stale"),
        ({"kind": MANAGER_DIGEST, "data": digest()}, builders.employee("e-9"), "stale", "skipped_stale"),
        ({"data": {"statement_id": STATEMENT_ID}}, builders.employee("e-9"), "unreadable", "failed"),
        ({"kind": "birthday", "data": {}}, builders.employee("e-9"), "unreadable", "failed"),
    ],
)
def test_what_no_longer_holds_is_not_sent(
    engine: Engine, server: MailServer, notification: dict[str, Any], meanwhile: Event, reason: str, counter: str
) -> None:
    ready = builders.statement("ready", "e-1", *PERIOD)
    kind = notification.get("kind", STATEMENT_DEADLINE)
    given = created("n-1", **({"data": REALISTIC.get(kind)} | notification))
    builders.import_all(engine.database, *builders.of("acme", ready, given))
    builders.import_all(engine.database, *builders.of("acme", meanwhile))
    (one,) = deliver(engine, "acme")
    assert server.received == []
    assert outbox(engine)["n-1"][1] == reason
    assert {name: number for name, number in one.counters.items() if number} == {counter: 1}
    assert one.status == ("warning" if counter in ("failed", "no_address") else "completed")
    assert one.message == f"not sent: 1 {reason}"


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        ([], ("sent", None)),
        ([interrupted("a-1", AHEAD)], ("skipped", "stale")),
        ([interrupted("a-2", AHEAD + timedelta(6))], ("skipped", "stale")),
        ([decided("cancelled", "a-1")], ("skipped", "stale")),
        ([decided("cancelled", "a-2")], ("skipped", "stale")),
        ([builders.user("u-1", "e-2")], ("skipped", "stale")),
        # What it says of the days holds no longer.
        ([interrupted("a-2", AHEAD + timedelta(7))], ("skipped", "stale")),
    ],
    ids=["as it was", "all of the first", "all of the last", "no first", "no last", "another's", "ends sooner"],
)
def test_time_off_is_reminded_of_while_all_of_it_is_ahead(
    engine: Engine, meanwhile: list[Event], state: tuple[str, str | None]
) -> None:
    """Two absences with a day between them, of five days and of three."""
    last = AHEAD + timedelta(8)
    data = time_off(absence_ids=["a-1", "a-2"], start_date=str(AHEAD), end_date=str(last))
    events = [away("a-1", AHEAD, AHEAD + timedelta(4)), away("a-2", AHEAD + timedelta(6), last)]
    given = created("n-1", kind=TIMEOFF_REMINDER, data=data)
    builders.import_all(engine.database, *builders.of("acme", *events, given, *meanwhile))
    deliver(engine, "acme")
    assert outbox(engine) == {"n-1": state}


def test_a_digest_says_what_is_open_when_it_is_sent(engine: Engine, tmp_path: Path) -> None:
    events = [
        builders.employment("e-1/1", manager_id="e-2"),
        builders.statement("ready", "e-1", *PERIOD),
        builders.statement("submitted", "e-1", *PERIOD, approvers=["e-2"]),
        created("n-1", "u-2", MANAGER_DIGEST, data=digest(awaiting=7)),
    ]
    builders.import_all(engine.database, *builders.of("acme", *events))
    into_folder = engine_of(engine.database, DeliverNotifications(), home=tmp_path, clock=lambda: NOW)
    (one,) = deliver(into_folder, "acme")
    assert one.counters["sent"] == 1
    (file,) = (tmp_path / "mail").glob("*.eml")
    text = file.read_text()
    assert "Awaited" not in text
    assert "e-1" in text
    ((reply,),) = rows(engine.database, "SELECT server_reply FROM batch_jobs.outbox")
    assert reply == f"written to mail/{file.name}"


def test_refused_deferred_and_unclear(engine: Engine, server: MailServer) -> None:
    names = ["refused", "later", "drop-rcpt", "drop-data", "drop-dot", "fine"]
    users = [builders.user(f"v-{name}", email=f"{name}@x.example") for name in names]
    ready = builders.statement("ready", "e-1", *PERIOD)
    builders.import_all(
        engine.database, *builders.of("acme", ready, *users, *(created(f"n-{name}", f"v-{name}") for name in names))
    )
    (one,) = deliver(engine, "acme")
    assert (one.status, one.counters["sent"], one.counters["failed"], one.counters["deferred"]) == ("warning", 1, 1, 4)
    assert outbox(engine) == {
        "n-refused": ("failed", "refused"),
        "n-later": ("waiting", "deferred"),
        "n-drop-rcpt": ("waiting", "deferred"),
        "n-drop-data": ("waiting", "unclear"),
        "n-drop-dot": ("waiting", "unclear"),
        "n-fine": ("sent", None),
    }
    ((error,),) = rows(engine.database, "SELECT message FROM batch_jobs.job_run_errors")
    assert "550 5.1.1 no such mailbox" in error
    assert engine.due([JOB]).due == []
    waits = "SELECT round(extract(epoch FROM next_attempt_at - clock_timestamp()) / 60) FROM batch_jobs.outbox "
    assert set(rows(engine.database, waits + "WHERE state = 'waiting'")) == {(1,)}
    wait_no_more(engine)
    deliver(engine, "acme")
    assert [name for name, (state, _) in outbox(engine).items() if state == "waiting"] == ["n-later"]
    assert set(rows(engine.database, waits + "WHERE state = 'waiting'")) == {(2,)}
    # The copy of what the server had taken over carries the same id.
    copies = Counter(one["message_id"] for one in server.received)
    assert sorted(copies.values()) == [1, 1, 1, 2]
    assert rows(engine.database, "SELECT sum(unclear_attempts) FROM batch_jobs.outbox") == [(2,)]


def test_after_a_day_of_deferrals_a_message_is_given_up(engine: Engine) -> None:
    user = builders.user("v-later", email="later@x.example")
    ready = builders.statement("ready", "e-1", *PERIOD)
    builders.import_all(engine.database, *builders.of("acme", ready, user, created("n-1", "v-later")))
    for attempt in range(10):
        deliver(engine, "acme")
        ((minutes,),) = rows(
            engine.database,
            "SELECT round(extract(epoch FROM next_attempt_at - clock_timestamp()) / 60) FROM batch_jobs.outbox",
        )
        assert minutes == min(2**attempt, 360)
        wait_no_more(engine)
    with engine.database.owner() as connection:
        connection.execute("UPDATE batch_jobs.outbox SET recorded_at = now() - interval '24 hours 1 second'")
    (one,) = deliver(engine, "acme")
    assert (one.status, one.counters["failed"]) == ("warning", 1)
    assert outbox(engine) == {"n-1": ("failed", "expired")}


def test_a_message_that_can_not_be_made_keeps_no_other(engine: Engine, server: MailServer, tmp_path: Path) -> None:
    # Settings that were read would not have such an address; anything unforeseen goes the same way.
    choices = {"smtp": server.smtp(), "home": tmp_path, "clock": lambda: NOW}
    odd = engine_of(engine.database, DeliverNotifications(), base_url="https://tid.københavn.example", **choices)
    ready = builders.statement("ready", "e-1", *PERIOD)
    gone = builders.user("u-9", email="fine-9@x.example", status="suspended")
    builders.import_all(odd.database, *builders.of("acme", ready, gone, created("n-1"), created("n-2", "u-9")))
    (one,) = deliver(odd, "acme")
    assert (one.status, one.counters["failed"], one.counters["skipped_stale"]) == ("warning", 1, 1)
    assert outbox(odd) == {"n-1": ("waiting", "unmade"), "n-2": ("skipped", "suspended")}
    ((error,),) = rows(odd.database, "SELECT message FROM batch_jobs.job_run_errors")
    assert 'notification "n-1" of user "u-1": making its message failed: UnicodeEncodeError' in error
    wait_no_more(odd)
    deliver(engine, "acme")
    assert outbox(engine)["n-1"] == ("sent", None)


def test_a_bad_sender_ends_the_run_before_anything_is_claimed(engine: Engine, server: MailServer) -> None:
    odd = engine_of(
        engine.database, DeliverNotifications(), smtp=server.smtp(), mail_from="Tid <no reply>", clock=lambda: NOW
    )
    ready = builders.statement("ready", "e-1", *PERIOD)
    builders.import_all(odd.database, *builders.of("acme", ready, created("n-1")))
    (one,) = deliver(odd, "acme")
    assert one.status == "failed"
    assert 'e-mail address "no reply" can not be used' in str(one.message)
    assert "BATCH_JOBS_MAIL_FROM" in str(one.message)
    assert rows(odd.database, "SELECT state, attempts, lease FROM batch_jobs.outbox") == [("waiting", 0, None)]
    assert server.received == []
    assert [(finding.state, finding.check) for finding in examine(Settings(home=Path(), mail_from="no reply"))] == [
        ("problem", "mail")
    ]


def test_a_dry_run_counts_what_the_run_would(engine: Engine) -> None:
    users = [
        builders.user("v-bad", email="søren@x.example"),
        builders.user("v-none", email=""),
        builders.user("v-shy", email="fine-8@x.example", email_notifications=False),
    ]
    builders.import_all(
        engine.database,
        *builders.of("acme", builders.statement("ready", "e-1", *PERIOD), *users),
        *builders.of(
            "acme", *(created(f"n-{user['payload']['user_id']}", user["payload"]["user_id"]) for user in users)
        ),
        *builders.of("acme", created("n-1"), created("n-2", kind="birthday", data={})),
    )
    (shown,) = deliver(engine, "acme", parameters={"dry_run": True})
    (done,) = deliver(engine, "acme")
    names = ["sent", "failed", "deferred", "no_address", "skipped_preference", "skipped_stale"]
    assert [shown.counters[name] for name in names] == [done.counters[name] for name in names] == [1, 1, 0, 2, 1, 0]
    assert (shown.status, shown.errors) == (done.status, done.errors) == ("warning", 3)


def test_a_dry_run_tells_and_sends_nothing(engine: Engine, server: MailServer) -> None:
    ready = builders.statement("ready", "e-1", *PERIOD)
    builders.import_all(engine.database, *builders.of("acme", ready, created("n-1")))
    engine.catch_up()
    before = digests(engine.database)
    (one,) = deliver(engine, "acme", parameters={"dry_run": True})
    assert one.counters["sent"] == 1
    assert one.plan == [
        {"kind": STATEMENT_DEADLINE, "user_id": "u-1", "recipient": "fine-1@x.example", "not_sent": None}
    ]
    assert server.received == []
    assert digests(engine.database) == before


def start_sender(engine: Engine, server: MailServer, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "batch_jobs_tests.jobs.sending_process", engine.database.url, str(server.port)]
    return subprocess.Popen([*command, str(seed)])


def many(engine: Engine, number: int) -> None:
    """So many messages, some to recipients whom the server treats badly."""
    kinds = ["fine"] * 16 + ["refused", "drop-rcpt", "drop-data", "drop-dot"]
    events = [builders.statement("ready", "e-1", *PERIOD)]
    for one in range(number):
        events += [
            builders.user(f"v-{one}", email=f"{kinds[one % len(kinds)]}-{one}@x.example"),
            created(f"n-{one}", f"v-{one}"),
        ]
    builders.import_all(engine.database, *builders.of("acme", *events))
    engine.catch_up()


def test_a_clock_that_was_put_back_keeps_no_message(engine: Engine, server: MailServer) -> None:
    ready = builders.statement("ready", "e-1", *PERIOD)
    builders.import_all(engine.database, *builders.of("acme", ready, created("n-1")))
    engine.catch_up()
    ahead = "UPDATE batch_jobs.outbox SET next_attempt_at = now() + interval '%s'"
    with engine.database.owner() as connection:
        connection.execute(ahead % "30 s")
    assert engine.due([JOB]).due == []
    with engine.database.owner() as connection:
        connection.execute(ahead % "1 hour")
        connection.execute(
            "UPDATE batch_jobs.outbox SET lease = gen_random_uuid(), leased_until = now() + interval '1 d'"
        )
    # Who holds it may still be at it: it is held for as long as any lease lasts, and no longer.
    assert len(engine.due([JOB]).due) == 1
    deliver(engine, "acme")
    assert (server.received, engine.due([JOB]).due) == ([], [])
    with engine.database.owner() as connection:
        connection.execute("UPDATE batch_jobs.outbox SET leased_until = leased_until - interval '5 minutes'")
    deliver(engine, "acme")
    assert len(server.received) == 1
    # It may have been sent before, for all that is known.
    assert rows(engine.database, "SELECT state, unclear_attempts FROM batch_jobs.outbox") == [("sent", 1)]


def test_several_workers_share_the_work_and_none_sends_twice(engine: Engine, server: MailServer) -> None:
    many(engine, 10_000)
    processes = [start_sender(engine, server, seed) for seed in range(4)]
    assert [process.wait(300) for process in processes] == [0] * 4
    wait_no_more(engine)
    assert start_sender(engine, server, 9).wait(60) == 0
    assert Counter(outbox(engine).values()) == {("sent", None): 9_500, ("failed", "refused"): 500}
    copies = Counter(one["message_id"] for one in server.received)
    assert len(copies) == 9_500
    # Those cut off after the dot are the only ones that were sent again.
    assert Counter(copies.values()) == {1: 9_000, 2: 500}
    workers = rows(engine.database, "SELECT count(DISTINCT job_run_id) FROM batch_jobs.outbox")
    assert workers[0][0] >= 4


def test_a_server_that_restarts_in_mid_run_gets_every_message(engine: Engine, tmp_path: Path) -> None:
    many(engine, 300)
    port = 0
    for so_many in (40, 100, 160):
        with mail_server(tmp_path / "all", "--port", str(port)) as running:
            port = running.port
            wait_no_more(engine)
            process = start_sender(engine, running, so_many)
            until(lambda so_many=so_many: len(running.received) >= so_many, 60)
        assert process.wait(60) == 0
    with mail_server(tmp_path / "all", "--port", str(port)) as running:
        for _ in range(2):
            wait_no_more(engine)
            assert start_sender(engine, running, 9).wait(60) == 0
        assert Counter(outbox(engine).values()) == {("sent", None): 285, ("failed", "refused"): 15}
        copies = Counter(one["message_id"] for one in running.received)
    assert len(copies) == 285
    # What a server ended with before it answered is unclear, as is what it cuts off after the dot (once in a lifetime).
    ((unclear,),) = rows(engine.database, "SELECT sum(unclear_attempts) FROM batch_jobs.outbox")
    assert sum(copies.values()) - 285 <= unclear


def test_killed_workers_lose_nothing_and_repeat_only_what_nobody_can_know(engine: Engine, server: MailServer) -> None:
    many(engine, 400)
    chance = random.Random(7)
    for seed in range(8):
        process = start_sender(engine, server, seed)
        so_many = len(server.received) + chance.randrange(1, 30)
        until(lambda so_many=so_many: len(server.received) >= so_many or process.poll() is not None, 30)  # noqa: B023
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with engine.database.owner() as connection:
            # Five minutes later.
            connection.execute("UPDATE batch_jobs.outbox SET leased_until = NULL")
    for _ in range(3):
        wait_no_more(engine)
        assert start_sender(engine, server, 99).wait(60) == 0
    assert Counter(outbox(engine).values()) == {("sent", None): 380, ("failed", "refused"): 20}
    copies = Counter(one["message_id"] for one in server.received)
    assert len(copies) == 380
    # Of each kill at most what two connections had under way or had just brought to an end; each with the same id.
    repeated = sum(copies.values()) - 380 - 20
    assert repeated <= 8 * 5, repeated
    counted = dict(rows(engine.database, "SELECT message_id, unclear_attempts FROM batch_jobs.outbox"))
    assert all(times <= 1 + counted[message_id] for message_id, times in copies.items())
