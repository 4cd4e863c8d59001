"""Keeping projections in step with the event log: which are behind, by how much, and folding what is missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from typing import Any
from zoneinfo import ZoneInfo

from batch_jobs.engine.projection import DeadLetter, Projection, Window, one_load
from batch_jobs.engine.tables import copy_rows
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

_PENDING = "CREATE TEMPORARY TABLE pending_events (LIKE batch_jobs.events) ON COMMIT DELETE ROWS"
_PENDING_WINDOWS = """
    CREATE TEMPORARY TABLE pending_windows (
        workspace_id text COLLATE "C" PRIMARY KEY, after bigint, head bigint
    ) ON COMMIT DELETE ROWS
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

_STATE = """
    SELECT w.workspace_id, w.head, w.timezone, w.first_event_at, w.last_run_date,
        c.projection, c.position, c.as_of
    FROM batch_jobs.workspaces w
    LEFT JOIN batch_jobs.checkpoints c ON c.workspace_id = w.workspace_id AND c.projection = ANY (%(projections)s)
    WHERE w.workspace_id = ANY (%(workspaces)s) AND w.head > 0
    ORDER BY w.workspace_id
"""

# The version stays that of the code that began the rows: a projection of another version stays visibly stale, however
# often it is caught up, until it is rebuilt.
_SAVE = """
    INSERT INTO batch_jobs.checkpoints (projection, workspace_id, position, as_of, version)
    SELECT * FROM unnest(
        %(projections)s::text[], %(workspaces)s::text[], %(positions)s::bigint[], %(as_of)s::date[], %(versions)s::int[]
    )
    ON CONFLICT (projection, workspace_id)
    DO UPDATE SET position = excluded.position, as_of = excluded.as_of
"""

_BURY = """
    INSERT INTO batch_jobs.dead_letters (workspace_id, projection, position, event_id, type, reason)
    SELECT d.workspace_id, %(projection)s, d.position, e.event_id, e.type, d.reason
    FROM unnest(%(workspaces)s::text[], %(positions)s::bigint[], %(reasons)s::text[])
        AS d(workspace_id, position, reason)
    JOIN batch_jobs.events e ON e.workspace_id = d.workspace_id AND e.position = d.position
    ON CONFLICT (workspace_id, projection, position) DO UPDATE SET reason = excluded.reason
"""

# A projection is behind when its checkpoint is, or when its rows show an older as-of date.
_BEHIND = """
    SELECT w.workspace_id, w.head - min(coalesce(c.position, 0)) AS events
    FROM batch_jobs.workspaces w
    CROSS JOIN unnest(%(projections)s::text[], %(follows)s::boolean[]) AS p(projection, follows_as_of)
    LEFT JOIN batch_jobs.checkpoints c ON c.workspace_id = w.workspace_id AND c.projection = p.projection
    WHERE w.head > 0 AND (%(workspaces)s::text[] IS NULL OR w.workspace_id = ANY (%(workspaces)s))
      AND (c.position IS NULL OR c.position < w.head
           OR (p.follows_as_of AND c.as_of < w.last_run_date))
    GROUP BY w.workspace_id, w.head ORDER BY w.workspace_id
"""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What was done for one projection of one workspace; `lag` is the number of events it was behind."""

    workspace_id: str
    projection: str
    position: int
    as_of: date
    lag: int


@dataclass(slots=True)
class CatchUpResult:
    """What a catch-up did, in all and for each projection and workspace that was behind."""

    caught_up: list[CatchUp]
    rows_changed: dict[str, int]
    dead_letters: int = 0


def in_order(projections: Mapping[str, Projection], names: Collection[str] | None = None) -> list[Projection]:
    """The projections, each after those whose tables it reads.

    Args:
        projections: all there are, by name.
        names: those that are wanted; what they read comes along. None for all.
    """
    graph: dict[str, tuple[str, ...]] = {}
    wanted = list(projections if names is None else names)
    while wanted:
        name = wanted.pop()
        graph[name] = projections[name].after
        wanted += [other for other in projections[name].after if other not in graph]
    return [projections[name] for name in TopologicalSorter(graph).static_order()]


def behind(
    connection: Transaction, projections: Iterable[Projection], workspaces: Sequence[str] | None = None
) -> dict[str, int]:
    """The workspaces with a projection that is behind, and by how many events at the most."""
    known = list(projections)
    rows = connection.execute(
        _BEHIND,
        {
            "projections": [projection.name for projection in known],
            "follows": [projection.follows_as_of for projection in known],
            "workspaces": None if workspaces is None else list(workspaces),
        },
    )
    return dict(rows.fetchall())


def catch_up(connection: Transaction, projections: Sequence[Projection], workspaces: Sequence[str]) -> CatchUpResult:
    """Fold into the projections what these workspaces have recorded since, within the caller's transaction.

    Args:
        connection: a transaction whose scope holds the workspaces, which it has locked.
        projections: in order.
        workspaces: their ids.
    """
    result = CatchUpResult(caught_up=[], rows_changed={})
    filled: tuple[tuple[str, int, int], ...] = ()
    pending: frozenset[str] = frozenset()
    saved: list[tuple[Projection, Window]] = []
    types = sorted(frozenset[str]().union(*(projection.event_types for projection in projections)))
    with one_load():
        for projection, windows in _windows(connection, projections, workspaces):
            spans = tuple((window.workspace_id, window.after, window.head) for window in windows)
            if spans != filled:
                pending = _fill(connection, spans, types)
                filled = spans
            if pending & projection.event_types or (projection.follows_as_of and _moved(windows)):
                connection.execute("SET LOCAL search_path = projections")
                folded = projection.fold(connection, windows)
                connection.execute("SET LOCAL search_path = DEFAULT")
                _bury(connection, projection, folded.dead_letters)
                result.rows_changed[projection.name] = folded.changes.total
                result.dead_letters += len(folded.dead_letters)
            saved += [(projection, window) for window in windows]
        _save(connection, saved)
    result.caught_up = [CatchUp(w.workspace_id, p.name, w.head, w.as_of, w.head - w.after) for p, w in saved]
    return result


def local_date(instant: datetime, timezone: str | None) -> date:
    """The date of an instant in a workspace's zone (UTC where it has none yet, or at the ends of the calendar)."""
    try:
        return instant.astimezone(ZoneInfo(timezone) if timezone else UTC).date()
    except OverflowError:
        return instant.astimezone(UTC).date()


def _windows(
    connection: Transaction, projections: Sequence[Projection], workspaces: Sequence[str]
) -> list[tuple[Projection, list[Window]]]:
    names = [projection.name for projection in projections]
    rows = connection.execute(_STATE, {"projections": names, "workspaces": list(workspaces)}).fetchall()
    states: dict[str, tuple[int, date]] = {}
    checkpoints: defaultdict[str, dict[str, tuple[int, date | None]]] = defaultdict(dict)
    for workspace_id, head, timezone, first_event_at, last_run_date, name, position, as_of in rows:
        states[workspace_id] = head, last_run_date or local_date(first_event_at, timezone)
        if name is not None:
            checkpoints[name][workspace_id] = position, as_of
    found = []
    for projection in projections:
        windows = []
        for workspace_id, (head, as_of) in states.items():
            position, as_of_before = checkpoints[projection.name].get(workspace_id, (0, None))
            if position < head or (projection.follows_as_of and as_of_before != as_of):
                windows.append(Window(workspace_id, position, head, as_of_before, as_of))
        if windows:
            found.append((projection, windows))
    return found


def _fill(connection: Transaction, spans: Sequence[tuple[str, int, int]], types: Sequence[str]) -> frozenset[str]:
    """Begin `pending_events` with these ranges; returns the types of events that are there."""
    temporary_table(connection, "pending_events", _PENDING)
    temporary_table(connection, "pending_windows", _PENDING_WINDOWS)
    copy_rows(connection, "pending_windows", ("workspace_id", "after", "head"), spans)
    connection.execute("SET LOCAL enable_hashjoin = off")
    connection.execute("SET LOCAL enable_mergejoin = off")
    connection.execute(_FILL, [list(types)])
    connection.execute("SET LOCAL enable_hashjoin = DEFAULT")
    connection.execute("SET LOCAL enable_mergejoin = DEFAULT")
    connection.execute("ANALYZE pending_events")
    return frozenset(row[0] for row in connection.execute("SELECT DISTINCT type FROM pending_events"))


def _moved(windows: Sequence[Window]) -> bool:
    return any(window.as_of_before != window.as_of for window in windows)


def _save(connection: Transaction, saved: Sequence[tuple[Projection, Window]]) -> None:
    values: dict[str, Any] = {
        "projections": [projection.name for projection, _ in saved],
        "versions": [projection.version for projection, _ in saved],
        "workspaces": [window.workspace_id for _, window in saved],
        "positions": [window.head for _, window in saved],
        "as_of": [window.as_of for _, window in saved],
    }
    connection.execute(_SAVE, values)


def _bury(connection: Transaction, projection: Projection, letters: Sequence[DeadLetter]) -> None:
    if letters:
        values: dict[str, Any] = {
            "projection": projection.name,
            "workspaces": [letter.workspace_id for letter in letters],
            "positions": [letter.position for letter in letters],
            "reasons": [letter.reason for letter in letters],
        }
        connection.execute(_BURY, values)
