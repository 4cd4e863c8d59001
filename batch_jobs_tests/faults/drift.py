"""Whether the rows of all projections and search indexes are those that the events give, in every workspace.

It is what `rebuild_employee_projections` and `rebuild_search_indexes` show in a dry run; but those are for active
workspaces, and note their runs in the ledger, which is compared. So the engine of rebuilds is asked itself, in
transactions that are undone, also about the workspaces that were suspended or deleted. Documents are held against what
the events give and not, as by the job, against projections as these are.
"""

from collections.abc import Iterator, Sequence

import psycopg

from batch_jobs.engine.catch_up import catch_up
from batch_jobs.engine.rebuild import Rebuild
from batch_jobs.installation import all_projections
from batch_jobs.store.database import Database, Transaction

# Their rows stand a second time on the small disk of the night.
WORKSPACES_AT_ONCE = 50
_SHOWN = 3


def drifts(url: str) -> Iterator[str]:
    """What differs, in words. Nothing is changed.

    Args:
        url: the database.
    """
    with Database(url) as database:
        with database.owner() as connection:
            rows = connection.execute("SELECT workspace_id FROM batch_jobs.workspaces WHERE head > 0 ORDER BY 1")
            names = [name for (name,) in rows]
        assert names, "there is no workspace to look at"
        for first in range(0, len(names), WORKSPACES_AT_ONCE):
            some = names[first : first + WORKSPACES_AT_ONCE]
            found: list[str] = []
            with database.worker(some) as connection:
                found += _drifts(connection, some)
                raise psycopg.Rollback
            yield from found


def _drifts(connection: Transaction, workspaces: Sequence[str]) -> Iterator[str]:
    known = all_projections()
    rebuild = Rebuild(connection, known, known.keys(), workspaces)
    rebuild.build()
    # What is late is not wrong yet.
    catch_up(connection, rebuild.projections, workspaces)
    rebuild.catch_up()
    for projection in rebuild.wanted:
        for drift in rebuild.compare(projection, samples=1).drifts:
            changes = {name: dict(kinds) for name, kinds in drift.changes.items() if any(kinds.values())}
            if changes:
                some = sorted(changes)[:_SHOWN]
                yield (
                    f"{drift.table} is not what the events give, in {len(changes)} workspaces: "
                    f"{ {name: changes[name] for name in some} }, such as {drift.samples.get(some[0])}"
                )[:1_500]
