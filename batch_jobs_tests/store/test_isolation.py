"""Nobody reads or writes another workspace's rows: held by the database, for every table there is."""

import contextlib
from datetime import date

import psycopg
import pytest
from psycopg import errors

from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.isolation import READER, WORKER
from batch_jobs_tests.builders import employee, employment, import_all, of, statement, terms, workspace
from batch_jobs_tests.projections.catching_up import catch_up_all

# Tables and partitions with rows of workspaces that the policies do not hold, and views that pass them by.
_UNPROTECTED = f"""
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'workspace_id' AND NOT attisdropped)
      AND CASE
        WHEN relkind IN ('r', 'p') THEN NOT relrowsecurity
            OR NOT EXISTS (
                SELECT FROM pg_policy WHERE polrelid = c.oid AND polcmd = '*' AND polpermissive
                AND polroles = ARRAY['{WORKER}'::regrole::oid]
                AND pg_get_expr(polqual, polrelid) LIKE '(workspace_id IN ( SELECT batch_jobs.scope()%'
                AND pg_get_expr(polwithcheck, polrelid) = pg_get_expr(polqual, polrelid)
            )
            OR EXISTS (
                SELECT FROM pg_policy WHERE polrelid = c.oid
                AND polroles <> ARRAY['{WORKER}'::regrole::oid]
                AND (polroles <> ARRAY['{READER}'::regrole::oid] OR polcmd <> 'r')
            )
        WHEN relkind IN ('v', 'm') THEN NOT coalesce('security_invoker=true' = ANY (reloptions), false)
        ELSE false END
    ORDER BY 1
"""

_TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attname = 'workspace_id'
    WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text !~ '^pg_' ORDER BY 1
"""

# Functions with the rights of their owner that the roles, or everybody, may call; triggers are called by nobody.
_WITH_OWNERS_RIGHTS = f"""
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema$|dagster$)' AND prosecdef
      AND prorettype <> 'trigger'::regtype
      AND (has_function_privilege('{WORKER}', p.oid, 'EXECUTE') OR has_function_privilege('{READER}', p.oid, 'EXECUTE'))
    ORDER BY 1
"""

# The search, and what deletes a workspace, keep to the scope by themselves. The others are for purging Dagster's
# storage, in which no workspace has rows of its own.
KNOWN = {
    "search.find(text,text[],integer)",
    "batch_jobs.purge_workspace(text)",
    "batch_jobs.orchestrator_has_older(timestamp with time zone)",
    "batch_jobs.purge_orchestrator(timestamp with time zone,integer)",
}

_CONTENT = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t WHERE workspace_id = %s"

JANUARY = date(2026, 1, 1), date(2026, 1, 31)


def unprotected(connection: Transaction) -> list[str]:
    connection.execute("SET LOCAL search_path = ''")
    return [name for (name,) in connection.execute(_UNPROTECTED)]


def tables(connection: Transaction) -> list[str]:
    connection.execute("SET LOCAL search_path = ''")
    return [name for (name,) in connection.execute(_TABLES)]


def workspaces_in(connection: Transaction, table: str) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT DISTINCT workspace_id FROM {table}")}


@pytest.fixture
def two_workspaces(database: Database) -> Database:
    """Acme and globex with the same rows in every projection."""
    events = [
        workspace(),
        employee("e-1"),
        employment("e-1/1"),
        terms(),
        statement("period_started", "e-1", *JANUARY),
        statement("approved", "e-1", *JANUARY, by="e-2"),
    ]
    import_all(database, *of("acme", *events), *of("globex", *events))
    catch_up_all(database, "acme", "globex")
    return database


@pytest.mark.every_postgres
def test_every_table_with_workspaces_is_held_to_the_scope(database: Database) -> None:
    with database.owner() as connection:
        assert unprotected(connection) == []
        assert {"batch_jobs.events", "batch_jobs.events_0", "projections.definitions"} <= set(tables(connection))


@pytest.mark.parametrize(
    ("breach", "table"),
    [
        ("CREATE TABLE batch_jobs.bonuses (workspace_id text)", "batch_jobs.bonuses"),
        ("CREATE VIEW projections.pay AS SELECT * FROM projections.definitions", "projections.pay"),
        ("ALTER TABLE batch_jobs.events_3 DISABLE ROW LEVEL SECURITY", "batch_jobs.events_3"),
        ("DROP POLICY in_scope ON projections.definitions", "projections.definitions"),
        ("CREATE POLICY all_too_open ON batch_jobs.events USING (true)", "batch_jobs.events"),
    ],
)
def test_a_table_that_is_not_would_be_found(database: Database, breach: str, table: str) -> None:
    with database.owner() as connection:
        connection.execute(breach.encode())
        assert unprotected(connection) == [table]


def with_owners_rights(connection: Transaction) -> list[str]:
    connection.execute("SET LOCAL search_path = ''")
    return [name for (name,) in connection.execute(_WITH_OWNERS_RIGHTS)]


def test_the_functions_that_pass_by_the_policies_are_known(database: Database) -> None:
    with database.owner() as connection:
        assert set(with_owners_rights(connection)) == KNOWN
        connection.execute(
            "CREATE FUNCTION projections.everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT count(*) FROM projections.employee_directory'"
        )
        connection.execute("GRANT EXECUTE ON FUNCTION projections.everybody TO batch_jobs_worker")
        assert set(with_owners_rights(connection)) == KNOWN | {"projections.everybody()"}


def test_what_is_written_elsewhere_is_refused_in_every_table(two_workspaces: Database) -> None:
    with two_workspaces.owner() as connection:
        names = tables(connection)
        before = {name: connection.execute(_CONTENT.format(name), ["globex"]).fetchone() for name in names}
    for name in names:
        for breach in (
            "DELETE FROM {} WHERE workspace_id = 'globex'",
            "UPDATE {} SET workspace_id = 'acme' WHERE workspace_id = 'globex'",
            "UPDATE {} SET workspace_id = 'globex'",
            "INSERT INTO {0} SELECT * FROM {0} WHERE workspace_id = 'globex'",
            "TRUNCATE {}",
        ):
            with contextlib.suppress(psycopg.Error), two_workspaces.worker(["acme"]) as connection:
                connection.execute(breach.format(name).encode())
                # What was allowed concerned its own rows: undone for the next one.
                raise psycopg.Rollback
    for forged in ("globex", "acme,globex", "*", "%", "globex'", "{globex}"):
        for name in names:
            with contextlib.suppress(psycopg.Error), two_workspaces.worker(["acme"]) as connection:
                connection.execute("SELECT set_config('batch_jobs.workspaces', %s, true)", [forged])
                # Whoever writes SQL of his own can choose his scope; nobody gets more than the scope names.
                assert workspaces_in(connection, name) <= set(forged.split(","))
    with two_workspaces.owner() as connection:
        assert {name: connection.execute(_CONTENT.format(name), ["globex"]).fetchone() for name in names} == before


@pytest.mark.every_postgres
def test_a_worker_sees_its_scope_alone(two_workspaces: Database) -> None:
    with two_workspaces.owner() as connection:
        names = [name for name in tables(connection) if workspaces_in(connection, name) == {"acme", "globex"}]
    assert {"batch_jobs.workspaces", "batch_jobs.events", "batch_jobs.checkpoints"} <= set(names)
    assert {"batch_jobs.dead_letters", "projections.timesheet_statements", "projections.definitions"} <= set(names)
    names = [name for name in names if not name.startswith("batch_jobs.events_")]
    for scope in (["acme"], [], ["globex", "acme"], ["nobody"]):
        with two_workspaces.worker(scope) as connection:
            for name in names:
                assert workspaces_in(connection, name) == set(scope) - {"nobody"}, name
    with two_workspaces.reader() as connection:
        for name in names:
            assert workspaces_in(connection, name) == {"acme", "globex"}


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    "forbidden",
    [
        "INSERT INTO batch_jobs.workspaces (workspace_id) VALUES ('other')",
        "UPDATE projections.definitions SET workspace_id = 'globex'",
        "UPDATE batch_jobs.workspaces SET workspace_id = 'other' WHERE workspace_id = 'acme'",
        "DELETE FROM batch_jobs.events",
        "UPDATE batch_jobs.events SET actor = 'nobody'",
        "TRUNCATE projections.definitions",
        "SELECT * FROM batch_jobs.events_0",
        "INSERT INTO batch_jobs.job_runs (job, workspace_id, run_date, attempt, trigger, actor, dry_run, partial)"
        " VALUES ('j', 'acme', '2026-01-01', 1, 'manual', 'me', false, false)",
        "UPDATE batch_jobs.schema_version SET version_num = '0'",
        "CREATE TABLE batch_jobs.mine (x int)",
        "CREATE TABLE projections.mine (x int)",
        "ALTER TABLE projections.definitions DISABLE ROW LEVEL SECURITY",
        "DROP POLICY in_scope ON projections.definitions",
    ],
)
def test_a_worker_can_not(two_workspaces: Database, forbidden: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), two_workspaces.worker(["acme"]) as connection:
        connection.execute(forbidden.encode())


def test_what_a_worker_says_of_all_rows_concerns_its_scope(two_workspaces: Database) -> None:
    with two_workspaces.worker(["acme"]) as connection:
        assert connection.execute("DELETE FROM projections.definitions").rowcount > 0
        assert connection.execute("DELETE FROM batch_jobs.checkpoints WHERE workspace_id = 'globex'").rowcount == 0
    with two_workspaces.reader() as connection:
        assert workspaces_in(connection, "projections.definitions") == {"globex"}


@pytest.mark.every_postgres
def test_the_roles_have_no_more_than_they_need(database: Database) -> None:
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles "
            "WHERE rolname = ANY (%s) ORDER BY 1",
            [[WORKER, READER]],
        ).fetchall()
        assert rows == [(READER, *[False] * 5), (WORKER, *[False] * 5)]
        owned = connection.execute(
            "SELECT relname FROM pg_class WHERE relowner = ANY (%s::regrole[])", [[WORKER, READER]]
        ).fetchall()
        assert owned == []
        for name in tables(connection):
            writes = connection.execute(
                "SELECT has_any_column_privilege(%s, %s, 'INSERT, UPDATE') OR "
                "has_table_privilege(%s, %s, 'DELETE, TRUNCATE')",
                [READER, name, READER, name],
            ).fetchone()
            assert writes == (False,), name


def test_a_reader_writes_nothing(two_workspaces: Database) -> None:
    for forbidden in ("DELETE FROM projections.definitions", "CREATE TEMPORARY TABLE mine (x int)"):
        with pytest.raises(psycopg.Error), two_workspaces.reader() as connection:
            connection.execute(forbidden.encode())


@pytest.mark.parametrize(
    "forged",
    ["acme,globex", "{acme,globex}", "acme'); DELETE FROM batch_jobs.events; --", "", "acme\n", 'acme",globex', "ACME"],
)
def test_a_forged_scope_is_refused(two_workspaces: Database, forged: str) -> None:
    with pytest.raises(BadInputError, match="is no workspace id"), two_workspaces.worker([forged]):
        pass


def test_hostile_text_stays_text(two_workspaces: Database) -> None:
    hostile = "x'); SELECT set_config('batch_jobs.workspaces', 'globex', true); --"
    import_all(two_workspaces, employee(hostile, name=hostile))
    catch_up_all(two_workspaces)
    with two_workspaces.worker(["acme"]) as connection:
        rows = connection.execute("SELECT name FROM projections.employee_directory WHERE employee_id = %s", [hostile])
        assert rows.fetchall() == [(hostile,)]
        assert workspaces_in(connection, "batch_jobs.events") == {"acme"}


def test_the_scope_ends_with_the_transaction(two_workspaces: Database) -> None:
    with two_workspaces.worker(["acme"]):
        pass
    with two_workspaces.owner() as connection:
        row = connection.execute("SELECT current_user, current_setting('batch_jobs.workspaces', true)").fetchone()
        assert row
        assert row[0] != WORKER
        assert not row[1]
