"""Brings projections and search indexes in step with what workspaces have recorded, all day long."""

from datetime import date
from typing import Any

from pydantic import Field

from batch_jobs import search
from batch_jobs.engine.batch import Batch
from batch_jobs.engine.catch_up import BEHIND, behind_values, catch_up, move_as_of
from batch_jobs.engine.contract import Counter, Job, Parameters


class SyncParameters(Parameters):
    """Parameters of the job."""

    dry_run: bool = Field(
        default=False,
        description="Do all the work, undo it, and report the same counters; the rows themselves are not listed. "
        "Nothing is changed.",
    )


class SyncProjections(Job):
    """Other jobs catch up the workspaces that they work on; this one does it for all that record something, soon after
    they did (domain 6.2). One whose events can not be folded fails by itself.
    """

    name = "sync_projections"
    description = "Brings projections and search indexes in step with what workspaces have recorded."
    parameters = SyncParameters
    counters = (
        Counter("events_applied", "events that were not in every projection yet"),
        Counter("rows_changed", "rows of projections added, changed or removed"),
        Counter("documents_changed", "documents of search indexes added, changed or removed"),
        Counter("dead_letters", "events that a projection could not apply", warns=True),
    )
    error_counter = "dead_letters"
    continuous = True
    catches_up = False
    divisible = False
    chunk_load = 200_000
    unit = "events"
    candidates = f"""
        SELECT s.workspace_id, s.workspace_id AS row_id, true AS due, b.events AS load
        FROM scope s JOIN ({BEHIND}) b ON b.workspace_id = s.workspace_id
    """
    # The first event that some projection lacks.
    waiting_since = f"""
        SELECT b.workspace_id, e.recorded_at
        FROM ({BEHIND}) b
        JOIN batch_jobs.workspaces w ON w.workspace_id = b.workspace_id AND w.status = 'active'
        JOIN batch_jobs.events e ON e.workspace_id = b.workspace_id AND e.position = w.head - b.events + 1
    """

    def arguments(self, run_date: date, parameters: Parameters) -> dict[str, Any]:
        """See `Job.arguments`."""
        return {**behind_values(search.with_projections().values()), "workspaces": None}

    def decide(self, batch: Batch) -> None:
        """Fold what is missing, as of the run date, and count what that changed."""
        rows = {row.workspace_id: row for row in batch.rows}
        move_as_of(batch.connection, [(name, batch.runs[name].run_date) for name in rows])
        done = catch_up(batch.connection, list(search.with_projections().values()), list(rows))
        applied: dict[str, int] = {}
        for one in done.caught_up:
            applied[one.workspace_id] = max(one.lag, applied.get(one.workspace_id, 0))
        for name, events in applied.items():
            batch.count(rows[name], "events_applied", events)
        for projection, changes in done.changes.items():
            counter = "documents_changed" if projection in search.registry() else "rows_changed"
            for name, number in changes.items():
                batch.count(rows[name], counter, number)
        for projection, letters in done.letters.items():
            for letter in letters:
                batch.dead_letter(rows[letter.workspace_id], projection, letter)
