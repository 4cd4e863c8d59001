"""The databases that tests get: fresh, filled from templates, owned by the application's role, on both builds."""

from collections.abc import Callable

import psycopg
import pytest

from batch_jobs_tests.postgres import MACHINE, Databases, machine_binaries

MakeDatabase = Callable[..., str]


def test_databases_do_not_see_each_other(make_database: MakeDatabase) -> None:
    with psycopg.connect(make_database()) as first, psycopg.connect(make_database()) as second:
        first.execute("CREATE TABLE mine (x int)")
        assert second.execute("SELECT to_regclass('mine')").fetchone() == (None,)


@pytest.mark.every_postgres
def test_a_template_is_filled_once_and_copied(databases: Databases, make_database: MakeDatabase) -> None:
    filled: list[str] = []

    def fill(url: str) -> None:
        filled.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE counted AS SELECT generate_series(1, 3) AS n")

    for _ in range(2):
        with psycopg.connect(make_database(databases.template("counted", fill))) as connection:
            assert connection.execute("SELECT count(*) FROM counted").fetchone() == (3,)
            connection.execute("DELETE FROM counted")
    assert len(filled) == 1


@pytest.mark.every_postgres
def test_the_application_role_owns_without_being_superuser(make_database: MakeDatabase) -> None:
    with psycopg.connect(make_database()) as connection:
        connection.execute("CREATE SCHEMA own")
        connection.execute("CREATE ROLE reader_of_test NOLOGIN")
        connection.execute("GRANT reader_of_test TO batch_jobs")
        connection.execute("SET ROLE reader_of_test")
        assert connection.execute("SELECT current_user").fetchone() == ("reader_of_test",)
        connection.execute("RESET ROLE")
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert superuser == (False,)
        connection.rollback()


@pytest.mark.every_postgres
def test_each_build_is_what_it_says(databases: Databases, postgres_build: str) -> None:
    with psycopg.connect(databases.server.url_of("postgres", "postgres")) as connection:
        row = connection.execute("SELECT setting FROM pg_config() WHERE name = 'BINDIR'").fetchone()
    assert row is not None
    assert (row[0] == str(machine_binaries())) == (postgres_build == MACHINE)
