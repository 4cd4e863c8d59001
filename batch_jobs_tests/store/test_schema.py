"""The schema goes up and down step by step, and refuses where it can not or must not go."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batch_jobs.errors import UnavailableError
from batch_jobs.store.database import Database
from batch_jobs.store.embedded.cluster import SUPERUSER
from batch_jobs.store.schema import MIGRATIONS, check_version, migrate, newest_version, version
from batch_jobs_tests.builders import employee, import_all, workspace
from batch_jobs_tests.postgres import Databases
from batch_jobs_tests.projections.catching_up import catch_up_all, everything

STEPS = sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
_MIGRATE = "import sys; from batch_jobs.store import database, schema; schema.migrate(database.Database(sys.argv[1]))"

# Everything that a migration makes, in words that compare.
_CATALOGUE = """
    SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull::text
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE attnum > 0 AND NOT attisdropped AND relnamespace::regnamespace::text IN ('batch_jobs', 'projections')
    UNION ALL
    SELECT 'grants', c.oid::regclass::text, relkind::text, relacl::text, relrowsecurity::text
    FROM pg_class c WHERE relnamespace::regnamespace::text IN ('batch_jobs', 'projections')
    UNION ALL
    SELECT 'policy', polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid), polroles::regrole[]::text
    FROM pg_policy
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), ''
    FROM pg_constraint WHERE connamespace::regnamespace::text IN ('batch_jobs', 'projections')
    UNION ALL
    SELECT 'function', oid::regprocedure::text, prosecdef::text, pg_get_functiondef(oid), proacl::text
    FROM pg_proc WHERE pronamespace::regnamespace::text IN ('batch_jobs', 'projections', 'search') AND prokind = 'f'
    ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def empty(make_database: Callable[..., str]) -> Iterator[Database]:
    with Database(make_database()) as database:
        yield database


def catalogue(database: Database) -> list[Any]:
    with database.owner() as connection:
        return connection.execute(_CATALOGUE).fetchall()


@pytest.mark.every_postgres
def test_each_step_up_down_and_up_again(empty: Database) -> None:
    assert version(empty) is None
    states = [[]]
    for step in STEPS:
        migrate(empty, step)
        assert version(empty) == step
        states.append(catalogue(empty))
    for step, state in zip(reversed(["base", *STEPS[:-1]]), reversed(states[:-1]), strict=True):
        migrate(empty, step)
        assert version(empty) == (None if step == "base" else step)
        assert [row for row in catalogue(empty) if "schema_version" not in row[1]] == [
            row for row in state if "schema_version" not in row[1]
        ]
    migrate(empty)
    assert version(empty) == newest_version()
    assert catalogue(empty) == states[-1]
    migrate(empty)
    check_version(empty)


def test_projections_that_went_come_back_from_the_events(database: Database) -> None:
    import_all(database, workspace(), employee("e-1"))
    catch_up_all(database)
    before = everything(database)
    migrate(database, "0001")
    migrate(database)
    catch_up_all(database)
    assert everything(database) == before
    assert before["employee_directory"]


def test_no_schema_and_an_old_one_are_named_with_the_remedy(empty: Database) -> None:
    with pytest.raises(UnavailableError, match="has no batch_jobs schema yet; run: batch-jobs init"):
        check_version(empty)
    migrate(empty, "0001")
    with pytest.raises(UnavailableError, match=f"schema version 0001, but this code needs {newest_version()}; run: "):
        check_version(empty)


def test_a_schema_newer_than_the_code_is_refused(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.schema_version SET version_num = '9999'")
    for refuse in (check_version, migrate):
        with pytest.raises(UnavailableError, match="has schema version 9999, but this code knows versions up to"):
            refuse(database)
    assert version(database) == "9999"


@pytest.mark.every_postgres
@pytest.mark.parametrize("owns_database", [True, False])
def test_a_user_who_may_not_is_told_what_to_grant(
    databases: Databases, make_database: Callable[..., str], *, owns_database: bool
) -> None:
    url = make_database()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(databases.server.url_of("postgres", SUPERUSER), autocommit=True) as connection:
        connection.execute("CREATE ROLE weak LOGIN")
        try:
            if owns_database:
                connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO weak").format(sql.Identifier(str(name))))
            with (
                Database(databases.server.url_of(str(name), "weak")) as database,
                pytest.raises(UnavailableError, match=r"permission denied|must have admin option") as caught,
            ):
                migrate(database)
            assert "grant it CREATE on the database and CREATEROLE" in str(caught.value)
            with Database(url) as database:
                if owns_database:
                    with pytest.raises(UnavailableError, match="may not read the schema batch_jobs"):
                        version(database)
                else:
                    assert version(database) is None
        finally:
            databases.drop_database(url)
            connection.execute("DROP ROLE weak")


def test_two_processes_at_once(empty: Database) -> None:
    started = [subprocess.Popen([sys.executable, "-c", _MIGRATE, empty.url]) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    check_version(empty)


def test_an_unreachable_database_is_named_without_its_password() -> None:
    database = Database("postgresql://somebody:secret@127.0.0.1:1/nowhere")
    for use in (version, migrate):
        with pytest.raises(UnavailableError, match="can not be reached") as caught:
            use(database)
        assert "somebody:***@127.0.0.1:1/nowhere" in str(caught.value)
        assert "secret" not in str(caught.value)
