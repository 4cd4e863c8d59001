"""What the catalogue says about who may touch what. Each query names what is not as it should be, or is to be known."""

from batch_jobs.store.database import Transaction
from batch_jobs.store.isolation import READER, WORKER

_OURS = "relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'"
_HAS_WORKSPACE = """
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped)
"""

# Tables and partitions with rows of workspaces that the policies do not hold, and views that pass them by. Policies add
# up: one that is too open undoes the others.
_UNPROTECTED = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE {_OURS} AND {_HAS_WORKSPACE} AND CASE
        WHEN relkind IN ('r', 'p') THEN NOT relrowsecurity
            OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'in_scope')
            OR EXISTS (
                SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND polpermissive AND NOT coalesce(
                    CASE p.polname
                    WHEN 'in_scope' THEN polcmd = '*' AND polroles = ARRAY['{WORKER}'::regrole::oid]
                        AND pg_get_expr(polqual, polrelid) LIKE '(workspace_id IN ( SELECT batch_jobs.scope()%'
                        AND pg_get_expr(polwithcheck, polrelid) = pg_get_expr(polqual, polrelid)
                    ELSE polcmd = 'r' AND polroles = ARRAY['{READER}'::regrole::oid] END,
                    false
                )
            )
        WHEN relkind = 'v' THEN NOT coalesce('security_invoker=true' = ANY (reloptions), false)
        -- No policy holds what is copied, or is elsewhere.
        ELSE relkind IN ('m', 'f') END
    ORDER BY 1
"""

# What the roles, or everybody, may touch though it names no workspace: what else could hold its rows apart?
_OPEN = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE {_OURS} AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT {_HAS_WORKSPACE} AND EXISTS (
        SELECT FROM unnest(ARRAY['{WORKER}', '{READER}']) AS role WHERE CASE
            WHEN relkind = 'S' THEN has_sequence_privilege(role, c.oid, 'USAGE, SELECT, UPDATE')
            ELSE has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                OR has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END
    )
    ORDER BY 1
"""

_TABLES = f"""
    SELECT c.oid::regclass::text FROM pg_class c WHERE relkind IN ('r', 'p') AND {_OURS} AND {_HAS_WORKSPACE} ORDER BY 1
"""

# Functions with the rights of their owner that the roles, or everybody, may call; a trigger function as well, on a
# temporary table.
_WITH_OWNERS_RIGHTS = f"""
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema$)' AND prosecdef
      AND (has_function_privilege('{WORKER}', p.oid, 'EXECUTE') OR has_function_privilege('{READER}', p.oid, 'EXECUTE'))
    ORDER BY 1
"""

_SCHEMAS = f"""
    SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_(toast|temp)' AND (
        has_schema_privilege('{WORKER}', oid, %(privilege)s) OR has_schema_privilege('{READER}', oid, %(privilege)s)
    )
    ORDER BY 1
"""

# Unique keys and references that hold rows of one workspace against those of another: who writes in his own could keep
# another one from writing, or hang his rows on the other's.
_SHARED_KEYS = f"""
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE {_OURS} AND {_HAS_WORKSPACE} AND i.indisunique AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attname = 'workspace_id' AND a.attnum = ANY (i.indkey)
    )
    UNION ALL
    SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE {_OURS} AND {_HAS_WORKSPACE} AND k.contype = 'f' AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = k.conrelid AND a.attname = 'workspace_id' AND a.attnum = ANY (k.conkey)
    )
    ORDER BY 1
"""


def _names(connection: Transaction, query: str, **values: str) -> list[str]:
    connection.execute("SET LOCAL search_path = ''")
    return [name for (name,) in connection.execute(query.encode(), values or None)]


def unprotected(connection: Transaction) -> list[str]:
    """Relations with rows of workspaces that nothing holds to the scope."""
    return _names(connection, _UNPROTECTED)


def open_relations(connection: Transaction) -> list[str]:
    """Relations without a workspace that the roles may touch."""
    return _names(connection, _OPEN)


def tables(connection: Transaction) -> list[str]:
    """Tables and partitions with rows of workspaces."""
    return _names(connection, _TABLES)


def with_owners_rights(connection: Transaction) -> list[str]:
    """Functions that pass by the policies."""
    return _names(connection, _WITH_OWNERS_RIGHTS)


def schemas(connection: Transaction, privilege: str) -> list[str]:
    """Schemas that the roles may look into (`USAGE`) or make things in (`CREATE`)."""
    return _names(connection, _SCHEMAS, privilege=privilege)


def shared_keys(connection: Transaction) -> list[str]:
    """Unique indexes and foreign keys that workspaces share."""
    return _names(connection, _SHARED_KEYS)
