"""Damage done by hand to any table of a projection: one row changed, one added, one taken away, by column type."""

from typing import Any

from psycopg import sql

from batch_jobs.engine.drift import columns_of
from batch_jobs.engine.tables import Table
from batch_jobs.store.database import Database, Transaction

# What a value is replaced by, which is never itself; and, where there is no value, what is put there.
OTHER = {
    "text": ("{0} || 'x'", "'x'"),
    "text[]": ("{0} || 'x'::text", "'{{x}}'::text[]"),
    "integer[]": ("{0} || 1", "'{{1}}'::integer[]"),
    "smallint[]": ("{0} || 1::smallint", "'{{1}}'::smallint[]"),
    "boolean": ("NOT {0}", "true"),
    "date": ("{0} + 1", "DATE '2026-01-01'"),
    "timestamp with time zone": ("{0} + interval '1 day'", "now()"),
    "jsonb": ("jsonb_build_object('was', {0})", """'{{"x": 1}}'::jsonb"""),
    "tsvector": ("{0} || 'x'::tsvector", "'x'::tsvector"),
    **dict.fromkeys(("bigint", "integer", "smallint", "numeric"), ("{0} + 1000", "1000")),
}
# Columns with few values that are allowed: another one of them.
CHOICES = {"scheduled_changes.state": "CASE {0} WHEN 'applied' THEN 'scheduled' ELSE 'applied' END"}

Key = dict[str, Any]


def change_a_row(database: Database, schema: str, table: Table, workspace_id: str) -> tuple[Key, set[str]]:
    """Change every column beside the key of the workspace's first row. Returns its key and all that now differs."""
    with database.owner() as connection:
        before = _first(connection, schema, table, workspace_id)
        others = _others(connection, schema, table)
        if not others:
            return {}, set()
        connection.execute(
            sql.SQL("UPDATE {} SET {} WHERE {}").format(
                sql.Identifier(schema, table.name),
                sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), to) for name, to in others.items()),
                _is(table, before),
            )
        )
        after = _first(connection, schema, table, workspace_id)
    return _key(table, before), {name for name in before if before[name] != after[name]}


def add_a_row(database: Database, schema: str, table: Table, workspace_id: str) -> Key:
    """Add a row that no event explains: the workspace's first one with every value another. Returns its key."""
    with database.owner() as connection:
        other = _others(connection, schema, table, keys=True)
        row = connection.execute(
            sql.SQL(
                "INSERT INTO {table} (workspace_id, {names}) SELECT workspace_id, {values} FROM {table} "
                "WHERE workspace_id = {workspace_id} ORDER BY {key} LIMIT 1 RETURNING to_jsonb({plain})"
            ).format(
                table=sql.Identifier(schema, table.name),
                plain=sql.Identifier(table.name),
                names=sql.SQL(", ").join(map(sql.Identifier, other)),
                values=sql.SQL(", ").join(other.values()),
                workspace_id=workspace_id,
                key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
            )
        ).fetchone()
    assert row
    return _key(table, row[0])


def remove_a_row(database: Database, schema: str, table: Table, workspace_id: str) -> Key:
    """Delete the workspace's first row. Returns its key."""
    with database.owner() as connection:
        row = _first(connection, schema, table, workspace_id)
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {}").format(sql.Identifier(schema, table.name), _is(table, row))
        )
    return _key(table, row)


def _others(connection: Transaction, schema: str, table: Table, *, keys: bool = False) -> dict[str, sql.Composable]:
    """Another value for each column that can be written, the keys left out unless they are asked for."""
    types: dict[str, str] = dict(
        connection.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%s) AND attnum > 0",
            [f"{schema}.{table.name}"],
        ).fetchall()
    )
    fixed = {"workspace_id"} if keys else set(table.key)
    return {
        name: _other(f"{table.name}.{name}", types[name], sql.Identifier(name))
        for name, is_generated in columns_of(connection, schema, table).items()
        if not is_generated and name not in fixed
    }


def _other(column: str, of_type: str, name: sql.Identifier) -> sql.Composable:
    if column in CHOICES:
        return sql.SQL(CHOICES[column]).format(name)
    changed, new = OTHER[of_type]
    return sql.SQL(f"coalesce({changed}, {new})").format(name)


def _first(connection: Transaction, schema: str, table: Table, workspace_id: str) -> dict[str, Any]:
    row = connection.execute(
        sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE workspace_id = {} ORDER BY {} LIMIT 1").format(
            sql.Identifier(schema, table.name), workspace_id, sql.SQL(", ").join(map(sql.Identifier, table.key))
        )
    ).fetchone()
    assert row, f"{schema}.{table.name} has no row of {workspace_id} to damage; give the company one"
    return dict(row[0])


def _is(table: Table, row: dict[str, Any]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("{}::text = {}").format(sql.Identifier(name), str(row[name])) for name in table.key
    )


def _key(table: Table, row: dict[str, Any]) -> Key:
    return {name: row[name] for name in table.key[1:]}
