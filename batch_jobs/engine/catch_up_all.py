"""Bringing projections in step in many workspaces: a few a transaction, and one that fails does not stop the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from batch_jobs.engine.catch_up import CatchUp, CatchUpResult, behind, catch_up
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.rebuild import Rebuild
from batch_jobs.engine.transient import is_transient, patiently
from batch_jobs.store.database import Database, Transaction, limit_idle
from batch_jobs.store.events import lock_workspaces

# Events folded in one transaction: enough for speed, few enough that progress is seen and locks are short.
GROUP_EVENTS = 200_000
GROUP_WORKSPACES = 200
# From so many on the tables beside, without locks and log of transactions, are worth their making.
MANY_EVENTS = 20_000


def catch_up_all(
    database: Database,
    projections: Sequence[Projection],
    workspaces: Sequence[str] | None,
    on_progress: Callable[[int, int], None],
) -> tuple[CatchUpResult, dict[str, Exception]]:
    """Catch up what is behind.

    Args:
        database: where.
        projections: in order.
        workspaces: only these, None for all.
        on_progress: told how many events are done, of how many.

    Returns:
        What was done, and the workspaces where it was not possible, with the reason.
    """
    with database.reader() as connection:
        lagging = behind(connection, projections, workspaces)
    result, failed = CatchUpResult(), dict[str, Exception]()
    total, done = sum(lagging.values()), 0
    waiting = list(_groups(lagging))
    while waiting:
        group = waiting.pop(0)
        events = sum(lagging[workspace_id] for workspace_id in group)
        try:
            part = patiently(partial(_catch_up_group, database, projections, group, events))
        except Exception as error:
            if is_transient(error):
                raise
            if len(group) > 1:
                middle = len(group) // 2
                waiting = [group[:middle], group[middle:], *waiting]
                continue
            failed[group[0]] = error
        else:
            result.merge(part)
        done += events
        on_progress(done, total)
    return result, failed


def _catch_up_group(
    database: Database, projections: Sequence[Projection], group: list[str], events: int
) -> CatchUpResult:
    with database.worker(group) as connection:
        limit_idle(connection)
        rebuild = None
        if events >= MANY_EVENTS and not _any_begun(connection, group):
            # Before the lock: others go on writing, and what they write is caught up under it.
            everything = {one.name: one for one in projections}
            rebuild = Rebuild(connection, everything, everything, group)
            rebuild.build()
        lock_workspaces(connection, group)
        if rebuild is None or _any_begun(connection, group):
            return catch_up(connection, projections, group)
        return _put_in(rebuild)


def _any_begun(connection: Transaction, group: list[str]) -> bool:
    begun = "SELECT FROM batch_jobs.checkpoints WHERE workspace_id = ANY (%s) LIMIT 1"
    return connection.execute(begun, [group]).rowcount > 0


def _put_in(rebuild: Rebuild) -> CatchUpResult:
    """Put all rows of workspaces that had none at once into the tables that serve."""
    rebuild.catch_up()
    result = CatchUpResult()
    for projection in rebuild.wanted:
        found = rebuild.compare(projection)
        rebuild.swap(found)
        for drift in found.drifts:
            result.changes[projection.name] += {name: sum(kinds.values()) for name, kinds in drift.changes.items()}
        result.letters[projection.name] += found.dead_letters
        result.caught_up += [
            CatchUp(name, projection.name, goal.position, goal.as_of, goal.position)
            for name, goal in rebuild.goals.items()
        ]
    return result


def _groups(lagging: Mapping[str, int]) -> Iterator[list[str]]:
    group: list[str] = []
    load = 0
    for workspace_id, events in lagging.items():
        if group and (load + events > GROUP_EVENTS or len(group) >= GROUP_WORKSPACES):
            yield group
            group, load = [], 0
        group.append(workspace_id)
        load += events
    if group:
        yield group
