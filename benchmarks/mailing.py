"""Messages a second of `deliver_notifications`, with one worker and with four, beside a bare loop over smtplib.

Measured: from the first claim to the last note, over messages to users of one workspace, in worker processes that have
started already, each with the settings as they are by default (two connections). Claiming, judging, rendering and
noting are part of it; the server is aiosmtpd in a process of its own, which takes everything over and forgets it.

Held against: one of these messages over one connection to the same server by `smtplib.sendmail`, again and again.
Nobody who speaks to that server over one connection can be faster.
"""

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from batch_jobs.installation import make_engine
from batch_jobs.mail.message import compose
from batch_jobs.mail.rendering import render
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.transfer import import_events
from benchmarks.bench import Bench, tell
from benchmarks.figures import Figure, Figures

WORKSPACE = "mailing"
MESSAGES_PER_NIGHT_WORKSPACE = 10
WORKERS = 4


def measure(bench: Bench) -> Figures:
    """Send by hand, by one worker, by four."""
    number = MESSAGES_PER_NIGHT_WORKSPACE * bench.sizes.night
    _create(bench, number)
    with _server() as port:
        tell(f"sending {number:,} messages by a bare loop")
        bare = number / _bare_seconds(port, number)
        one = number / _seconds(bench, port, number, workers=1)
        several = number / _seconds(bench, port, number, workers=WORKERS)
    return {
        "mail_messages_per_s": _figure("one worker", one, bare, 0.8 * bare),
        "mail_messages_per_s_four": _figure("four workers", several, bare, one),
    }


def _figure(who: str, speed: float, bare: float, target: float) -> Figure:
    return Figure(
        work=f"messages of the outbox, {who}",
        value=speed,
        unit="messages/s",
        limit=bare,
        beside="a bare smtplib loop, one connection",
        target=target,
        more_is_better=True,
    )


def _create(bench: Bench, number: int) -> None:
    def events() -> Iterator[dict[str, object]]:
        yield {"type": "workspace.created", "payload": {"name": "Mailing", "timezone": bench.timezone}}
        day = str(bench.run_date)
        for one in range(number):
            user = {"user_id": f"u-{one}", "email": f"somebody-{one}@example.com", "status": "active"}
            yield {"type": "user.defined", "payload": user}
            statement = {"statement_id": f"s-{one}", "employee_id": f"e-{one}"}
            period = {"terms_id": "t", "period_start": day, "period_end": day}
            yield {"type": "statement.period_started", "payload": statement | period}
            said = {"employee_name": "Søren Engelbrecht", "statement_id": f"s-{one}", "deadline": day}
            yield {
                "type": "notification.created",
                "payload": {"notification_id": f"n-{one}", "user_id": f"u-{one}", "kind": "statement_deadline"}
                | {"channels": ["email"], "dedup_key": f"n-{one}"}
                | {"data": said | {"period_start": day, "period_end": day}},
            }

    now = make_engine(bench.database, bench.settings).clock().isoformat()
    header = {"workspace_id": WORKSPACE, "version": 1, "occurred_at": now, "actor": "user:u-1", "targets": []}
    lines = (
        {**header, "event_id": f"00000000-0000-4000-8000-{place:012}", **one} for place, one in enumerate(events())
    )
    import_events(bench.database, (json.dumps(line).encode() for line in lines))
    make_engine(bench.database, bench.settings).catch_up()
    bench.vacuum()


@contextmanager
def _server() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.mail_server"]
    process = subprocess.Popen(command, cwd=PROJECT_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _bare_seconds(port: int, number: int) -> float:
    day = "2026-11-30"
    data = {"employee_name": "Søren Engelbrecht", "statement_id": "s-1", "deadline": day} | dict.fromkeys(
        ("period_start", "period_end"), day
    )
    message = compose(
        render("statement_deadline", "en", data, base_url=None),
        workspace_id=WORKSPACE,
        notification_id="n-1",
        user_id="u-1",
        sender="jobs@example.com",
        recipient_name="Søren Engelbrecht",
        recipient_address="somebody@example.com",
        base_url=None,
        sent_at=datetime(2026, 11, 30, tzinfo=UTC),
    )
    with smtplib.SMTP("127.0.0.1", port, "localhost") as connection:
        began = time.perf_counter()
        for one in range(number):
            connection.sendmail("jobs@example.com", [f"somebody-{one}@example.com"], message.content)
        return time.perf_counter() - began


def _seconds(bench: Bench, port: int, number: int, *, workers: int) -> float:
    tell(f"sending {number:,} messages by {workers} workers")
    with bench.database.owner() as connection:
        connection.execute("UPDATE batch_jobs.outbox SET state = 'waiting', next_attempt_at = now(), ended_at = NULL")
    command = [sys.executable, "-m", "benchmarks.mail_process", bench.database.url, str(port), WORKSPACE]
    processes = [
        subprocess.Popen(command, cwd=PROJECT_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for process in processes:
        assert process.stdin
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * workers
    seconds = time.perf_counter() - began
    with bench.database.owner() as connection:
        row = connection.execute("SELECT count(*) FROM batch_jobs.outbox WHERE state = 'sent'").fetchone()
    assert row == (number,), row
    return seconds
