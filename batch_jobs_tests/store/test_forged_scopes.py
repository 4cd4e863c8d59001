"""A scope names workspaces, and whatever else is written there is no workspace; nor does text become SQL."""

import psycopg
import pytest
from psycopg import errors, sql

from batch_jobs.errors import BadInputError
from batch_jobs.search.querying import query
from batch_jobs.store.database import Database
from batch_jobs.store.isolation import WORKER
from batch_jobs_tests.builders import employee, import_all
from batch_jobs_tests.projections.catching_up import catch_up_all
from batch_jobs_tests.store.workspace_pair import readable, workspaces_in

_FORGED = (
    *("globex", "acme,globex", "*", "%", "", ",", " globex", "globex'", "{globex}", '"globex"', "GLOBEX", "globex;"),
    *("globex' OR 'x' = 'x", "acme) OR (true", "NULL", "glob_x", "globex\n", "acme,,globex", "../globex", "0 OR 1=1"),
)


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    "way",
    [
        "SELECT set_config('batch_jobs.workspaces', %s, true)",
        "SELECT set_config('batch_jobs.workspaces', %s, false)",
        "SET LOCAL batch_jobs.workspaces = {}",
        "SET SESSION batch_jobs.workspaces = {}",
    ],
)
def test_nobody_gets_more_than_the_scope_names(two_workspaces: Database, way: str) -> None:
    """Whoever writes SQL of his own can choose his scope; it is a list of names, and matches nothing but them."""
    names = readable(two_workspaces)
    for forged in _FORGED:
        with two_workspaces.worker(["acme"]) as connection:
            if "%s" in way:
                connection.execute(way, [forged])
            else:
                connection.execute(sql.SQL(way).format(sql.Literal(forged)))
            for name in names:
                assert workspaces_in(connection, name) == set(forged.split(",")) & {"acme", "globex"}, (name, forged)
        # It ends with the transaction, and so does what was set for the session: the next one names its own.
        with two_workspaces.worker(["acme"]) as connection:
            assert workspaces_in(connection, "batch_jobs.events") == {"acme"}


def test_a_scope_set_within_a_function_is_no_wider(two_workspaces: Database) -> None:
    with pytest.raises(errors.InsufficientPrivilege), two_workspaces.worker(["acme"]) as connection:
        connection.execute(
            "CREATE FUNCTION pg_temp.peek() RETURNS SETOF text LANGUAGE sql SET batch_jobs.workspaces = 'globex' "
            "AS 'SELECT workspace_id FROM batch_jobs.events'"
        )
    with two_workspaces.worker(["acme"]) as connection:
        connection.execute(
            "CREATE FUNCTION pg_temp.peek() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM set_config('batch_jobs.workspaces', '*', true); "
            "RETURN QUERY SELECT workspace_id FROM batch_jobs.events; END $$"
        )
        assert connection.execute("SELECT * FROM pg_temp.peek()").fetchall() == []
        # Functions and operators of one's own do not take the place of those in policies.
        for signature in ("scope()", "unnest(text[])"):
            connection.execute(
                f"CREATE FUNCTION pg_temp.{signature} RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'globex' $$".encode()
            )
        connection.execute("SET LOCAL search_path = pg_temp, batch_jobs, pg_catalog")
        assert workspaces_in(connection, "batch_jobs.events") == set()


def test_the_functions_with_their_owners_rights_keep_to_the_scope(two_workspaces: Database) -> None:
    for scope, forged in ((["acme"], None), (["acme"], "acme,globex"), (["acme"], "*"), (["acme"], "")):
        with two_workspaces.worker(scope) as connection:
            if forged is not None:
                connection.execute("SELECT set_config('batch_jobs.workspaces', %s, true)", [forged])
            try:
                with connection.transaction():
                    found = query(connection, "employees", "e-1")
            except errors.InvalidParameterValue:
                assert forged in ("acme,globex", "")
            else:
                assert len(found) == (1 if forged is None else 0)
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("SELECT batch_jobs.purge_workspace('globex')")
            raise psycopg.Rollback
    for index in ("employees' --", 'employees" --', "../batch_jobs.events", "employees_pkey", "batch_jobs.events"):
        with two_workspaces.worker(["acme"]) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT * FROM search.find(%s, ARRAY['x'])", [index])


def test_who_becomes_the_owner_in_his_transaction_is_none_in_the_next(two_workspaces: Database) -> None:
    """A connection is the owner's: policies stop wrong SQL, not SQL that somebody smuggles in. It must not last."""
    for escape in ("RESET ROLE", "SET ROLE NONE", "SET SESSION ROLE batch_jobs_reader", "SET LOCAL ROLE NONE"):
        with two_workspaces.worker(["acme"]) as connection:
            connection.execute(escape.encode())
        with two_workspaces.worker(["acme"]) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (WORKER,)
            assert workspaces_in(connection, "batch_jobs.events") == {"acme"}
        with two_workspaces.owner() as connection:
            row = connection.execute("SELECT current_user = session_user").fetchone()
            assert row == (True,), escape


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
