"""The secrets of database, mail server and webhook stand nowhere: not stored, logged, printed or in a refusal."""

import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
import pytest
import yaml
from psycopg import sql

from batch_jobs.installation import open_engine
from batch_jobs.orchestration.night import run_night
from batch_jobs.settings import read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests import builders
from batch_jobs_tests.announcing.webhooks import TOKEN, webhook
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.mail.server import mail_server
from batch_jobs_tests.orchestration.installation import JOB, WORKSPACES, Installation, make_installation, weeks_ago
from batch_jobs_tests.postgres import EMBEDDED, Servers

# With signs that URLs, JSON, YAML and Python write in other ways, between parts that all of them write as they are.
DATABASE_PASSWORD = "Db7cedar#8:Pass6birch/Word5maple 42é"
SMTP_PASSWORD = "Mail9elder${Braced8}quote7d'Rowan43"
FORMS = {
    *(part for secret in (DATABASE_PASSWORD, SMTP_PASSWORD) for part in re.findall("[A-Za-z0-9]{6,}", secret)),
    # As a login writes it, and a log of what goes over the wire.
    *(b64encode(text.encode()).decode() for text in (SMTP_PASSWORD, f"\0jobs\0{SMTP_PASSWORD}")),
    TOKEN.partition("/")[0],
}
MATERIALIZE = ("asset", "materialize", "-m", "batch_jobs.definitions", "--select", f"jobs/{JOB}")
EXECUTE = ("job", "execute", "-m", "batch_jobs.definitions", "-j", "run_batch_jobs")
SENSOR = ("sensor", "preview", "-m", "batch_jobs.definitions", "announcements")

_TABLES = """
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1, 2
"""


@pytest.fixture
def installation(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Installation, CommandLine]]:
    databases = servers.of(EMBEDDED)
    url = databases.make_database(databases.template("migrated", _migrate))
    # The server trusts who is on this machine, so any password will do.
    url = url.replace("@/", f":{quote(DATABASE_PASSWORD, safe='')}@/", 1)
    with mail_server(tmp_path / "received", "--password", "another") as server, webhook() as hook:
        # One that tells everybody what it was told.
        hook.answer, hook.location = lambda _: 302, f"http://127.0.0.1:1/{TOKEN}"
        for name, value in {
            "HOME": str(tmp_path / "home"),
            "DATABASE_URL": url,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(server.port),
            "SMTP_SECURITY": "none",
            "SMTP_USER": "jobs",
            "SMTP_PASSWORD": SMTP_PASSWORD,
            "ANNOUNCE_WEBHOOK_URL": hook.url,
            "ANNOUNCE_EMAIL": "ops@acme.example",
            "ANNOUNCE_AFTER_MINUTES": "0",
        }.items():
            monkeypatch.setenv(f"BATCH_JOBS_{name}", value)
        made = make_installation(tmp_path, url)
        cli = CommandLine(tmp_path / "home", url)
        cli.environment = dict(made.variables)
        yield made, cli
    databases.drop_database(url)


def test_no_password_is_written_anywhere(installation: tuple[Installation, CommandLine], tmp_path: Path) -> None:
    made, cli = installation
    created = builders.event(
        "notification.created",
        {"notification_id": "n", "user_id": "u-1", "kind": "statement_overdue", "channels": ["email"], "data": {}}
        | {"dedup_key": "n"},
    )
    created["occurred_at"] = datetime.now(UTC).isoformat()
    made.record(*builders.of("w-1", builders.user("u-1"), created))
    day = weeks_ago(0)
    said = [made.dagster(*MATERIALIZE, "--partition-range", f"{day}|w-1...{day}|w-5", code=1)]
    commands = [
        *(["run", "deliver_notifications"], ["doctor"], ["doctor", "--json"], ["runs"], ["runs", "--json"], ["due"]),
        *(["run", JOB, "--workspace", WORKSPACES[0]], ["metrics"], ["mail", "preview", "statement_overdue"]),
        *(["run", "recover_failed_migration"], ["search", "employees", "x", "--workspace", "w-1"], ["init"]),
    ]
    said += [repr(cli(*command)) for command in commands]
    assert "refuses user and password" in said[2]
    with psycopg.connect(made.settings.database_url or "") as connection:
        # People are not told of what they do themselves.
        connection.execute("UPDATE batch_jobs.job_runs SET trigger = 'schedule' WHERE status = 'failed'")
    for url in (made.variables["BATCH_JOBS_ANNOUNCE_WEBHOOK_URL"], f"http://127.0.0.1:1/{TOKEN}", f"ftp://{TOKEN}"):
        cli.environment = {**made.variables, "BATCH_JOBS_ANNOUNCE_WEBHOOK_URL": url}
        told = [repr(cli(*command)) for command in (["announce", "--dry-run"], ["announce"], ["announce", "--json"])]
        told += [repr(cli("doctor")), repr(cli("due"))]
        watching = Installation(made.clone, made.settings, cli.environment)
        told.append(watching.dagster(*SENSOR, code=1 if url[0] == "f" else 0))
        said += told
        assert ("can not be used (it is not shown" if url[0] == "f" else "webhook did not take it") in told[1]
        with psycopg.connect(made.settings.database_url or "") as connection:
            connection.execute("UPDATE batch_jobs.announcements SET next_attempt_at = now() WHERE message IS NOT NULL")
    for name, value in (("port=5432", "port=1"), ("host=", "hots=")):
        url = made.variables["BATCH_JOBS_DATABASE_URL"].replace(name, value)
        broken = {**made.variables, "BATCH_JOBS_DATABASE_URL": url}
        cli.environment = broken
        said += [repr(cli(*command)) for command in (["due"], ["doctor"], ["init"])]
        gone = Installation(made.clone, made.settings, broken)
        said.append(gone.dagster(*MATERIALIZE, "--partition", f"{day}|w-1", code=1))
    check_nothing_is_found(made, said, tmp_path)


def test_no_password_is_written_by_a_night(
    installation: tuple[Installation, CommandLine], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of all jobs, with mail that is refused; and by a run with a config of its own, and what is done by hand then."""
    made, cli = installation
    caplog.set_level(logging.INFO)
    said = [repr(cli("sample", "--workspaces", "2", "--employees", "6"))]
    settings = read_settings(made.variables)
    noon = datetime.now(UTC).replace(hour=12) + timedelta(days=1)
    with open_engine(settings, clock=lambda: noon) as engine:
        runs = run_night(settings, engine)
    assert sum(map(bool, runs.values())) > len(runs) / 2
    assert runs[JOB]
    config = made.clone / "config.json"
    asked = {"jobs": [JOB], "run_date": str(weeks_ago(0)), "workspaces": ["w-1"], "dry_run": False}
    config.write_text(json.dumps({"ops": {"run_jobs": {"config": asked}}}))
    said.append(made.dagster(*EXECUTE, "-c", str(config)))
    by_hand = ("sync_projections", "deliver_notifications", "rebuild_employee_projections", "rebuild_search_indexes")
    said += [repr(cli("run", name)) for name in by_hand]
    check_nothing_is_found(made, [*said, caplog.text], tmp_path)


@pytest.mark.parametrize("secret", [DATABASE_PASSWORD, SMTP_PASSWORD, TOKEN])
@pytest.mark.parametrize("write", [str, repr, json.dumps, yaml.safe_dump, quote, quote_plus])
def test_a_secret_would_be_found_however_it_is_written(secret: str, write: Callable[[str], str]) -> None:
    assert found_in(f"refused: {write(secret)} is wrong")


def check_nothing_is_found(made: Installation, said: Sequence[str], folder: Path) -> None:
    """Look through what was said, the whole database and all files."""
    assert found_in("\n".join(said)) == set()
    stored = dump(made.settings.database_url or "")
    assert JOB in stored
    assert found_in(stored) == set()
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file for file in files if found_in(file.read_bytes().decode("utf-8", "replace"))] == []


def _migrate(url: str) -> None:
    with Database(url) as database:
        migrate(database)


def found_in(text: str) -> set[str]:
    return {form for form in FORMS if form in text}


def dump(url: str) -> str:
    """All rows of all tables, Dagster's as well, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(_TABLES).fetchall()
        rows = []
        for schema, table in tables:
            statement = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            rows += [row[0] for row in connection.execute(statement)]
    return "\n".join(row for row in rows if row)
