"""Comparing a table beside the one that serves, row by row, and taking over what differs. No fold, no job."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from batch_jobs.engine.tables import Table, equal, listed
from batch_jobs.store.database import Transaction


@dataclass(slots=True)
class Drift:
    """How the rows of one table that serve differ from those that the events give.

    Attributes:
        table: its name with its schema.
        rows: how many rows the events give, by workspace.
        changes: how many rows would be `added`, `changed`, `removed`, by workspace.
        samples: the first of them in each workspace by key, as JSON values: table, change, key, before and after.
    """

    table: str
    rows: Mapping[str, int]
    changes: Mapping[str, Mapping[str, int]]
    samples: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


class Comparison:
    """One table that serves beside the temporary table of its name, in some workspaces.

    Args:
        connection: a transaction whose scope holds the workspaces, which are locked.
        schema: that of the table that serves.
        table: the table.
        workspaces: whose rows.
        only: a temporary relation with the columns `workspace_id` and one more of the table's: just the rows that
            match it, as they are or as they should be. None for all.
    """

    def __init__(
        self,
        connection: Transaction,
        schema: str,
        table: Table,
        workspaces: Sequence[str],
        *,
        only: str | None = None,
    ) -> None:
        self._connection = connection
        self._table = table
        self._serving = sql.Identifier(schema, table.name)
        self._beside = sql.Identifier("pg_temp", table.name)
        self._differences = sql.Identifier("pg_temp", f"drift_of_{table.name}")
        self._name = f"{schema}.{table.name}"
        self._workspaces = list(workspaces)
        self._columns = columns_of(connection, schema, table)
        self._only = only

    def find(self, *, samples: int) -> Drift:
        """Find the rows that differ, with so many samples of them at the most in each workspace."""
        self._connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {}, ''::text AS change FROM {} LIMIT 0").format(
                self._differences, listed(self._table.key), self._serving
            )
        )
        self._connection.execute(
            sql.SQL(
                "INSERT INTO {differences} SELECT {keys}, CASE WHEN o.workspace_id IS NULL THEN 'added' "
                "WHEN n.workspace_id IS NULL THEN 'removed' ELSE 'changed' END "
                "FROM (SELECT * FROM {serving} WHERE workspace_id = ANY (%(workspaces)s)) o "
                "FULL JOIN (SELECT * FROM {beside} WHERE workspace_id = ANY (%(workspaces)s)) n "
                "ON {same} WHERE (o.workspace_id IS NULL OR n.workspace_id IS NULL OR {distinct}) "
                "AND ({was_meant} OR {is_meant})"
            ).format(
                differences=self._differences,
                keys=sql.SQL(", ").join(
                    sql.SQL("coalesce(o.{0}, n.{0})").format(sql.Identifier(name)) for name in self._table.key
                ),
                serving=self._serving,
                beside=self._beside,
                same=equal("o", "n", self._table.key),
                distinct=self._distinct(),
                was_meant=self._meant("o"),
                is_meant=self._meant("n"),
            ),
            {"workspaces": self._workspaces},
        )
        changes: dict[str, Counter[str]] = {}
        for workspace_id, change, number in self._connection.execute(
            sql.SQL("SELECT workspace_id, change, count(*) FROM {} GROUP BY 1, 2").format(self._differences)
        ):
            changes.setdefault(workspace_id, Counter())[change] = number
        return Drift(self._name, self._rows(), changes, self._samples(samples) if changes and samples else {})

    def take_over(self) -> None:
        """Make the rows that differ those beside, all in the caller's transaction."""
        # What changed goes before it comes back: two rows may have swapped a value that must be unique.
        self._connection.execute(
            sql.SQL("DELETE FROM {} o USING {} d WHERE d.change <> 'added' AND {}").format(
                self._serving, self._differences, equal("o", "d", self._table.key)
            )
        )
        written = [name for name, is_generated in self._columns.items() if not is_generated]
        self._connection.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} n JOIN {} d ON {} WHERE d.change <> 'removed'{}").format(
                self._serving,
                listed(written),
                sql.SQL(", ").join(sql.Identifier("n", name) for name in written),
                self._beside,
                self._differences,
                equal("n", "d", self._table.key),
                self._order(),
            )
        )

    def _order(self) -> sql.Composable:
        columns = sql.SQL(", ").join(sql.Identifier("n", name) for name in self._table.written_by)
        return sql.SQL(" ORDER BY {}").format(columns) if self._table.written_by else sql.SQL("")

    def _rows(self) -> dict[str, int]:
        rows = self._connection.execute(
            sql.SQL(
                "SELECT n.workspace_id, count(*) FROM {} n WHERE n.workspace_id = ANY (%s) AND {} GROUP BY 1"
            ).format(self._beside, self._meant("n")),
            [self._workspaces],
        )
        return dict(rows.fetchall())

    def _samples(self, at_most: int) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        rows = self._connection.execute(
            sql.SQL(
                "SELECT d.workspace_id, d.change, to_jsonb(o), to_jsonb(n) FROM ("
                "SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY {keys}) AS number FROM {differences}"
                ") d LEFT JOIN {serving} o ON {to_serving} LEFT JOIN {beside} n ON {to_beside} "
                "WHERE d.number <= %(at_most)s ORDER BY d.workspace_id, d.number"
            ).format(
                keys=listed(self._table.key),
                differences=self._differences,
                serving=self._serving,
                beside=self._beside,
                to_serving=equal("o", "d", self._table.key),
                to_beside=equal("n", "d", self._table.key),
            ),
            {"at_most": at_most},
        )
        for workspace_id, change, before, after in rows:
            key = {name: (before or after)[name] for name in self._table.key[1:]}
            found.setdefault(workspace_id, []).append(
                {"table": self._name, "change": change, "key": key, **_differing(before, after)}
            )
        return found

    def _meant(self, alias: str) -> sql.Composable:
        if self._only is None:
            return sql.SQL("true")
        relation = sql.Identifier("pg_temp", self._only)
        columns = self._connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(relation)).description or ()
        return sql.SQL("({}) IN (SELECT * FROM {})").format(
            sql.SQL(", ").join(sql.Identifier(alias, column.name) for column in columns), relation
        )

    def _distinct(self) -> sql.Composable:
        others = [name for name in self._columns if name not in self._table.key]
        if not others:
            return sql.SQL("false")
        return sql.SQL("({}) IS DISTINCT FROM ({})").format(
            sql.SQL(", ").join(sql.Identifier("o", name) for name in others),
            sql.SQL(", ").join(sql.Identifier("n", name) for name in others),
        )


def columns_of(connection: Transaction, schema: str, table: Table) -> dict[str, bool]:
    """The columns of a table, and whether each is computed from the others."""
    rows = connection.execute(
        """
        SELECT attname, attgenerated <> '' FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
        """,
        [sql.Identifier(schema, table.name).as_string(connection)],
    )
    return dict(rows.fetchall())


def _differing(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    """The rows without their workspace; of a changed one the columns that differ."""
    if before is not None and after is not None:
        differing = [name for name in after if before[name] != after[name]]
        return {
            "before": {name: before[name] for name in differing},
            "after": {name: after[name] for name in differing},
        }
    return {
        "before": before and {name: value for name, value in before.items() if name != "workspace_id"},
        "after": after and {name: value for name, value in after.items() if name != "workspace_id"},
    }
