"""Writing many rows of a projection's table at once, and counting what really changed. No projection's columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from psycopg import sql

from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a projection, written by its plain name.

    Attributes:
        name: without its schema.
        key: the columns of its primary key, `workspace_id` first.
        columns: the others.
        written_by: columns in whose order many rows are written at once, since they are read in it: rows that stand
            side by side are on few pages. Empty for any order.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    written_by: tuple[str, ...] = ()


_INDEXES = """
    SELECT k.conname, c.relname, coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
    WHERE i.indrelid = to_regclass(%s)
"""

RowChanges: TypeAlias = Counter[str]
"""How many rows of each workspace are not as they were: added, changed or removed. Those that fill an empty table of a
rebuild are not counted: they are compared with the rows that serve.
"""


def changed_rows(
    connection: Transaction, statement: str | sql.Composable, values: Mapping[str, Any] | None = None
) -> RowChanges:
    """Run a statement that writes rows and returns the `workspace_id` of each, and count them where they are."""
    part = sql.SQL(statement) if isinstance(statement, str) else statement
    counting = sql.SQL("WITH changed AS ({}) SELECT workspace_id, count(*) FROM changed GROUP BY 1").format(part)
    return RowChanges(dict(connection.execute(counting, values).fetchall()))


def replace_rows(
    connection: Transaction, table: Table, rows: Iterable[Sequence[Any]], *, of: str | None = None
) -> RowChanges:
    """Make these the rows of the table, leaving equal ones untouched.

    Args:
        connection: a transaction whose search path finds the table.
        table: where to.
        rows: values in the order of key and columns, each key once.
        of: a relation with leading columns of the key; rows of the table that match it and are not among `rows` are
            removed. None removes nothing.
    """
    names = [*table.key, *table.columns]
    with filling(connection, table) as is_empty:
        if is_empty:
            copy_rows(connection, table.name, names, rows)
            return RowChanges()
    stage = sql.Identifier(f"new_{table.name}")
    target = sql.Identifier(table.name)
    temporary_table(
        connection,
        f"new_{table.name}",
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA").format(
            stage, listed(names), target
        ),
    )
    copy_rows(connection, f"new_{table.name}", names, rows)
    removed = _remove_missing(connection, table, of) if of else RowChanges()
    return removed + upsert_rows(connection, table, sql.SQL("SELECT {} FROM {}").format(listed(names), stage))


def upsert_rows(
    connection: Transaction,
    table: Table,
    query: str | sql.Composable,
    values: Mapping[str, Any] | None = None,
    *,
    update: str | None = None,
) -> RowChanges:
    """Write what a query gives into the table, over the row that has the same key.

    Args:
        connection: a transaction whose search path finds the table.
        table: where to.
        query: gives key and columns in the order of the table, each key once.
        values: of its placeholders.
        update: what becomes of a row that is there, as SQL after `ON CONFLICT … DO`; None to give it the new values
            where they differ.
    """
    target, names = sql.Identifier(table.name), [*table.key, *table.columns]
    part = sql.SQL(query) if isinstance(query, str) else query
    insert = sql.SQL("INSERT INTO {} ({}) {}").format(target, listed(names), part)
    with filling(connection, table) as is_empty:
        if is_empty:
            # To look for rows that can not be there, and to give back each row only to count it, takes as long again.
            connection.execute(insert, values)
            return RowChanges()
    conflict = sql.SQL("{} ON CONFLICT ({}) DO {} RETURNING workspace_id").format(
        insert, listed(table.key), sql.SQL(update) if update else _update_changed(table)
    )
    return changed_rows(connection, conflict, values)


def is_empty_beside(connection: Transaction, table: Table) -> bool:
    """Whether the plain name means a temporary table (that of a rebuild) without any row: nothing is to be compared."""
    beside = "SELECT FROM pg_class WHERE oid = to_regclass(%s) AND relpersistence = 't'"
    target = sql.Identifier(table.name)
    return bool(
        connection.execute(beside, [target.as_string(connection)]).rowcount
        and not connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(target)).rowcount
    )


@contextmanager
def filling(connection: Transaction, table: Table) -> Iterator[bool]:
    """Write into a table that may be an empty one beside (see `is_empty_beside`; the block is told). Where it is, its
    keys and indexes are built at the end of a block that ends well: sorted once, not row by row.
    """
    if not is_empty_beside(connection, table):
        yield False
        return
    target = sql.Identifier(table.name)
    indexes = connection.execute(_INDEXES, [target.as_string(connection)]).fetchall()
    for constraint, index, _ in indexes:
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}") if constraint else sql.SQL("DROP INDEX pg_temp.{1}")
        connection.execute(drop.format(target, sql.Identifier(constraint or index)))
    yield True
    for constraint, _, definition in indexes:
        add = sql.SQL("ALTER TABLE {} ADD {}").format(target, sql.SQL(definition)) if constraint else definition
        connection.execute(add)


def copy_rows(connection: Transaction, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Load rows into a table by COPY."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), listed(columns))
    # Made before: a generator that asks the same connection while COPY holds it would wait for ever.
    rows = list(rows)
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _remove_missing(connection: Transaction, table: Table, of: str) -> RowChanges:
    scope = connection.execute(sql.SQL("SELECT * FROM {} WHERE false").format(sql.Identifier(of)))
    scope_columns = [column.name for column in scope.description or ()]
    return changed_rows(
        connection,
        sql.SQL(
            "DELETE FROM {} t USING {} s WHERE {} AND NOT EXISTS (SELECT FROM {} n WHERE {}) RETURNING t.workspace_id"
        ).format(
            sql.Identifier(table.name),
            sql.Identifier(of),
            equal("t", "s", scope_columns),
            sql.Identifier(f"new_{table.name}"),
            equal("t", "n", table.key),
        ),
    )


def _update_changed(table: Table) -> sql.Composable:
    if not table.columns:
        return sql.SQL("NOTHING")
    return sql.SQL("UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})").format(
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in table.columns),
        sql.SQL(", ").join(sql.Identifier(table.name, name) for name in table.columns),
        sql.SQL(", ").join(sql.Identifier("excluded", name) for name in table.columns),
    )


def listed(names: Iterable[str]) -> sql.Composable:
    """Columns with commas between them."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def equal(left: str, right: str, names: Iterable[str]) -> sql.Composable:
    """The condition that two relations agree in columns."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in names
    )
