"""Which trouble stands: the query agrees with the rule as it is told, for any ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from batch_jobs.announcing.announcer import look, would_tell
from batch_jobs.announcing.cause import Cause
from batch_jobs.announcing.troubles import STANDS_FOR, WARNING_OF_CONTINUOUS, standing_troubles
from batch_jobs.engine.contract import Job
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.settings import Announcing, Settings
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, NOON, Clock, engine_of, found, run
from batch_jobs_tests.engine.marking import Marking, named

A_DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BY_ITSELF = ("schedule", "sensor")
JOBS: dict[str, Job] = {"nightly": named("nightly"), "all_day": named("all_day", continuous=True)}


@dataclass(frozen=True)
class Run:
    """A row of the ledger; `ended` in hours before now."""

    job: str = "nightly"
    workspace_id: str = "acme"
    day: int = 0
    status: str = "failed"
    trigger: str = "schedule"
    dry_run: bool = False
    partial: bool = False
    employee: bool = False
    ended: int = 1

    @property
    def run_date(self) -> date:
        return DAY + self.day * A_DAY


def record(database: Database, runs: Sequence[Run]) -> None:
    """Runs in the order of their attempts."""
    with database.owner() as connection:
        connection.execute("TRUNCATE batch_jobs.job_runs CASCADE")
        for attempt, one in enumerate(runs, 1):
            connection.execute(
                "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, status, trigger, actor, "
                "params, counters, message, queued_at, ended_at, dry_run, partial) "
                "VALUES (%s, %s, %s, %s, %s, %s, 'x', %s, '{\"errors\": 1}', 'broken', %s, %s, %s, %s)",
                [
                    *(one.job, one.workspace_id, one.run_date, attempt, one.status, one.trigger),
                    Jsonb({"employee_id": "e-1" if one.employee else None}),
                    *([NOON - one.ended * HOUR] * 2),
                    *(one.dry_run, one.partial),
                ],
            )


def standing(database: Database) -> set[tuple[str, str, str]]:
    """Job, workspace and status of what stands."""
    with database.reader() as connection:
        seen = standing_troubles(connection, JOBS, now=NOON)
    return {(one.cause.job, name, one.cause.status) for one in seen for name in one.workspaces}


def told(runs: Sequence[Run]) -> set[tuple[str, str, str]]:
    """The same by the words of the rule."""
    decisive = [
        (one.run_date, attempt, one)
        for attempt, one in enumerate(runs, 1)
        if one.trigger in BY_ITSELF and not one.dry_run and not one.partial and one.status != "stopped"
    ]
    found = set()
    for job, workspace_id in {(one.job, one.workspace_id) for one in runs}:
        of_key = [each for each in decisive if (each[2].job, each[2].workspace_id) == (job, workspace_id)]
        for run_date, attempt, one in of_key:
            if one.status == "completed" or one.ended * HOUR >= STANDS_FOR:
                continue
            if job == "all_day" and one.status == "warning":
                if one.ended * HOUR < WARNING_OF_CONTINUOUS:
                    found.add((job, workspace_id, "warning"))
                continue
            is_newest = (run_date, attempt) == max(each[:2] for each in of_key)
            mended_by = [
                later
                for number, later in enumerate(runs, 1)
                if (later.job, later.workspace_id, later.run_date) == (job, workspace_id, run_date)
                and number > attempt
                and later.trigger not in BY_ITSELF
                and not later.dry_run
                and later.status in (("completed", "warning") if one.status == "failed" else ("completed",))
                and (not later.partial or (later.trigger == "retry" and later.employee == one.employee))
            ]
            if is_newest and not mended_by:
                found.add((job, workspace_id, one.status))
    return found


_RUNS = st.lists(
    st.builds(
        Run,
        job=st.sampled_from(sorted(JOBS)),
        workspace_id=st.sampled_from(["acme", "globex"]),
        day=st.integers(-1, 1),
        status=st.sampled_from(["completed", "warning", "failed", "stopped"]),
        trigger=st.sampled_from(["schedule", "sensor", "manual", "replay", "retry", "backfill"]),
        dry_run=st.sampled_from([False, False, True]),
        partial=st.sampled_from([False, False, True]),
        employee=st.sampled_from([False, False, True]),
        ended=st.sampled_from([0, 1, 2, 30, 50]),
    ),
    max_size=8,
)


@settings(max_examples=200)
@given(_RUNS)
def test_every_ledger(shared: Database, runs: list[Run]) -> None:
    record(shared, runs)
    assert standing(shared) == told(runs)


@pytest.mark.parametrize(
    ("runs", "stands"),
    [
        ([Run()], True),
        ([Run(status="warning")], True),
        ([Run(), Run(status="stopped")], True),
        ([Run(), Run(status="completed")], False),
        ([Run(), Run(status="completed", day=1)], False),
        # What is made good of an earlier day says nothing about the newest.
        ([Run(), Run(status="completed", day=-1)], True),
        ([Run(trigger="manual")], False),
        ([Run(trigger="backfill")], False),
        ([Run(dry_run=True)], False),
        ([Run(partial=True)], False),
        ([Run(), Run(status="completed", trigger="replay")], False),
        ([Run(), Run(status="warning", trigger="replay")], False),
        ([Run(status="warning"), Run(status="warning", trigger="replay")], True),
        ([Run(), Run(status="completed", trigger="replay", dry_run=True)], True),
        ([Run(), Run(status="completed", trigger="manual", partial=True, employee=True)], True),
        ([Run(), Run(status="completed", trigger="retry", partial=True)], False),
        ([Run(), Run(status="completed", trigger="retry", partial=True, employee=True)], True),
        ([Run(), Run(status="completed", trigger="manual", day=1)], True),
        ([Run(ended=47)], True),
        ([Run(ended=48)], False),
        ([Run(job="all_day", status="warning", ended=0), Run(job="all_day", status="completed", ended=0)], True),
        ([Run(job="all_day", status="warning", ended=1), Run(job="all_day", status="completed", ended=0)], False),
        ([Run(job="all_day"), Run(job="all_day", status="completed")], False),
    ],
)
def test_examples(shared: Database, runs: list[Run], stands: bool) -> None:
    record(shared, runs)
    assert bool(standing(shared)) == bool(told(runs)) == stands


def test_a_warning_without_row_errors_is_its_counter(database: Database) -> None:
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, status, trigger, actor, counters, "
            "queued_at, ended_at, dry_run, partial) VALUES ('deliver_notifications', 'acme', %s, 1, 'warning', "
            """'sensor', 'x', '{"sent": 5, "no_address": 2, "failed": 0}', %s, %s, false, false)""",
            [DAY, NOON, NOON],
        )
    with database.reader() as connection:
        (seen,) = standing_troubles(connection, {"deliver_notifications": DeliverNotifications()}, now=NOON)
    assert seen.cause == Cause("deliver_notifications", "warning", "no_address")
    assert seen.error == "no_address: 2 messages to users without an address that can be used"


def test_a_mail_server_that_takes_nothing_is_told_and_one_that_puts_off_a_message_is_not(database: Database) -> None:
    found(database, ["acme", "globex", "zeta"])
    builders.import_all(database, *builders.of("zeta", builders.event("workspace.suspended", {})))
    clock = Clock()
    engine = engine_of(database, DeliverNotifications(), clock=clock)
    chosen = Settings(home=Path("unused"), announcing=Announcing(webhook_url="http://127.0.0.1:1/x"))

    def message(workspace_id: str, name: str, minutes: int, **more: Any) -> None:
        """One that was recorded, and sent where it was, so many minutes before noon."""
        values = {"state": "waiting", "reason": "deferred", "reply": None} | more
        with database.owner() as connection:
            connection.execute(
                "INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, recorded_at, "
                "next_attempt_at, state, reason, server_reply, ended_at) "
                "VALUES (%(workspace_id)s, 'u', %(name)s, 'x', %(at)s, %(later)s, %(state)s, %(reason)s, %(reply)s, "
                "CASE WHEN %(state)s <> 'waiting' THEN %(at)s::timestamptz END)",
                values
                | {"workspace_id": workspace_id, "name": name, "at": NOON - timedelta(minutes=minutes)}
                | {"later": NOON + HOUR},
            )

    def steps() -> list[str]:
        return [one.step for one in look(engine, chosen)]

    # A mailbox is full: others were taken later. One was not tried yet, and one waits for its workspace.
    message("acme", "full", 300, reply="452 mailbox full")
    message("globex", "taken", 120, state="sent", reason=None)
    message("globex", "refused", 10, state="failed", reason="refused")
    message("globex", "untried", 40, reason=None)
    message("zeta", "suspended", 100)
    assert steps() == []
    message("acme", "new", 29, reply="connection refused")
    assert steps() == []
    clock.now += timedelta(minutes=1)
    (judged,) = look(engine, chosen)
    assert (judged.step, judged.message and judged.message.title) == (
        "opened",
        "No e-mail was taken by the mail server for more than half an hour in 1 workspace",
    )
    assert judged.message
    assert judged.message.error == "connection refused"
    assert "`batch-jobs doctor`" in judged.message.remedy
    assert judged.message.command == "batch-jobs doctor"
    assert judged.message.since == (NOON - timedelta(minutes=29)).isoformat()
    message("globex", "new", 20)
    clock.now += timedelta(minutes=10)
    assert steps() == ["kept"]
    # The first that is taken is a sign that the others will be.
    message("globex", "taken again", -11, state="sent", reason=None)
    assert steps() == ["kept"]
    clock.now += timedelta(minutes=10)
    assert steps() == ["closed"]


def test_what_is_overdue_is_one_cause_and_keeps_failures_open(database: Database) -> None:
    found(database, ["acme", "globex"])
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.workspaces SET recorded_at = %s", [NOON - 3 * A_DAY])
    clock = Clock(NOON - 3 * HOUR)
    engine = engine_of(database, Marking(), named("another"), clock=clock)
    chosen = Settings(home=Path("unused"), announcing=Announcing(webhook_url="http://127.0.0.1:1/x"))
    engine.catch_up()
    run(engine, "marking", ["acme", "globex"])
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.job_runs SET ended_at = %s, trigger = 'schedule'", [clock.now])
        connection.execute(
            "UPDATE batch_jobs.job_runs SET status = 'failed', message = 'x' WHERE workspace_id = 'acme'"
        )

    def steps() -> dict[str, str]:
        return {one.open.cause.status: one.step for one in look(engine, chosen)}

    # It was overdue for an hour when it was first seen, and is told when it has been seen for ten minutes.
    assert steps() == {"failed": "kept", "overdue": "kept"}
    clock.now += timedelta(minutes=10)
    judged = {one.open.cause.status: one for one in look(engine, chosen)}
    assert {status: one.step for status, one in judged.items()} == {"failed": "opened", "overdue": "opened"}
    message = judged["overdue"].message
    assert message
    assert message.title == "Jobs have been due for more than an hour without a run in 2 workspaces"
    assert message.error == "another in 2 workspaces"
    assert "`batch-jobs up` runs" in message.remedy
    # The next days nothing runs: the failure is not mended by that, though it is told no more.
    for step in ("reminder", "kept", "kept"):
        clock.now += A_DAY
        assert steps() == {"failed": step, "overdue": "reminder"}
    for job in ("marking", "another"):
        run(engine, job, ["acme", "globex"], clock.now.date())
    with database.owner() as connection:
        connection.execute(
            "UPDATE batch_jobs.job_runs SET ended_at = %(now)s, queued_at = %(now)s, trigger = 'schedule' "
            "WHERE run_date = %(day)s",
            {"now": clock.now, "day": clock.now.date()},
        )
    clock.now += timedelta(minutes=9)
    assert steps() == {"failed": "closed", "overdue": "kept"}
    clock.now += timedelta(minutes=1)
    assert steps() == {"overdue": "closed"}
    assert would_tell(engine, chosen, ["webhook"]) == []
