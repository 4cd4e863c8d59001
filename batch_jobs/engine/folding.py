"""Folding ranges of events into projections' tables: the one path of catch-up and rebuild. Keeps no checkpoint."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from psycopg import sql

from batch_jobs.engine.projection import DerivedProjection, Folded, Projection, Window, one_load
from batch_jobs.engine.tables import copy_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

# Where folds find the tables that serve: named last, the schema of temporary tables can not hide them. A rebuild has
# tables of the same names there.
SERVING = sql.SQL("{schema}, projections, pg_temp")
REBUILT = sql.SQL("pg_temp, {schema}, projections")

_PENDING = "CREATE TEMPORARY TABLE pending_events (LIKE batch_jobs.events) ON COMMIT DELETE ROWS"
# Where many folds go through many events for those of their types, an index takes a fifth off the time of all.
MANY_FOLDS = 4
MANY_EVENTS = 10_000
_BY_TYPE = "CREATE INDEX pending_by_type ON pg_temp.pending_events (type)"

_PENDING_WINDOWS = """
    CREATE TEMPORARY TABLE pending_windows (
        workspace_id text COLLATE "C" PRIMARY KEY, after bigint, head bigint
    ) ON COMMIT DELETE ROWS
"""

# Within DO: when the client sees a DROP it forgets all statements that it has prepared.
_PREPARE = """
    DO $$ BEGIN
        IF to_regclass('pg_temp.pending_by_type') IS NOT NULL THEN DROP INDEX pg_temp.pending_by_type; END IF;
    END $$;
    SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_mergejoin = off
"""
# For each workspace a range of the primary key. OFFSET 0 and the nested loop keep PostgreSQL from reading the whole
# log: it can not know that the range begins near the end.
_FILL = """
    INSERT INTO pending_events
    SELECT e.* FROM pending_windows w CROSS JOIN LATERAL (
        SELECT * FROM batch_jobs.events e
        WHERE e.workspace_id = w.workspace_id AND e.position > w.after AND e.position <= w.head AND e.type = ANY (%s)
        ORDER BY e.position OFFSET 0
    ) e
"""

_GOALS = """
    SELECT workspace_id, head, timezone, first_event_at, last_run_date FROM batch_jobs.workspaces
    WHERE workspace_id = ANY (%s) AND head > 0 ORDER BY workspace_id
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far rows are: the position of the last event in them, and the as-of date (domain 4) that they show."""

    position: int = 0
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """How far rows of a workspace have to get."""

    position: int
    as_of: date


def goals(connection: Transaction, workspaces: Sequence[str]) -> dict[str, Goal]:
    """Where the projections of these workspaces should be; those without an event are left out."""
    return {
        workspace_id: Goal(head, last_run_date or local_date(first_event_at, timezone))
        for workspace_id, head, timezone, first_event_at, last_run_date in connection.execute(
            _GOALS, [list(workspaces)]
        )
    }


def windows(projection: Projection, wanted: Mapping[str, Goal], reached: Mapping[str, Reach]) -> list[Window]:
    """What the projection lacks on its way from where it is (nowhere, if not named) to its goals."""
    found = []
    for workspace_id, goal in wanted.items():
        before = reached.get(workspace_id, Reach())
        if before.position < goal.position or (projection.follows_as_of and before.as_of != goal.as_of):
            found.append(Window(workspace_id, before.position, goal.position, before.as_of, goal.as_of))
    return found


def fold(
    connection: Transaction, lacking: Iterable[tuple[Projection, Sequence[Window]]], *, search_path: sql.SQL = SERVING
) -> Iterator[tuple[Projection, Folded]]:
    """Fold each projection's windows, one projection after another.

    Where none of a projection's events is pending, and no as-of date has moved, there is no fold.

    Args:
        connection: a transaction whose scope holds the workspaces.
        lacking: projections in order, each with its windows.
        search_path: where the folds find the tables, `SERVING` or `REBUILT`.

    Yields:
        Each projection that was folded, and what that did.
    """
    lacking = list(lacking)
    types = sorted(frozenset[str]().union(*(projection.event_types for projection, _ in lacking)))
    with _no_search_for_cycles():
        # What is loaded depends on the pending events too.
        for spans, alike in groupby(lacking, key=lambda lack: _spans(lack[1])):
            with one_load():
                folds = list(alike)
                pending = _fill(connection, spans, types, folds=len(folds))
                for projection, missing in folds:
                    if pending & projection.event_types or (projection.follows_as_of and _moved(missing)):
                        with finding_tables(connection, search_path, projection.schema):
                            folded = projection.fold(connection, missing)
                        yield projection, folded


def derive(connection: Transaction, projection: DerivedProjection, as_of: Mapping[str, date]) -> Iterator[float]:
    """Fill the table of a derived projection beside, from what was built beside or else serves. Yields the share that
    is done.
    """
    with _no_search_for_cycles(), finding_tables(connection, REBUILT, projection.schema):
        yield from projection.derive(connection, as_of)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Folds hold millions of objects, which Python's collector would go through again and again (a quarter of the time
    of a rebuild). Counting references frees them: they hold no cycles.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def finding_tables(connection: Transaction, search_path: sql.SQL, schema: str = "projections") -> Iterator[None]:
    """Let plain names of tables mean those of the search path, for the length of a `with` block that ends well."""
    path = search_path.format(schema=sql.Identifier(schema))
    connection.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
    yield
    connection.execute("SET LOCAL search_path = DEFAULT")


def local_date(instant: datetime, timezone: str | None) -> date:
    """The date of an instant in a workspace's zone (UTC where it has none yet, or at the ends of the calendar)."""
    try:
        return instant.astimezone(ZoneInfo(timezone) if timezone else UTC).date()
    except OverflowError:
        return instant.astimezone(UTC).date()


def _fill(
    connection: Transaction, spans: Sequence[tuple[str, int, int]], types: Sequence[str], *, folds: int
) -> frozenset[str]:
    """Begin `pending_events` with these ranges; returns the types of events that are there."""
    temporary_table(connection, "pending_events", _PENDING)
    temporary_table(connection, "pending_windows", _PENDING_WINDOWS)
    copy_rows(connection, "pending_windows", ("workspace_id", "after", "head"), spans)
    connection.execute(_PREPARE)
    number = connection.execute(_FILL, [list(types)]).rowcount
    connection.execute("SET LOCAL enable_hashjoin = DEFAULT; SET LOCAL enable_mergejoin = DEFAULT")
    if folds >= MANY_FOLDS and number >= MANY_EVENTS:
        connection.execute(_BY_TYPE)
    analyze(connection, "pending_events", ("workspace_id", "position", "type", "employee_id"))
    return frozenset(row[0] for row in connection.execute("SELECT DISTINCT type FROM pending_events"))


def _spans(missing: Sequence[Window]) -> tuple[tuple[str, int, int], ...]:
    return tuple((window.workspace_id, window.after, window.head) for window in missing)


def _moved(missing: Sequence[Window]) -> bool:
    return any(window.as_of_before != window.as_of for window in missing)
