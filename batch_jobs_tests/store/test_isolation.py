"""Nobody reads or writes another workspace's rows: held by the database, for every table there is."""

import psycopg
import pytest
from psycopg import errors

from batch_jobs.store.database import Database
from batch_jobs.store.isolation import READER, WORKER
from batch_jobs_tests.store.catalogue import tables
from batch_jobs_tests.store.workspace_pair import NAMES, readable, workspaces_in

_CONTENT = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t WHERE workspace_id = %s"

# A row of a worker's own as it would be another workspace's.
_COPY = """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM (
        SELECT (jsonb_populate_record(t, '{{"workspace_id": "zeta"}}')).* FROM {table} t LIMIT 1
    ) copied
"""
_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


def test_what_is_written_elsewhere_is_refused_in_every_table(two_workspaces: Database) -> None:
    """Each breach is refused, or is about no row: what others have stays as it is, and nobody gets any."""
    with two_workspaces.owner() as connection:
        names = tables(connection)
        columns = {name: connection.execute(_COLUMNS, [name]).fetchone() for name in names}
        contents = {name: connection.execute(_CONTENT.format(name), ["globex"]).fetchone() for name in names}
        filled = {name for name in names if workspaces_in(connection, name) == set(NAMES)}
    # Of partitions each has one of both at the most.
    assert {name for name in names if not name.startswith("batch_jobs.events_")} <= filled
    refused = set()
    for name in names:
        for breach in (
            "DELETE FROM {table} WHERE workspace_id = 'globex'",
            "UPDATE {table} SET workspace_id = 'acme' WHERE workspace_id = 'globex'",
            "UPDATE {table} SET workspace_id = 'zeta'",
            "TRUNCATE {table}",
            _COPY,
        ):
            statement = breach.format(table=name, columns=(columns[name] or ("",))[0])
            try:
                with two_workspaces.worker(["acme"]) as connection:
                    connection.execute(statement.encode())
                    # What was allowed concerned its own rows: undone for the next one.
                    raise psycopg.Rollback
            except errors.InsufficientPrivilege:
                refused.add((name, breach))
    assert {name for name, breach in refused if breach == _COPY} >= filled
    assert {name for name, breach in refused if breach.startswith("TRUNCATE")} == set(names)
    with two_workspaces.owner() as connection:
        for name in names:
            assert connection.execute(_CONTENT.format(name), ["globex"]).fetchone() == contents[name]
            assert "zeta" not in workspaces_in(connection, name)


def test_row_errors_hang_on_runs_of_their_own_workspace(two_workspaces: Database) -> None:
    statement = (
        "INSERT INTO batch_jobs.job_run_errors (job_run_id, number, workspace_id, row_id, entity, entity_id, error, "
        "message) SELECT job_run_id, 2, 'acme', 'r', 'e', 'i', 'x', 'x' FROM unnest(%s::uuid[]) job_run_id"
    )
    with two_workspaces.owner() as connection:
        rows = connection.execute("SELECT workspace_id, job_run_id FROM batch_jobs.job_runs").fetchall()
    ids = dict(rows)
    with two_workspaces.worker(["acme"]) as connection:
        connection.execute(statement, [[ids["acme"]]])
    with pytest.raises(errors.InsufficientPrivilege), two_workspaces.worker(["acme"]) as connection:
        connection.execute(statement, [[ids["globex"]]])


@pytest.mark.every_postgres
def test_a_worker_sees_its_scope_alone(two_workspaces: Database) -> None:
    names = readable(two_workspaces)
    with two_workspaces.owner() as connection:
        others = {name for name in tables(connection) if name not in names}
    assert {name for name in others if not name.startswith("batch_jobs.events_")} == {"batch_jobs.schedule_cursors"}
    for scope in (["acme"], [], ["globex", "acme"], ["nobody"]):
        with two_workspaces.worker(scope) as connection:
            for name in names:
                assert workspaces_in(connection, name) == set(scope) - {"nobody"}, name
        for name in others:
            with pytest.raises(errors.InsufficientPrivilege), two_workspaces.worker(scope) as connection:
                workspaces_in(connection, name)
    with two_workspaces.reader() as connection:
        for name in names:
            assert workspaces_in(connection, name) == set(NAMES)


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
