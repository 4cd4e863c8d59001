"""What a command says of an error of the database."""

import psycopg
import pytest

from batch_jobs.cli.failures import BAD_INPUT, exit_code

STOPPED = "the database did not do it: canceling statement due to"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SET statement_timeout = 50; SELECT pg_sleep(60)", f"{STOPPED} statement timeout (SQLSTATE 57014); "),
        ("SET lock_timeout = 50; TABLE held", f"{STOPPED} lock timeout LINE 1"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "the connection to the database was lost: terminating"),
    ],
)
def test_only_a_lost_connection_is_called_lost(
    url: str, capsys: pytest.CaptureFixture[str], statement: str, said: str
) -> None:
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE held ()")
        holder.execute("LOCK TABLE held")
        assert exit_code(lambda: connection.execute(statement)) == BAD_INPUT
    assert capsys.readouterr().err.startswith(f"batch-jobs: {said}")
