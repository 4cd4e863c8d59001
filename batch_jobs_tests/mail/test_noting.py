"""Answers are noted while others are under way, and what is under way stays with who holds it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from batch_jobs.mail import noting
from batch_jobs.mail.noting import Notes
from batch_jobs.mail.outbox import Settled, claim
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import import_all, of, workspace
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import rows

FILL = """
    INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind)
    SELECT 'acme', 'u', 'n-' || number, 'x' FROM generate_series(1, 3) AS number
"""
LEFT = "SELECT max(leased_until) - now() FROM batch_jobs.outbox WHERE state = 'waiting'"


@pytest.fixture
def database(database: Database) -> Database:
    import_all(database, *of("acme", workspace()))
    with database.owner() as connection:
        connection.execute(FILL)
    return database


def test_answers_are_noted_and_the_lease_lasts_while_none_comes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "EXTENDED_AFTER", 0.2)
    lease, run_id = uuid4(), str(uuid4())
    with database.worker(["acme"]) as connection:
        first, *_ = claim(connection, ["acme"], lease, at_most=3)
    with Notes(database, ["acme"], lease) as notes:
        notes.add(Settled(first, run_id, "sent", tried=True))
        until(lambda: rows(database, "SELECT FROM batch_jobs.outbox WHERE state = 'sent'"))
        with database.owner() as connection:
            connection.execute("UPDATE batch_jobs.outbox SET leased_until = now() + interval '1 minute'")
        until(lambda: rows(database, LEFT)[0][0] > timedelta(minutes=4))
    assert rows(database, "SELECT state, count(*) FROM batch_jobs.outbox GROUP BY 1 ORDER BY 1") == [
        ("sent", 1),
        ("waiting", 2),
    ]


def test_what_can_not_be_noted_is_raised(database: Database) -> None:
    lease = uuid4()
    with database.worker(["acme"]) as connection:
        first, *_ = claim(connection, ["acme"], lease, at_most=1)
    with (
        pytest.raises(Exception, match="invalid input syntax for type uuid"),
        Notes(database, ["acme"], lease) as notes,
    ):
        notes.add(Settled(first, "no uuid", "sent"))
