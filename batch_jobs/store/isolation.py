"""Who may touch whose rows: the two roles that jobs run as, and the policies that hold them to their scope.

Jobs run as `batch_jobs_worker`, which sees and writes only the workspaces that its transaction names in
`batch_jobs.workspaces`. Need-checks run as `batch_jobs_reader`, which reads every workspace and writes nothing.
Neither logs in, owns a table or is a superuser.
"""

from collections.abc import Callable

WORKER = "batch_jobs_worker"
READER = "batch_jobs_reader"
# A workspace's rows are found by this expression: an uncorrelated sub-select, which PostgreSQL evaluates once a
# statement and looks rows up in by hash. The plain `= ANY (string_to_array(...))` compares each row with each
# workspace of the scope: at a scope of 1,000 that is a thousand times the work.
IN_SCOPE = "workspace_id IN (SELECT batch_jobs.scope())"


def create_roles(execute: Callable[[str], object]) -> None:
    """Create both roles where the server does not have them, and let the owner take them on."""
    for role in (WORKER, READER):
        execute(f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} NOLOGIN;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                -- Another installation on this server created it a moment ago.
                NULL;
            END $$
        """)
        execute(f"""
            DO $$ BEGIN
                EXECUTE format('GRANT {role} TO %I', current_user);
            EXCEPTION WHEN insufficient_privilege THEN
                -- Made by another owner: good enough when that one has let this one in already.
                IF NOT pg_has_role(current_user, '{role}', 'MEMBER') THEN RAISE; END IF;
            END $$
        """)


def protect(execute: Callable[[str], object], table: str, *, worker: str | None) -> None:
    """Hold a tenant table to the scope of the transaction.

    Args:
        execute: runs one statement.
        table: qualified name of a table with a column `workspace_id`.
        worker: privileges of the worker role on rows in its scope, or None for no access.
    """
    execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    execute(f"CREATE POLICY in_scope ON {table} TO {WORKER} USING ({IN_SCOPE}) WITH CHECK ({IN_SCOPE})")
    execute(f"CREATE POLICY every_workspace ON {table} FOR SELECT TO {READER} USING (true)")
    execute(f"GRANT SELECT ON {table} TO {READER}")
    if worker:
        execute(f"GRANT {worker} ON {table} TO {WORKER}")
