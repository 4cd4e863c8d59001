"""The orchestrator's storage names workspaces and people who started runs: no job reads it."""

import pytest
from dagster import DagsterInstance
from psycopg import errors, sql

from batch_jobs.settings import read_settings
from batch_jobs.store.database import Database
from batch_jobs.store.schema import migrate
from batch_jobs_tests.store.catalogue import open_relations, schemas, with_owners_rights
from batch_jobs_tests.store.test_catalogue import KNOWN_FUNCTIONS, KNOWN_RELATIONS

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'dagster' ORDER BY 1"


def test_jobs_do_not_reach_it(instance: DagsterInstance) -> None:
    # It makes its tables when they are first asked for.
    instance.get_runs_count()
    instance.all_asset_keys()
    assert instance.schedule_storage
    with Database(read_settings().database_url or "") as database:
        migrate(database)
        with database.owner() as connection:
            names = [name for (name,) in connection.execute(_TABLES)]
            assert {"runs", "event_logs", "job_ticks"} <= set(names)
            assert "dagster" not in {*schemas(connection, "USAGE"), *schemas(connection, "CREATE")}
            assert set(open_relations(connection)) == KNOWN_RELATIONS
            assert set(with_owners_rights(connection)) == KNOWN_FUNCTIONS
        for name in names:
            statement = sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier("dagster", name))
            with pytest.raises(errors.InsufficientPrivilege), database.worker(["acme"]) as connection:
                connection.execute(statement)
            with pytest.raises(errors.InsufficientPrivilege), database.reader() as connection:
                connection.execute(statement)
