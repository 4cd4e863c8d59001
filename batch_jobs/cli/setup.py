"""`init` and `db-url`: making an installation ready, and finding its database."""

from batch_jobs.cli.arguments import AsJson
from batch_jobs.cli.output import note, print_json, say
from batch_jobs.installation import database_url
from batch_jobs.settings import Settings, read_settings
from batch_jobs.store import schema
from batch_jobs.store.database import Database, shown_url


def init() -> None:
    """Make database, schema and orchestrator home ready to use. Safe to repeat.

    Without BATCH_JOBS_DATABASE_URL a PostgreSQL server of its own is made and started in BATCH_JOBS_HOME.
    """
    for line in prepare(read_settings()):
        say(line)
    say("next: `batch-jobs sample` for workspaces to try, or `batch-jobs import FILE.jsonl`; then `batch-jobs up`")


def prepare(settings: Settings) -> list[str]:
    """Bring an installation to what this code needs. Returns what was done, in sentences."""
    from batch_jobs.orchestration.home import prepare_home

    with Database(database_url(settings, note)) as database:
        before = schema.version(database)
        schema.migrate(database)
        after = schema.version(database)
    if before is None:
        migrated = f"schema made, version {after}"
    elif before == after:
        migrated = f"schema is at version {after} already"
    else:
        migrated = f"schema brought from version {before} to {after}"
    place = shown_url(settings.database_url) if settings.database_url else f"embedded, in {settings.home}"
    return [
        f"database: {place}",
        migrated,
        *prepare_home(settings),
        f"orchestrator home: {settings.dagster_home}",
    ]


def db_url(as_json: AsJson = False) -> None:
    """Print the database's URL, for psql and scripts. Starts the embedded database when it does not run.

    The embedded database stops some minutes after its last user has left (BATCH_JOBS_POSTGRES_IDLE_SECONDS).
    """
    url = database_url(read_settings(), note)
    if as_json:
        print_json({"url": url})
    else:
        say(url)
