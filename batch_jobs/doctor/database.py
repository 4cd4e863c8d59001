"""The database itself: server, schema, roles and row-level security."""

from batch_jobs.doctor import access
from batch_jobs.doctor.finding import Finding, judged
from batch_jobs.errors import UnavailableError
from batch_jobs.installation import all_projections
from batch_jobs.settings import Settings
from batch_jobs.store import schema
from batch_jobs.store.database import Database, Transaction, shown_url
from batch_jobs.store.isolation import READER, WORKER

# Policies add up: one that lets a job at all rows undoes the one that holds it to its scope.
_OPEN_TABLES = f"""
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('batch_jobs', 'projections', 'search') AND c.relkind IN ('r', 'p')
      AND EXISTS (
          SELECT FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
      )
      AND (
          NOT c.relrowsecurity
          OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'in_scope')
          OR EXISTS (
              SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive
                AND p.polroles && ARRAY[0::oid, to_regrole('{WORKER}')::oid]
                AND (
                    p.polname <> 'in_scope'
                    OR pg_get_expr(p.polqual, c.oid) NOT LIKE '(workspace_id IN ( SELECT %scope()%'
                    OR pg_get_expr(p.polwithcheck, c.oid) <> pg_get_expr(p.polqual, c.oid)
                )
          )
      )
    ORDER BY 1
"""

# What fills the tables of a schema anew.
_REBUILDS = {
    "projections": "batch-jobs run rebuild_employee_projections --no-dry-run",
    "search": "batch-jobs run rebuild_search_indexes --no-dry-run",
}

_COLUMNS = """
    SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema IN ('projections', 'search')
"""


def examine(database: Database, settings: Settings) -> list[Finding]:
    """Check the database. What needs the schema is left out where it does not fit.

    Raises:
        UnavailableError: it can not be reached, or is too old.
    """
    with database.owner() as connection:
        version = connection.info.server_version
    place = shown_url(database.url) if settings.database_url else f"embedded in {settings.home}"
    findings = [Finding("database", "ok", f"PostgreSQL {version // 10_000}.{version % 10_000}, {place}")]
    try:
        schema.check_version(database)
    except UnavailableError as error:
        return [*findings, Finding("schema", "problem", str(error))]
    findings.append(Finding("schema", "ok", f"version {schema.newest_version()}"))
    with database.owner() as connection:
        findings += [_tables(connection), _roles(connection), _isolation(connection), access.examine(connection)]
    return findings


def _tables(connection: Transaction) -> Finding:
    """Whether all is there that the projections and indexes write; the version alone does not tell."""
    present = {row[0] for row in connection.execute(_COLUMNS).fetchall()}
    declared = {
        f"{projection.schema}.{table.name}.{column}"
        for projection in all_projections().values()
        for table in projection.tables
        for column in (*table.key, *table.columns)
    }
    missing = sorted(declared - present)
    # Whoever adds an empty column leaves the version as it is, so that nothing looks stale.
    rebuilds = [command for name, command in _REBUILDS.items() if any(one.startswith(f"{name}.") for one in missing)]
    return judged(
        "tables",
        not missing,
        f"a migration is half-applied; not there: {', '.join(missing)}" if missing else "as the projections need them",
        "add what is missing as batch_jobs/store/migrations makes it (or restore a backup), then fill it: "
        f"{', then '.join(rebuilds)}; where a workspace is suspended, when it is resumed",
    )


def _roles(connection: Transaction) -> Finding:
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) AND pg_has_role(current_user, oid, 'MEMBER')",
        [[WORKER, READER]],
    ).fetchall()
    missing = sorted({WORKER, READER} - {row[0] for row in rows})
    return judged(
        "roles",
        not missing,
        f"not there, or not granted to this user: {', '.join(missing)}" if missing else f"{WORKER}, {READER}",
        "let an administrator create them (NOLOGIN) and grant them to the database's user",
    )


def _isolation(connection: Transaction) -> Finding:
    tables = [row[0] for row in connection.execute(_OPEN_TABLES).fetchall()]
    return judged(
        "row-level security",
        not tables,
        f"does not hold jobs to their workspaces in {', '.join(tables)}"
        if tables
        else "on, with its policy, for every table with rows of workspaces",
        "ALTER TABLE ... ENABLE ROW LEVEL SECURITY for each, with the policies of batch_jobs/store/isolation.py and no "
        "others: until then a job sees the rows of other workspaces, or none",
    )
