"""Nothing in the database lets one workspace at another's rows: what there is is found in the catalogue."""

import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.store.catalogue import (
    open_relations,
    schemas,
    shared_keys,
    tables,
    unprotected,
    with_owners_rights,
)

# The search, and what deletes a workspace, keep to the scope by themselves. The others are for purging Dagster's
# storage. Its rows are of runs of any workspaces, and no policy holds them: one function tells whether there are old
# ones, the other deletes none of the last seven days.
KNOWN_FUNCTIONS = {
    "search.find(text,text[],integer)",
    "batch_jobs.purge_workspace(text)",
    "batch_jobs.orchestrator_has_older(timestamp with time zone)",
    "batch_jobs.purge_orchestrator(timestamp with time zone,integer)",
}
# Who is at work: no workspace's rows.
KNOWN_RELATIONS = {"batch_jobs.workers"}
# By random ids of our own making. Row errors hang on runs of the same workspace by a policy of their own.
KNOWN_KEYS = {
    "batch_jobs.job_runs_pkey",
    "batch_jobs.job_run_errors_pkey",
    "job_run_errors_job_run_id_fkey",
}


@pytest.mark.every_postgres
def test_every_table_with_workspaces_is_held_to_the_scope(database: Database) -> None:
    with database.owner() as connection:
        assert unprotected(connection) == []
        assert {"batch_jobs.events", "batch_jobs.events_0", "projections.definitions"} <= set(tables(connection))


@pytest.mark.parametrize(
    ("breach", "table"),
    [
        ("CREATE TABLE batch_jobs.bonuses (workspace_id text)", "batch_jobs.bonuses"),
        ("CREATE TABLE public.bonuses (workspace_id text)", "public.bonuses"),
        ("CREATE VIEW projections.pay AS SELECT * FROM projections.definitions", "projections.pay"),
        ("CREATE MATERIALIZED VIEW search.pay AS SELECT * FROM projections.definitions", "search.pay"),
        ("ALTER TABLE batch_jobs.events_3 DISABLE ROW LEVEL SECURITY", "batch_jobs.events_3"),
        ("DROP POLICY in_scope ON projections.definitions", "projections.definitions"),
        ("CREATE POLICY all_too_open ON batch_jobs.events USING (true)", "batch_jobs.events"),
        ("CREATE POLICY wide ON batch_jobs.events TO batch_jobs_worker USING (true)", "batch_jobs.events"),
        ("CREATE POLICY wide ON batch_jobs.events FOR SELECT TO batch_jobs_worker USING (true)", "batch_jobs.events"),
        (
            "CREATE POLICY wide ON batch_jobs.events FOR INSERT TO batch_jobs_worker WITH CHECK (true)",
            "batch_jobs.events",
        ),
        ("ALTER POLICY in_scope ON batch_jobs.outbox WITH CHECK (true)", "batch_jobs.outbox"),
        ("ALTER POLICY in_scope ON batch_jobs.outbox TO PUBLIC", "batch_jobs.outbox"),
        ("CREATE POLICY wide ON batch_jobs.outbox TO batch_jobs_reader USING (true)", "batch_jobs.outbox"),
    ],
)
def test_a_table_that_is_not_would_be_found(database: Database, breach: str, table: str) -> None:
    with database.owner() as connection:
        connection.execute(breach.encode())
        assert unprotected(connection) == [table]


@pytest.mark.every_postgres
def test_what_names_no_workspace_is_not_open_to_jobs(database: Database) -> None:
    with database.owner() as connection:
        assert set(open_relations(connection)) == KNOWN_RELATIONS


@pytest.mark.parametrize(
    ("make", "grant"),
    [
        ("TABLE projections.sums (x int)", "SELECT ON projections.sums TO batch_jobs_worker"),
        ("TABLE projections.sums (x int)", "SELECT (x) ON projections.sums TO batch_jobs_reader"),
        ("TABLE projections.sums (x int)", "TRIGGER ON projections.sums TO PUBLIC"),
        ("VIEW projections.sums AS SELECT count(*) FROM batch_jobs.events", "SELECT ON projections.sums TO PUBLIC"),
        (
            "MATERIALIZED VIEW projections.sums AS SELECT count(*) FROM batch_jobs.events",
            "SELECT ON projections.sums TO batch_jobs_worker",
        ),
        ("SEQUENCE projections.sums", "USAGE ON projections.sums TO batch_jobs_worker"),
    ],
)
def test_one_that_is_would_be_found(database: Database, make: str, grant: str) -> None:
    with database.owner() as connection:
        connection.execute(f"CREATE {make}".encode())
        assert set(open_relations(connection)) == KNOWN_RELATIONS
        connection.execute(f"GRANT {grant}".encode())
        assert set(open_relations(connection)) == KNOWN_RELATIONS | {"projections.sums"}


def test_the_functions_that_pass_by_the_policies_are_known(database: Database) -> None:
    with database.owner() as connection:
        assert set(with_owners_rights(connection)) == KNOWN_FUNCTIONS
        # Everybody may call a new function.
        connection.execute(
            "CREATE FUNCTION projections.everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
            "AS 'SELECT count(*) FROM projections.employee_directory'"
        )
        connection.execute(
            "CREATE FUNCTION batch_jobs.shout() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN END'"
        )
        assert set(with_owners_rights(connection)) == KNOWN_FUNCTIONS | {
            "projections.everybody()",
            "batch_jobs.shout()",
        }


@pytest.mark.every_postgres
def test_jobs_make_nothing_and_look_into_their_own_schemas_alone(database: Database) -> None:
    with database.owner() as connection:
        assert schemas(connection, "CREATE") == []
        ours = ["batch_jobs", "projections", "search"]
        assert set(schemas(connection, "USAGE")) - {"public"} == {*ours, "information_schema", "pg_catalog"}
        connection.execute("CREATE SCHEMA more")
        assert "more" not in schemas(connection, "USAGE")
        connection.execute("GRANT USAGE ON SCHEMA more TO PUBLIC")
        assert "more" in schemas(connection, "USAGE")
        # Whatever is made later belongs to its owner alone.
        assert connection.execute("SELECT count(*) FROM pg_default_acl").fetchone() == (0,)


@pytest.mark.every_postgres
def test_workspaces_share_no_key(database: Database) -> None:
    with database.owner() as connection:
        assert set(shared_keys(connection)) == KNOWN_KEYS
        connection.execute("CREATE UNIQUE INDEX everywhere ON batch_jobs.outbox (notification_id)")
        assert set(shared_keys(connection)) == KNOWN_KEYS | {"batch_jobs.everywhere"}
