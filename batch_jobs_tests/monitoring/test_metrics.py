"""What Prometheus reads: every figure in its format, right, and the alerts speak of metrics that there are."""

import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from batch_jobs.engine.engine import Engine
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.monitoring import metrics
from batch_jobs.monitoring.metrics import exposition, write
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import NOON, Clock, engine_of, found, run
from batch_jobs_tests.engine.marking import Marking, named

NAMES = ["acme", "globex", "zeta"]


def measured(engine: Engine) -> dict[tuple[str, ...], float]:
    """Each value by the name of its metric and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(engine))
        for sample in family.samples
    }


def installation(database: Database) -> Engine:
    found(database, NAMES)
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.workspaces SET recorded_at = %s", [NOON - timedelta(days=2)])
    engine = engine_of(database, Marking(), DeliverNotifications(), clock=Clock(NOON))
    engine.catch_up()
    return engine


def test_every_figure(database: Database) -> None:
    engine = installation(database)
    values = measured(engine)
    assert values["batch_jobs_overdue_workspaces", "marking"] == 3
    # Since one o'clock.
    assert values["batch_jobs_oldest_overdue_seconds", "marking"] == 11 * 3600
    assert values["batch_jobs_oldest_overdue_seconds", "deliver_notifications"] == 0
    assert {name: value for name, value in values.items() if "lag" in name[0] and value} == {}
    assert not any(name[0] == "batch_jobs_job_runs" for name in values)

    run(engine, "marking", NAMES[:2])
    builders.import_all(database, *builders.of("acme", builders.employee("e-8"), builders.employee("e-9")))
    with database.owner() as connection:
        for statement in (
            "UPDATE batch_jobs.events SET recorded_at = %(then)s",
            "UPDATE batch_jobs.job_runs SET ended_at = %(then)s",
            "INSERT INTO batch_jobs.dead_letters (workspace_id, projection, position, event_id, type, reason) "
            "SELECT workspace_id, 'absences', position, event_id, type, 'odd' FROM batch_jobs.events "
            "WHERE workspace_id = 'zeta' AND position < 3",
        ):
            connection.execute(statement, {"then": NOON - timedelta(minutes=2)} if "then" in statement else None)
    values = measured(engine)
    assert values["batch_jobs_job_runs", "marking", "completed"] == 2
    assert values["batch_jobs_overdue_workspaces", "marking"] == 1
    assert values["batch_jobs_projection_lag_events", "employee_directory"] == 2
    assert values["batch_jobs_projection_lag_seconds", "employee_directory"] == 120
    assert values["batch_jobs_dead_letters", "absences"] == 2
    assert values["batch_jobs_dead_letters", "definitions"] == 0
    assert {name[1] for name in values if name[0] == "batch_jobs_projection_lag_events"} == set(engine.projections)


def test_mail_that_the_server_does_not_take_gets_older(database: Database) -> None:
    engine = installation(database)
    builders.import_all(database, *builders.of("zeta", builders.event("workspace.suspended", {})))

    def waiting() -> tuple[float, ...]:
        values = measured(engine)
        return tuple(
            values[f"batch_jobs_outbox_{name}",]
            for name in ("waiting_messages", "oldest_waiting_seconds", "stuck_seconds")
        )

    assert waiting() == (0, 0, 0)
    with database.owner() as connection:
        # Two that were put off for long, and one that waits for its workspace to be resumed.
        connection.execute(
            "INSERT INTO batch_jobs.outbox "
            "(workspace_id, user_id, notification_id, kind, recorded_at, reason, attempts, next_attempt_at) "
            "VALUES ('acme', 'u', 'n', 'x', %(now)s - interval '50 minutes', 'deferred', 6, %(now)s + interval '1 h'), "
            "('globex', 'u', 'n', 'x', %(now)s - interval '20 minutes', 'deferred', 5, %(now)s + interval '30 m'), "
            "('zeta', 'u', 'n', 'x', %(now)s - interval '20 days', NULL, 0, %(now)s - interval '20 days')",
            {"now": NOON},
        )
    assert waiting() == (2, 50 * 60, 50 * 60)
    for ended, stuck in ((30, 20), (10, 0)):
        with database.owner() as connection:
            connection.execute(
                "UPDATE batch_jobs.outbox SET state = 'sent', ended_at = %s WHERE workspace_id = 'acme'",
                [NOON - timedelta(minutes=ended)],
            )
        # One that was taken since shows that the server takes messages: what waits is the trouble of its mailbox.
        assert waiting() == (1, 20 * 60, stuck * 60)


def test_a_failure_counts_until_it_is_mended(database: Database) -> None:
    engine = engine_of(database, Marking(), named("another"))
    found(database, NAMES)
    engine.catch_up()
    run(engine, "marking", NAMES)

    def failed() -> float:
        return measured(engine)["batch_jobs_troubled_workspaces", "marking", "failed"]

    def change(statement: str) -> None:
        with database.owner() as connection:
            connection.execute(f"UPDATE batch_jobs.job_runs SET ended_at = '{NOON:%Y-%m-%d %H:%M}+00', {statement}")

    change("trigger = 'schedule'")
    assert failed() == 0
    change("status = 'failed', message = 'broken ' || workspace_id WHERE workspace_id <> 'zeta'")
    assert failed() == 2
    change("dry_run = true WHERE workspace_id = 'globex'")
    assert failed() == 1
    run(engine, "marking", ["acme"])
    change("trigger = 'schedule'")
    values = measured(engine)
    assert values["batch_jobs_troubled_workspaces", "marking", "failed"] == 0
    assert values["batch_jobs_job_runs", "marking", "failed"] == 2
    assert values["batch_jobs_troubled_workspaces", "another", "warning"] == 0


@pytest.mark.parametrize("question", ["candidates", "waiting_since"])
def test_no_question_takes_longer_than_allowed(
    database: Database, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    slow = {
        "candidates": "SELECT s.workspace_id, 'x' AS row_id, true AS due FROM scope s, pg_sleep(20)",
        "waiting_since": "SELECT 'acme', now() FROM pg_sleep(20)",
    }[question]
    found(database, ["acme"])
    engine = engine_of(database, named("slow", continuous=question == "waiting_since", **{question: slow}))
    monkeypatch.setattr(metrics, "TIMEOUT", "500ms")
    with pytest.raises(psycopg.errors.QueryCanceled):
        exposition(engine)


def test_no_label_names_a_workspace(database: Database) -> None:
    engine = installation(database)
    run(engine, "marking", NAMES)
    text = exposition(engine)
    assert 'batch_jobs_job_runs{batch_job="marking"' in text
    assert not any(name in text for name in NAMES)


def test_the_file_is_written_whole(database: Database, tmp_path: Path) -> None:
    engine = installation(database)
    for _ in range(2):
        write(engine, tmp_path / "jobs.prom")
    assert [file.name for file in tmp_path.iterdir()] == ["jobs.prom"]
    assert "batch_jobs_overdue_workspaces" in (tmp_path / "jobs.prom").read_text()


def test_alerts_and_the_page_speak_of_metrics_that_there_are(database: Database) -> None:
    run(engine := installation(database), "marking", NAMES[:1])
    labels = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(exposition(engine))
        for sample in family.samples
    } | {"batch_jobs_scheduler_last_beat_timestamp_seconds": set()}
    # What Prometheus sets itself on all that it asks can be no label of ours.
    assert not any(names & {"job", "instance"} for names in labels.values())
    rules = yaml.safe_load((PROJECT_FOLDER / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        (metric,) = re.findall(r"batch_jobs_\w+|node_\w+", rule["expr"])
        known = {**labels, "node_textfile_mtime_seconds": {"file"}}[metric]
        annotations = rule["annotations"]
        assert set(re.findall(r"\$labels\.(\w+)", " ".join(annotations.values()))) <= known, rule["alert"]
        assert set(re.findall(r"(\w+)=~?\"", rule["expr"])) <= known, rule["alert"]
        assert {"summary", "remedy"} <= annotations.keys()
    page = (PROJECT_FOLDER / "docs" / "monitoring.md").read_text()
    assert set(re.findall(r"`(batch_jobs_\w+)`", page)) == labels.keys()
    rows = re.findall(r"^\| (`batch_jobs_.+?) \|(.*?)\|", page, re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", row[1])) for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert told == labels
