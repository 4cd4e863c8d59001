"""Keeping projections in step with the event log: which are behind, by how much, and folding what is missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from graphlib import TopologicalSorter
from typing import Any

from batch_jobs.engine.folding import Reach, fold, goals, windows
from batch_jobs.engine.projection import DeadLetter, Projection, Window
from batch_jobs.engine.tables import RowChanges
from batch_jobs.store.database import Transaction

_REACHED = """
    SELECT projection, workspace_id, position, as_of FROM batch_jobs.checkpoints
    WHERE projection = ANY (%s) AND workspace_id = ANY (%s)
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

# Domain 4: the as-of date is the latest run date of a finished job run.
_MOVE_AS_OF = """
    UPDATE batch_jobs.workspaces w SET last_run_date = r.run_date
    FROM unnest(%s::text[], %s::date[]) AS r(workspace_id, run_date)
    WHERE w.workspace_id = r.workspace_id AND (w.last_run_date IS NULL OR w.last_run_date < r.run_date)
"""

# A projection is behind when its checkpoint is, or when its rows show an older as-of date.
BEHIND = """
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
    """What a catch-up did.

    Attributes:
        caught_up: each projection and workspace that was behind.
        changes: the rows that are not as they were, by projection and workspace.
        letters: the events that could not be applied, by projection.
    """

    caught_up: list[CatchUp] = field(default_factory=list)
    changes: defaultdict[str, RowChanges] = field(default_factory=lambda: defaultdict(RowChanges))
    letters: defaultdict[str, list[DeadLetter]] = field(default_factory=lambda: defaultdict(list))

    @property
    def rows_changed(self) -> dict[str, int]:
        """How many rows are not as they were, for each projection that had something to fold."""
        return {name: changes.total() for name, changes in self.changes.items()}

    @property
    def dead_letters(self) -> int:
        """How many events could not be applied."""
        return sum(map(len, self.letters.values()))

    def merge(self, other: "CatchUpResult") -> None:
        """Add what was done for other workspaces."""
        self.caught_up += other.caught_up
        for name, changes in other.changes.items():
            self.changes[name] += changes
        for name, letters in other.letters.items():
            self.letters[name] += letters


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
    rows = connection.execute(
        BEHIND, {**behind_values(projections), "workspaces": None if workspaces is None else list(workspaces)}
    )
    return dict(rows.fetchall())


def behind_values(projections: Iterable[Projection]) -> dict[str, Any]:
    """The values of the placeholders by which `BEHIND` names projections."""
    known = list(projections)
    return {
        "projections": [projection.name for projection in known],
        "follows": [projection.follows_as_of for projection in known],
    }


def move_as_of(connection: Transaction, targets: Iterable[tuple[str, date]]) -> None:
    """Let a run date of these workspaces count as that of a finished run, unless a later one does."""
    workspaces, run_dates = map(list, zip(*targets, strict=True))
    connection.execute(_MOVE_AS_OF, [workspaces, run_dates])


def catch_up(connection: Transaction, projections: Sequence[Projection], workspaces: Sequence[str]) -> CatchUpResult:
    """Fold into the projections what these workspaces have recorded since, within the caller's transaction.

    Args:
        connection: a transaction whose scope holds the workspaces, which it has locked.
        projections: in order.
        workspaces: their ids.
    """
    result = CatchUpResult()
    lacking = _lacking(connection, projections, workspaces)
    for projection, folded in fold(connection, lacking):
        bury(connection, projection, folded.dead_letters)
        result.changes[projection.name] += folded.changes
        result.letters[projection.name] += folded.dead_letters
    reached = [(projection, window) for projection, missing in lacking for window in missing]
    _save(connection, reached)
    result.caught_up = [CatchUp(w.workspace_id, p.name, w.head, w.as_of, w.head - w.after) for p, w in reached]
    return result


def _lacking(
    connection: Transaction, projections: Sequence[Projection], workspaces: Sequence[str]
) -> list[tuple[Projection, list[Window]]]:
    wanted = goals(connection, workspaces)
    reached: defaultdict[str, dict[str, Reach]] = defaultdict(dict)
    rows = connection.execute(_REACHED, [[projection.name for projection in projections], list(workspaces)])
    for name, workspace_id, position, as_of in rows:
        reached[name][workspace_id] = Reach(position, as_of)
    found = [(projection, windows(projection, wanted, reached[projection.name])) for projection in projections]
    return [(projection, missing) for projection, missing in found if missing]


def _save(connection: Transaction, saved: Sequence[tuple[Projection, Window]]) -> None:
    values: dict[str, Any] = {
        "projections": [projection.name for projection, _ in saved],
        "versions": [projection.version for projection, _ in saved],
        "workspaces": [window.workspace_id for _, window in saved],
        "positions": [window.head for _, window in saved],
        "as_of": [window.as_of for _, window in saved],
    }
    connection.execute(_SAVE, values)


def bury(connection: Transaction, projection: Projection, letters: Sequence[DeadLetter]) -> None:
    """Note events that the projection could not apply."""
    if letters:
        values: dict[str, Any] = {
            "projection": projection.name,
            "workspaces": [letter.workspace_id for letter in letters],
            "positions": [letter.position for letter in letters],
            "reasons": [letter.reason for letter in letters],
        }
        connection.execute(_BURY, values)
