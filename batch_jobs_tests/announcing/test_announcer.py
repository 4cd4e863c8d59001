"""Trouble is told once for a cause, durably, and so is its end: real ledger, HTTP server and mail server."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from batch_jobs.announcing.announcer import look, tell, would_tell
from batch_jobs.engine.batch import Batch
from batch_jobs.engine.engine import Engine
from batch_jobs.settings import Announcing, Settings, Smtp
from batch_jobs.store.database import Database
from batch_jobs_tests.announcing.webhooks import TOKEN, Webhook, webhook
from batch_jobs_tests.engine.company import DAY, NOON, Clock, engine_of, found, rows, run
from batch_jobs_tests.engine.marking import Marking, named
from batch_jobs_tests.mail.server import mail_server

NAMES = [f"w-{number}" for number in range(1, 8)]


class Place:
    """An installation whose job fails or warns as the test wants, and whose webhook is heard."""

    def __init__(self, database: Database, hook: Webhook, **choices: Any) -> None:
        self.clock = Clock(NOON)
        self.fails: dict[str, str] = {}
        self.warns: set[str] = set()
        self.hook = hook
        job = named("marking", divisible=False)
        assert isinstance(job, Marking)
        job.on_row, job.on_batch = self._on_row, self._on_batch
        self.engine: Engine = engine_of(database, job, clock=self.clock)
        self.settings = Settings(
            home=Path("unused"),
            announcing=Announcing(webhook_url=hook.url, about=("failed", "warning"), **choices),
        )
        self.database = database

    def _on_batch(self, batch: Batch) -> None:
        for workspace_id in batch.runs:
            if workspace_id in self.fails:
                raise RuntimeError(self.fails[workspace_id].format(workspace_id))

    def _on_row(self, batch: Batch, row: Any) -> None:
        if row.workspace_id in self.warns and row.row_id == "e-1":
            batch.error(row, entity="employee", entity_id="e-1", error="no_terms", message='employee "e-1": no terms')

    def night(self, names: Sequence[str], *, day: int = 0, **wishes: Any) -> None:
        """Run for these workspaces, as a schedule does; the ledger's clock is the test's."""
        before = {row[0] for row in rows(self.database, "SELECT job_run_id FROM batch_jobs.job_runs")}
        run(self.engine, "marking", names, DAY + timedelta(days=day), **({"trigger": "schedule"} | wishes))
        with self.database.owner() as connection:
            connection.execute(
                "UPDATE batch_jobs.job_runs SET ended_at = %(at)s, queued_at = %(at)s "
                "WHERE NOT job_run_id = ANY (%(before)s)",
                {"at": self.clock.now, "before": list(before)},
            )

    def look(self, **later: float) -> list[str]:
        """Look and tell, some time later. Returns the kinds of messages that the webhook got thereby."""
        self.clock.now += timedelta(**later)
        before = len(self.hook.received)
        look(self.engine, self.settings)
        list(tell(self.engine, self.settings))
        return self.hook.kinds[before:]


@pytest.fixture
def place(database: Database) -> Iterator[Place]:
    found(database, NAMES)
    with webhook() as hook:
        yield Place(database, hook)


def test_many_workspaces_one_message_and_one_when_it_is_mended(database: Database) -> None:
    names = [f"w-{number}" for number in range(200)]
    found(database, names, employees=1)
    with webhook() as hook:
        place = Place(database, hook)
        place.fails = dict.fromkeys(names, 'workspace {0}: terms "t-9" of {0}/e-1 are not defined; define <them>')
        place.night(names)
        assert place.look() == []
        assert place.look(minutes=10) == ["opened"]
        assert [place.look(minutes=5) for _ in range(10)] == [[]] * 10
        (told,) = hook.received
        assert told["workspaces"] == 200
        assert told["names"] == sorted(names)[:5]
        assert told["since"] == NOON.isoformat()
        assert told["title"] == "marking failed in 200 workspaces"
        assert "RuntimeError: workspace w-" in told["error"]
        assert "define <them>" in told["error"]
        assert "define &lt;them&gt;" in told["text"]
        assert told["command"] == "batch-jobs runs --job marking --status failed"
        assert hook.headers[0]["Idempotency-Key"] == told["id"]
        place.fails = {}
        place.night(names)
        assert place.look() == []
        assert place.look(minutes=10) == ["closed"]
        assert hook.received[1]["cause_id"] == told["cause_id"]
        assert hook.received[1]["id"] != told["id"]
        assert hook.received[1]["title"] == "Mended: marking failed in 200 workspaces at the most"
        assert place.look(days=3) == []


def test_what_is_mended_by_the_next_attempt_is_not_told(place: Place) -> None:
    place.fails = {"w-1": "gone for a moment"}
    place.night(NAMES)
    assert place.look(minutes=5) == []
    place.fails = {}
    place.night(["w-1"])
    assert [place.look(minutes=5) for _ in range(8)] == [[]] * 8
    assert rows(place.database, "SELECT count(*) FROM batch_jobs.announcements") == [(0,)]


def test_different_errors_are_different_causes_and_warnings_too(place: Place) -> None:
    place.fails = {"w-1": "no room for {}", "w-2": "no room for {}", "w-3": "no light"}
    place.warns = {"w-4", "w-5"}
    place.night(NAMES)
    assert sorted(place.look(minutes=10)) == ["opened"] * 3
    told = {(message["status"], message["reason"]): message["names"] for message in place.hook.received}
    assert told == {
        ("failed", "RuntimeError: no room for …"): ["w-1", "w-2"],
        ("failed", "RuntimeError: no light"): ["w-3"],
        ("warning", "employee: no_terms"): ["w-4", "w-5"],
    }
    assert place.look(hours=24) == ["reminder"] * 3
    place.warns, place.fails = set(), {"w-3": "no light"}
    place.night(NAMES, day=1)
    assert place.look() == []
    assert place.look(minutes=10) == ["closed", "closed"]
    assert {message["reason"] for message in place.hook.received[-2:]} == {reason for _, reason in told} - {
        "RuntimeError: no light"
    }


def test_it_is_told_again_when_it_has_grown_and_once_a_day(place: Place) -> None:
    place.fails = dict.fromkeys(NAMES, "no light")
    place.night(NAMES[:1])
    assert place.look(minutes=10) == ["opened"]
    place.night(NAMES[1:5])
    assert place.look(hours=1) == []
    place.night(NAMES[5:])
    assert place.look() == ["grown"]
    assert place.hook.received[-1]["title"] == "Still growing: marking failed in 7 workspaces"
    assert place.look(hours=23) == []
    assert place.look(hours=1) == ["reminder"]
    # Two days without another run: nothing is due there any more.
    assert place.look(hours=24) == ["closed"]


def test_people_who_see_what_they_do_are_not_told_but_can_mend(place: Place) -> None:
    place.fails = {"w-1": "no light"}
    place.night(NAMES, trigger="manual")
    place.night(NAMES, trigger="backfill")
    assert place.look(hours=1) == []
    place.night(["w-1"])
    assert place.look(minutes=10) == ["opened"]
    place.fails = {}
    place.night(["w-1"], trigger="manual", parameters={"dry_run": True})
    place.night(["w-1"], trigger="manual", parameters={"employee_id": "e-2"})
    place.night(["w-1"], trigger="manual", day=1, allow_future=True)
    assert place.look(minutes=20) == []
    place.night(["w-1"], trigger="replay")
    assert place.look(minutes=20) == ["closed"]


def test_dry_runs_are_nothing(place: Place) -> None:
    place.fails = dict.fromkeys(NAMES, "no light")
    place.night(NAMES, parameters={"dry_run": True})
    assert place.look(hours=1) == []


def test_failed_rows_that_are_retried_mend_a_warning(place: Place) -> None:
    place.warns = {"w-1"}
    place.night(NAMES)
    assert place.look(minutes=10) == ["opened"]
    place.warns = set()
    ((job_run_id,),) = rows(place.database, "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE status = 'warning'")
    place.engine.retry(job_run_id, actor="user:anna")
    assert place.look(minutes=20) == ["closed"]


def test_one_that_does_not_take_it_gets_it_later_and_the_same(place: Place) -> None:
    place.hook.answer = lambda number: 503 if number < 4 else 204
    place.fails = {"w-1": "no light"}
    place.night(NAMES)
    assert place.look(minutes=10) == ["opened"]
    assert place.look() == []
    assert place.look(minutes=1) == ["opened"]
    assert place.look(minutes=1) == []
    assert place.look(minutes=1) == ["opened"]
    assert place.look(minutes=4) == ["opened"]
    assert place.look(hours=1) == []
    assert all(message == place.hook.received[0] for message in place.hook.received)


def test_a_redirect_is_not_followed(place: Place) -> None:
    with webhook() as other:
        place.hook.answer, place.hook.location = lambda _: 307, other.url
        place.fails = {"w-1": "no light"}
        place.night(NAMES)
        look(place.engine, place.settings)
        place.clock.now += timedelta(minutes=10)
        look(place.engine, place.settings)
        (sent,) = tell(place.engine, place.settings)
        assert not sent.taken
        assert sent.reply == "answered 307; a redirect is not followed: set the URL that it leads to"
        assert other.received == []


def test_who_can_not_be_reached_is_named_without_the_token(place: Place) -> None:
    place.fails = {"w-1": "no light", "w-2": "no room"}
    place.night(NAMES)
    place.clock.now += timedelta(minutes=10)
    look(place.engine, place.settings)
    for host in ("127.0.0.1:1", "nowhere.invalid", "a..b", "127.0.0.1:99999"):
        url = f"http://{host}/{TOKEN}"
        settings = Settings(home=Path("unused"), announcing=Announcing(webhook_url=url))
        # The second message waits for the next time.
        (sent,) = tell(place.engine, settings)
        assert not sent.taken
        assert TOKEN not in sent.reply
        assert sent.reply
        assert TOKEN not in repr(settings)
        place.clock.now += timedelta(hours=1)


def test_a_dry_run_changes_nothing(place: Place) -> None:
    place.fails = dict.fromkeys(NAMES, "no light")
    place.night(NAMES)
    place.clock.now += timedelta(minutes=10)
    (judged,) = would_tell(place.engine, place.settings, ["webhook"])
    assert judged.message
    assert judged.message.workspaces == 7
    assert rows(place.database, "SELECT count(*) FROM batch_jobs.announcements") == [(0,)]
    assert place.hook.received == []


def test_channels_know_of_each_other_nothing(place: Place, tmp_path: Path) -> None:
    place.fails = {"w-1": "no light"}
    place.night(NAMES)
    place.hook.answer = lambda _: 500
    with mail_server(tmp_path / "received") as server:
        place.settings = Settings(
            home=tmp_path,
            smtp=server.smtp(),
            mail_from="Jobs <jobs@acme.example>",
            announcing=Announcing(
                webhook_url=place.hook.url, emails=("ops@acme.example", "hr@acme.example"), about=("failed",)
            ),
        )
        assert place.look(minutes=10) == ["opened"]
        assert {one["recipient"] for one in server.received} == {"ops@acme.example", "hr@acme.example"}
        place.hook.answer = lambda _: 200
        assert place.look(minutes=1) == ["opened"]
        place.fails = {}
        place.night(["w-1"])
        assert place.look(minutes=10) == ["closed"]
        assert len(server.received) == 4
        assert len({one["message_id"] for one in server.received}) == 4


def test_after_a_clock_was_put_back_trouble_and_its_end_are_told_as_soon_as_ever(place: Place) -> None:
    place.fails = {"w-1": "boom"}
    place.night(NAMES)
    assert place.look() == []
    place.clock.now -= timedelta(days=1)
    assert place.look() == []
    assert place.look(minutes=11) == ["opened"]


def test_a_mail_server_that_is_away_is_asked_once_for_all_addresses(place: Place, tmp_path: Path) -> None:
    emails = ("ops@acme.example", "hr@acme.example")
    away = Smtp(host="127.0.0.1", port=1, security="none", timeout=2)
    place.settings = Settings(home=tmp_path, smtp=away, announcing=Announcing(emails=emails, about=("failed",)))
    place.fails = {"w-1": "boom"}
    place.night(NAMES)
    place.clock.now += timedelta(minutes=30)
    look(place.engine, place.settings)
    (tried,) = tell(place.engine, place.settings)
    assert not tried.taken
    # The others are not forgotten.
    (tried_next,) = tell(place.engine, place.settings)
    assert {tried.channel, tried_next.channel} == set(emails)


def test_an_e_mail_is_a_thread_and_says_all(place: Place, tmp_path: Path) -> None:
    place.settings = Settings(home=tmp_path, announcing=Announcing(emails=("ops@acme.example",), about=("failed",)))
    place.fails = {"w-1": "no light in Zürich\r\nBcc: everybody@acme.example"}
    place.night(NAMES)
    place.look(minutes=10)
    place.fails = {}
    place.night(["w-1"])
    place.look(minutes=10)
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in (tmp_path / "mail").glob("*.eml")]
    opened, closed = sorted(mails, key=lambda mail: "Mended" in mail["Subject"])
    assert opened["Subject"] == "[batch_jobs] marking failed in 1 workspace"
    assert "no light in Zürich Bcc: everybody" in opened.get_content()
    assert "Bcc" not in opened
    assert closed["References"] == opened["Message-ID"]
    assert closed["Subject"] == "[batch_jobs] Mended: marking failed in 1 workspace at the most"
