"""The secrets of database, mail server and webhook stand nowhere: not stored, logged, printed or in a refusal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests import builders
from batch_jobs_tests.announcing.webhooks import TOKEN, webhook
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.mail.server import mail_server
from batch_jobs_tests.orchestration.installation import JOB, WORKSPACES, Installation, make_installation, weeks_ago
from batch_jobs_tests.postgres import EMBEDDED, Servers

# With signs that URLs and YAML write in another way.
DATABASE_PASSWORD = "Db#7:pass/word 42é"
SMTP_PASSWORD = "Mail$9{pass}word'43"
FORMS = {DATABASE_PASSWORD, quote(DATABASE_PASSWORD, safe=""), SMTP_PASSWORD, quote(SMTP_PASSWORD, safe=""), TOKEN}
MATERIALIZE = ("asset", "materialize", "-m", "batch_jobs.definitions", "--select", f"jobs/{JOB}")
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
    assert found_in(made.variables["BATCH_JOBS_DATABASE_URL"])
    assert found_in("\n".join(said)) == set()
    stored = dump(made.settings.database_url or "")
    assert JOB in stored
    assert found_in(stored) == set()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
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
