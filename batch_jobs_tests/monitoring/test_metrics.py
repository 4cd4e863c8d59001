"""What Prometheus reads: every figure in its format, right, and the alerts speak of metrics that there are."""

import re
from datetime import timedelta
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from batch_jobs.engine.engine import Engine
from batch_jobs.jobs.deliver_notifications import DeliverNotifications
from batch_jobs.monitoring.metrics import exposition, write
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import NOON, Clock, engine_of, found, run
from batch_jobs_tests.engine.marking import Marking

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
            "INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, next_attempt_at) "
            "VALUES ('acme', 'u', 'n', 'x', %(then)s), ('acme', 'u', 'later', 'x', %(then)s + interval '1 day')",
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
    assert values["batch_jobs_outbox_due_messages",] == 1
    assert values["batch_jobs_outbox_oldest_due_seconds",] == 120
    assert values["batch_jobs_dead_letters", "absences"] == 2
    assert values["batch_jobs_dead_letters", "definitions"] == 0
    assert {name[1] for name in values if name[0] == "batch_jobs_projection_lag_events"} == set(engine.projections)


def test_no_label_names_a_workspace(database: Database) -> None:
    text = exposition(installation(database))
    assert not any(name in text for name in NAMES)


def test_the_file_is_written_whole(database: Database, tmp_path: Path) -> None:
    engine = installation(database)
    for _ in range(2):
        write(engine, tmp_path / "jobs.prom")
    assert [file.name for file in tmp_path.iterdir()] == ["jobs.prom"]
    assert "batch_jobs_overdue_workspaces" in (tmp_path / "jobs.prom").read_text()


def test_alerts_and_the_page_speak_of_metrics_that_there_are(database: Database) -> None:
    run(engine := installation(database), "marking", NAMES[:1])
    names = {name for name, *_ in measured(engine)} | {"batch_jobs_scheduler_last_beat_timestamp_seconds"}
    rules = yaml.safe_load((PROJECT_FOLDER / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"]
    spoken_of = {name for rule in rules for name in re.findall(r"batch_jobs_\w+", rule["expr"])}
    assert spoken_of
    assert spoken_of <= names
    assert all({"summary", "remedy"} <= rule["annotations"].keys() for rule in rules)
    documented = set(re.findall(r"`(batch_jobs_\w+)`", (PROJECT_FOLDER / "docs" / "monitoring.md").read_text()))
    assert documented == names
