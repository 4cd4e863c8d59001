"""announce: what cron runs, also when it is killed in the middle, and many of it at once."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.announcing.webhooks import TOKEN, Webhook, webhook
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.deadline import until

_FAIL = """
    INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, status, trigger, actor, message, ended_at,
        dry_run, partial)
    SELECT 'accrual_forecast', workspace_id, current_date, 1, 'failed', 'schedule', 'x', 'KeyError: ''' || workspace_id
        || '''', now() - interval '20 minutes', false, false
    FROM batch_jobs.workspaces WHERE status = 'active'
"""


@pytest.fixture
def hook(office: CommandLine, office_database: Database) -> Iterator[Webhook]:
    """What is told of an office where a job failed."""
    with office_database.owner() as connection:
        connection.execute(_FAIL)
    with webhook() as told:
        office.environment |= {
            "BATCH_JOBS_ANNOUNCE_WEBHOOK_URL": told.url,
            "BATCH_JOBS_ANNOUNCE_ABOUT": "failed,warning",
        }
        yield told


def test_told_once_and_a_dry_run_shows_it_before(office: CommandLine, hook: Webhook) -> None:
    shown = office("announce", "--dry-run")
    assert shown.code == 0
    assert "would tell webhook:\naccrual_forecast failed in 3 workspaces\nWorkspaces: acme, beta, idle" in shown.out
    assert hook.received == []
    assert "told webhook: accrual_forecast failed in 3 workspaces" in office("announce").out
    assert office.json("announce")["sent"] == []
    (message,) = hook.received
    assert message["command"] == "batch-jobs runs --job accrual_forecast --status failed"
    listed = office(*message["command"].split()[1:])
    assert listed.code == 0
    assert listed.out.count("accrual_forecast") == 3
    show = message["remedy"].split("retry ")[1].split("`")[0]
    assert "KeyError" in office("runs", "show", show).out


def test_nobody_to_tell(office: CommandLine) -> None:
    ended = office("announce")
    assert ended.code == 0
    assert "nobody is told: set BATCH_JOBS_ANNOUNCE_WEBHOOK_URL" in ended.err
    assert office.json("announce") == {"channels": [], "causes": [], "sent": []}
    findings = {one["check"]: one for one in json.loads(office("doctor", "--json").out)}
    assert findings["announcements"]["state"] == "ok"
    assert "nobody is told" in findings["announcements"]["text"]


def test_one_that_is_not_taken_is_a_failure_and_found_by_doctor(office: CommandLine, hook: Webhook) -> None:
    hook.answer = lambda _: 404
    ended = office("announce")
    assert ended.code == 1
    assert "webhook did not take it, and it is tried again later: answered 404" in ended.out
    doctor = office("doctor", "--json")
    found = {one["check"]: one for one in json.loads(doctor.out)}["announcements"]
    assert found["state"] == "problem"
    assert found["text"].startswith("webhook: 1 wait since ")
    assert found["text"].endswith(": answered 404")
    assert TOKEN not in ended.out + ended.err + doctor.out + doctor.err


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        ("WEBHOOK_URL", f"ftp://chat/{TOKEN}", ["BATCH_JOBS_ANNOUNCE_WEBHOOK_URL", "https://"]),
        ("WEBHOOK_URL", f"https://anna:{TOKEN}@chat/", ["BATCH_JOBS_ANNOUNCE_WEBHOOK_URL"]),
        ("EMAIL", "ops@acme.example,nobody", ["BATCH_JOBS_ANNOUNCE_EMAIL", '"nobody"', "no @"]),
        ("ABOUT", "failed,completed", ["BATCH_JOBS_ANNOUNCE_ABOUT", '"completed"', "warning"]),
        ("AFTER_MINUTES", "soon", ["BATCH_JOBS_ANNOUNCE_AFTER_MINUTES", '"soon"']),
    ],
)
def test_bad_settings(office: CommandLine, name: str, value: str, parts: list[str]) -> None:
    office.environment[f"BATCH_JOBS_ANNOUNCE_{name}"] = value
    ended = office("announce")
    assert ended.refuses(*parts)
    assert TOKEN not in ended.err
    doctor = office("doctor", "--json")
    assert doctor.code == 1
    assert [one["check"] for one in json.loads(doctor.out) if parts[0] in one["text"] and one["state"] == "problem"]
    assert TOKEN not in doctor.out


def test_killed_between_sending_and_noting(office: CommandLine, hook: Webhook) -> None:
    """It is told again, and can be told from another by its id."""
    answered = threading.Event()
    hook.answer = lambda number: 200 if number > 1 or answered.wait(60) else 500
    process = office.start("announce")
    until(lambda: hook.received)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    answered.set()
    assert "told webhook" in office("announce").out
    assert office.json("announce")["sent"] == []
    first, second = hook.received
    assert first == second
    assert hook.headers[0]["Idempotency-Key"] == hook.headers[1]["Idempotency-Key"] == first["id"]


def test_many_at_once_tell_it_once(office: CommandLine, hook: Webhook) -> None:
    processes = [office.start("announce") for _ in range(4)]
    assert [process.communicate() and process.returncode for process in processes] == [0] * 4
    assert len(hook.received) == 1


def test_the_url_may_stand_in_a_file(office: CommandLine, hook: Webhook, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(office.environment.pop("BATCH_JOBS_ANNOUNCE_WEBHOOK_URL") + "\n")
    office.environment["BATCH_JOBS_ANNOUNCE_WEBHOOK_URL_FILE"] = str(tmp_path / "url")
    assert "told webhook" in office("announce").out
    assert len(hook.received) == 1
