"""Finds and mends what a broken deploy leaves behind: projections of other code, shadow tables, old dead letters."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic import Field

from batch_jobs import search
from batch_jobs.engine import shadows
from batch_jobs.engine.batch import Batch, Preparation
from batch_jobs.engine.contract import Counter, Parameters
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.rebuild_job import RebuildJob, Wanted
from batch_jobs.engine.shadows import ABANDONED

_FOUND = """
    SELECT c.workspace_id, c.projection, c.version <> k.version AS is_stale
    FROM batch_jobs.checkpoints c
    JOIN unnest(%(projections)s::text[], %(versions)s::int[]) AS k(projection, version) USING (projection)
    WHERE c.version <> k.version
       OR (c.workspace_id, c.projection) IN (SELECT d.workspace_id, d.projection FROM batch_jobs.dead_letters d)
"""
_LETTERS = "SELECT projection, workspace_id, position FROM batch_jobs.dead_letters WHERE workspace_id = ANY (%s)"


class RecoveryParameters(Parameters):
    """Whether what is found is mended."""

    dry_run: bool = Field(
        default=True,
        description="Show what a broken deploy left behind, and which rows mending it would change, and change "
        "nothing. Set it to false to mend it.",
    )


class _Found(NamedTuple):
    workspace_id: str
    projection: str
    is_stale: bool


class RecoverFailedMigration(RebuildJob):
    """Rebuilds, in each workspace, the projections and search indexes that another version of their code began, and
    those that hold dead letters, which today's code may be able to apply.

    Shadow tables (see `engine.shadows`) are of no workspace: the first one of a chunk counts and drops them. A
    half-applied migration of the schema is told by `batch-jobs doctor`.
    """

    name = "recover_failed_migration"
    description = (
        "Finds projections and indexes of another version of their code, abandoned shadow tables and dead letters, and "
        "mends them."
    )
    parameters = RecoveryParameters
    counters = (
        Counter("projections_stale", "projections and search indexes that another version of their code began"),
        Counter("projections_rebuilt", "projections that were rebuilt, for their version or for dead letters"),
        Counter("shadows_dropped", "tables that a rebuild of another release left beside those that serve"),
        Counter("indexes_rebuilt", "search indexes that were rebuilt, for their version or for dead letters"),
        Counter("dead_letters_retried", "dead letters that today's code could apply"),
        Counter("dead_letters_left", "dead letters that it could not", warns=True),
    )
    error_counter = "dead_letters_left"
    # What is left behind in a workspace that is suspended would be missed when it is resumed.
    workspace_statuses = frozenset({"active", "suspended", "undefined"})
    candidates = f"""
        SELECT s.workspace_id, s.workspace_id AS row_id, true AS due, w.head AS load
        FROM scope s JOIN batch_jobs.workspaces w ON w.workspace_id = s.workspace_id
        WHERE s.workspace_id IN (SELECT f.workspace_id FROM ({_FOUND}) f)
           OR s.workspace_id = (SELECT min(workspace_id) FROM scope) AND EXISTS ({ABANDONED})
    """

    def projections(self) -> Mapping[str, Projection]:
        """See `RebuildJob.projections`."""
        return search.with_projections()

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """The versions and tables of today's code."""
        known = self.projections().values()
        return shadows.arguments(known) | {
            "projections": [one.name for one in known],
            "versions": [one.version for one in known],
        }

    def wanted(self, preparation: Preparation) -> Wanted:
        """What is stale or has dead letters."""
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for found in self._find(preparation):
            wanted[found.projection].append(found.workspace_id)
        return wanted

    def decide(self, batch: Batch) -> None:
        """Rebuild, and tell what that mended."""
        rows = {row.workspace_id: row for row in batch.rows}
        before = self._letters(batch)
        for found in self._find(batch):
            batch.count(rows[found.workspace_id], "projections_stale", int(found.is_stale))
        self._drop_shadows(batch)
        for rebuilt in self.compared(batch):
            projection = rebuilt.projection
            self.show_drift(batch, rebuilt)
            self.tell_readers(batch, rebuilt, self.projections().values())
            left = {(letter.workspace_id, letter.position) for letter in rebuilt.dead_letters}
            applied = Tally(workspace_id for workspace_id, _ in before[projection.name] - left)
            for workspace_id in rows.keys() & set(batch.prepared[1][projection.name]):
                counter = "indexes_rebuilt" if projection.name in search.registry() else "projections_rebuilt"
                batch.count(rows[workspace_id], counter)
                batch.count(rows[workspace_id], "dead_letters_retried", applied[workspace_id])
                self.bury(batch, rows[workspace_id], rebuilt)

    def _drop_shadows(self, batch: Batch) -> None:
        found = shadows.abandoned(batch.connection, self.projections().values())
        first = min(batch.rows, key=attrgetter("workspace_id"))
        batch.count(first, "shadows_dropped", len(found))
        for shadow in found:
            place = {"table": f"{shadow.schema}.{shadow.name}", "change": "dropped", "key": {}}
            batch.show(first, {"projection": None, **place, "before": {"size": shadow.size}, "after": None})
        shadows.drop(batch.connection, found)

    def _letters(self, batch: Batch) -> Mapping[str, set[tuple[str, int]]]:
        """The workspaces and positions of the dead letters that there are, by projection."""
        found: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
        for projection, workspace_id, position in batch.connection.execute(_LETTERS, [list(batch.runs)]):
            found[projection].add((workspace_id, position))
        return found

    def _find(self, within: Batch | Preparation) -> list[_Found]:
        rows = within.connection.execute(
            f"SELECT * FROM ({_FOUND}) f WHERE f.workspace_id = ANY (%(workspaces)s) ORDER BY 1, 2",
            {**self.arguments(date.min, None), "workspaces": list(within.runs)},
        )
        return list(map(_Found._make, rows))
