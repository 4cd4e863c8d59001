"""Temporary tables: those that outlive their transaction, as new ones churn the catalog, and statistics of all."""

from collections.abc import Sequence

from psycopg import sql

from batch_jobs.store.database import Transaction
from batch_jobs.store.isolation import WORKER


def temporary_table(connection: Transaction, name: str, create: str | sql.Composed) -> None:
    """Begin an empty temporary table, in whichever role the transaction runs.

    Args:
        connection: any transaction but a reader's.
        name: the table's name.
        create: `CREATE TEMPORARY TABLE name … ON COMMIT DELETE ROWS …`, run when the connection does not have it yet.
    """
    table = sql.Identifier("pg_temp", name)
    row = connection.execute("SELECT to_regclass(%s)", [table.as_string(connection)]).fetchone()
    if row and row[0]:
        # Nearly always empty since the last commit. To look costs a tenth of TRUNCATE, which makes new files.
        if connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(table)).rowcount:
            connection.execute(sql.SQL("TRUNCATE {}").format(table))
        return
    connection.execute(create.encode() if isinstance(create, str) else create)
    # A pooled connection may serve the owner first and a worker later, who could not use the owner's table. The owner
    # is a member of the worker role, so that both can use the worker's.
    connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, sql.Identifier(WORKER)))


def analyze(connection: Transaction, name: str, columns: Sequence[str] = ()) -> None:
    """Tell the planner what is in a temporary table, which nobody else does. A small sample will do: what is to be
    known is whether rows are few or many, and full ones took a tenth of the time of a plain fold.

    Args:
        connection: any transaction but a reader's.
        name: the table's name.
        columns: those that are compared, none for all.
    """
    listed = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    connection.execute(
        sql.SQL(
            "SET LOCAL default_statistics_target = 10; ANALYZE {}{}; SET LOCAL default_statistics_target = DEFAULT"
        ).format(sql.Identifier("pg_temp", name), listed)
    )
