"""Bringing projections in step in many workspaces: a few a transaction, and one that fails does not stop the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from batch_jobs.engine.catch_up import CatchUpResult, behind, catch_up
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.transient import is_transient, patiently
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces

# Events folded in one transaction: enough for speed, few enough that progress is seen and locks are short.
GROUP_EVENTS = 200_000
GROUP_WORKSPACES = 200
# A process that hangs must not keep the workspaces' locks.
IDLE_LIMIT = "45s"


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
        try:
            part = patiently(partial(_catch_up_group, database, projections, group))
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
        done += sum(lagging[workspace_id] for workspace_id in group)
        on_progress(done, total)
    return result, failed


def _catch_up_group(database: Database, projections: Sequence[Projection], group: list[str]) -> CatchUpResult:
    with database.worker(group) as connection:
        connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_LIMIT}'")
        lock_workspaces(connection, group)
        return catch_up(connection, projections, group)


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
