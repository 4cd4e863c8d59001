"""Tables that somebody's rebuild left beside those that serve: found by their names, and dropped. Reads no row."""

from collections.abc import Iterable
from typing import NamedTuple

from psycopg import sql

from batch_jobs.engine.projection import Projection
from batch_jobs.store.database import Transaction, as_owner

# Rebuilds of this release work in temporary tables, which vanish with their session. What other releases, or people,
# have left bears the name of a table that serves and one of these words. Not `old` or `backup`, nor `new_hires`:
# those may be kept on purpose. And nothing that belongs to somebody else, as it can not be dropped.
ABANDONED = r"""
    SELECT n.nspname, c.relname, pg_size_pretty(pg_total_relation_size(c.oid)) AS size
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN unnest(%(schemas)s::text[], %(tables)s::text[]) AS serving(nspname, relname) ON serving.nspname = n.nspname
    WHERE c.relkind IN ('r', 'p') AND pg_has_role(session_user, c.relowner, 'USAGE')
      AND c.relname ~ format(
          '^((shadow|rebuild|new)_+%%1$s|%%1$s_+(shadow|rebuild|rebuilt|new)(_\d\w*)?)$', serving.relname)
      AND (n.nspname, c.relname) NOT IN (SELECT * FROM unnest(%(schemas)s::text[], %(tables)s::text[]))
"""


class Shadow(NamedTuple):
    """A table that nobody reads: where it is, and how much room it takes, in words."""

    schema: str
    name: str
    size: str


def arguments(projections: Iterable[Projection]) -> dict[str, list[str]]:
    """Values for the placeholders of `ABANDONED`: the tables that serve."""
    serving = [(one.schema, table.name) for one in projections for table in one.tables]
    return {"schemas": [schema for schema, _ in serving], "tables": [name for _, name in serving]}


def abandoned(connection: Transaction, projections: Iterable[Projection]) -> list[Shadow]:
    """The tables that were left behind, by schema and name. Until the transaction ends they are for it to drop."""
    found = _find(connection, projections)
    if not found:
        return []
    connection.execute("SELECT pg_advisory_xact_lock(hashtext('batch_jobs.shadows'))")
    # Those that somebody else has dropped meanwhile are no longer there.
    return _find(connection, projections)


def drop(connection: Transaction, shadows: Iterable[Shadow]) -> None:
    """Drop them within a worker's transaction."""
    with as_owner(connection):
        for shadow in shadows:
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(shadow.schema, shadow.name)))


def _find(connection: Transaction, projections: Iterable[Projection]) -> list[Shadow]:
    rows = connection.execute(f"SELECT DISTINCT * FROM ({ABANDONED}) a ORDER BY 1, 2", arguments(projections))
    return list(map(Shadow._make, rows))
