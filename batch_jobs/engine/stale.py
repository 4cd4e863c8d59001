"""Which projections and search indexes were begun by another version of their code, and so may hold other rows."""

from collections.abc import Iterable

from batch_jobs.engine.projection import Projection
from batch_jobs.store.database import Transaction

_STALE = """
    SELECT c.projection, count(*) FROM batch_jobs.checkpoints c
    JOIN unnest(%s::text[], %s::int[]) AS p(projection, version) USING (projection)
    JOIN batch_jobs.workspaces w USING (workspace_id)
    WHERE c.version <> p.version AND w.status <> 'deleted' GROUP BY c.projection ORDER BY c.projection
"""


def stale(connection: Transaction, projections: Iterable[Projection]) -> dict[str, int]:
    """In how many workspaces projections and search indexes are stale: those of them where there are any, by name.

    They stay so, however often they are caught up, until they are rebuilt. What was deleted is not counted: its rows
    only wait to be purged.
    """
    known = list(projections)
    rows = connection.execute(_STALE, [[one.name for one in known], [one.version for one in known]])
    return dict(rows.fetchall())
