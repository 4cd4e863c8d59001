"""Two workspaces with rows in every table that has any of workspaces, for tests of who may touch whose."""

from datetime import date
from pathlib import Path

from psycopg.types.json import Jsonb

from batch_jobs.installation import make_engine
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.isolation import WORKER
from batch_jobs.store.schema import migrate
from batch_jobs_tests.builders import employee, employment, import_all, of, statement, terms, workspace
from batch_jobs_tests.store.catalogue import tables

NAMES = ("acme", "globex")
JANUARY = date(2026, 1, 1), date(2026, 1, 31)

# Rows that are more than values of their columns' types.
_LEDGER = (
    "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, trigger, actor, dry_run, partial) "
    "SELECT 'j', workspace_id, '2026-01-01', 1, 'manual', 'x', false, false FROM batch_jobs.workspaces",
    "INSERT INTO batch_jobs.job_run_errors SELECT job_run_id, 1, workspace_id, 'r', 'e', 'i', 'x', 'x' "
    "FROM batch_jobs.job_runs",
)
# What a column must have: the first of the values that a check names, or one of its type.
_REQUIRED = """
    SELECT attname, coalesce(
        (
            SELECT to_jsonb(substring(pg_get_constraintdef(k.oid) FROM '''([a-z_]+)'''))
            FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
        ),
        CASE t.typcategory WHEN 'N' THEN '1' WHEN 'B' THEN 'true' WHEN 'D' THEN '"2026-01-01"' WHEN 'A' THEN '[]'
            WHEN 'T' THEN '"1 day"' ELSE CASE t.typname WHEN 'uuid' THEN '"00000000-0000-4000-8000-000000000000"'
            WHEN 'jsonb' THEN '{}' WHEN 'daterange' THEN '"[2026-01-01,2026-02-01)"' ELSE '"x"' END END::jsonb
    )
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND NOT atthasdef
      AND attnotnull AND attname <> 'workspace_id'
"""


def make_pair(url: str) -> None:
    """Fill a database with acme and globex: the same rows in every projection, and at least one in each table."""
    with Database(url) as database:
        migrate(database)
        events = [
            workspace(),
            employee("e-1"),
            employment("e-1/1"),
            terms(),
            statement("period_started", "e-1", *JANUARY),
            statement("approved", "e-1", *JANUARY, by="e-2"),
        ]
        import_all(database, *of("acme", *events), *of("globex", *events))
        make_engine(database, Settings(home=Path("unused"))).catch_up()
        with database.owner() as connection:
            for ledger in _LEDGER:
                connection.execute(ledger.encode())
            for name in tables(connection):
                if not workspaces_in(connection, name) and not name.startswith("batch_jobs.events_"):
                    _fill(connection, name)


def _fill(connection: Transaction, table: str) -> None:
    required = dict(connection.execute(_REQUIRED, [table]).fetchall())
    columns = ", ".join(f'"{name}"' for name in ("workspace_id", *required))
    connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM unnest(%s::text[]) AS w, "  # type: ignore[arg-type]
        f"jsonb_populate_record(NULL::{table}, %s || jsonb_build_object('workspace_id', w))",
        [list(NAMES), Jsonb(required)],
    )


def workspaces_in(connection: Transaction, table: str) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT DISTINCT workspace_id FROM {table}")}


def readable(database: Database) -> list[str]:
    """The tables with rows of workspaces that jobs may read."""
    with database.owner() as connection:
        return [
            name
            for name in tables(connection)
            if connection.execute("SELECT has_table_privilege(%s, %s, 'SELECT')", [WORKER, name]).fetchone() == (True,)
        ]
