"""One transaction of a job: lock the chunk's workspaces, catch up, decide, append, catch up, end their runs."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import psycopg

from batch_jobs.engine.admission import refusal
from batch_jobs.engine.batch import PLAN_ROWS, Batch, Outcome, Outside, Preparation
from batch_jobs.engine.catch_up import catch_up, move_as_of
from batch_jobs.engine.chunks import Chunk
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.need import Narrowing, candidate_rows
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.work import Work
from batch_jobs.engine.workers import Worker
from batch_jobs.errors import BatchJobsError
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.events import append, lock_workspaces

_INACTIVE = """
    SELECT workspace_id, status FROM batch_jobs.workspaces WHERE workspace_id = ANY (%s) AND status <> ALL (%s)
"""


class AlreadyEndedError(Exception):
    """The runs have ended: an earlier try was committed, though the answer to its commit was lost."""


class InactiveError(BatchJobsError):
    """Workspaces were suspended or deleted since the run was asked for."""

    def __init__(self, found: Mapping[str, str], statuses: Collection[str]) -> None:
        self.messages = {name: refusal(name, status, statuses) for name, status in found.items()}
        super().__init__("; ".join(self.messages.values()))


class ChunkTransaction:
    """How each transaction of a run goes.

    Args:
        database: where.
        projections: kept in step with what is appended, in order.
        worker: in whose name.
        settings: of the installation, for jobs that work outside.
    """

    def __init__(
        self, database: Database, projections: Sequence[Projection], worker: Worker, settings: Settings
    ) -> None:
        self._database = database
        self._projections = projections
        self._worker = worker
        self._settings = settings

    def do(
        self, work: Work, chunk: Chunk, *, ends: bool, on_load: Callable[[int], None] = lambda _: None
    ) -> dict[str, Outcome]:
        """Work on a chunk.

        Args:
            work: what is asked for.
            chunk: the part of it.
            ends: whether the chunk's runs end with it.
            on_load: see `Preparation`.

        Returns:
            What came of each workspace.

        Raises:
            WorkerLostError: this worker was given up.
            InactiveError: some workspaces may not be worked on.
            AlreadyEndedError: nothing was left to do.
        """
        workspaces = [workspace_id for workspace_id, _ in chunk.targets]
        runs = {name: work.runs[name] for name in workspaces}
        if not work.dry:
            work.job.reach_out(Outside(self._database, self._settings, runs, on_load))
        with self._database.worker(workspaces) as connection:
            self._worker.fence(connection)
            prepared = work.job.prepare(Preparation(connection, runs, on_load))
            lock_workspaces(connection, workspaces)
            statuses = work.job.workspace_statuses
            inactive = connection.execute(_INACTIVE, [workspaces, sorted(statuses)]).fetchall()
            if inactive:
                raise InactiveError(dict(inactive), statuses)
            if work.job.catches_up:
                catch_up(connection, self._projections, workspaces)
            batch = self._decide(connection, work, chunk, prepared)
            append(connection, batch.events)
            if work.dry:
                _note_plans(batch)
                # Undoes everything and leaves the block, without an error.
                raise psycopg.Rollback
            if ends:
                self._end(connection, work, chunk.targets, batch.outcomes)
            else:
                catch_up(connection, self._projections, workspaces)
        if ends and work.dry:
            self.finish(work, chunk.targets, batch.outcomes)
        return batch.outcomes

    def finish(self, work: Work, targets: Sequence[Target], outcomes: Mapping[str, Outcome]) -> None:
        """End runs whose work is done. Raises as `do`."""
        workspaces = [workspace_id for workspace_id, _ in targets]
        with self._database.worker(workspaces) as connection:
            self._worker.fence(connection)
            if not work.dry:
                lock_workspaces(connection, workspaces)
            self._end(connection, work, targets, outcomes)

    def _decide(self, connection: Transaction, work: Work, chunk: Chunk, prepared: Any) -> Batch:
        job, narrowing = work.job, work.narrowing
        if chunk.row_ids is not None:
            narrowing = Narrowing(narrowing.employees, chunk.row_ids)
        rows = candidate_rows(connection, job, chunk.targets, work.parameters, narrowing)
        runs = {workspace_id: work.runs[workspace_id] for workspace_id, _ in chunk.targets}
        batch = Batch(
            rows,
            runs,
            connection,
            job=job.name,
            counters=[counter.name for counter in job.counters],
            warning_counters=job.warning_counters,
            error_counter=job.error_counter,
            employees=narrowing.employees,
            prepared=prepared,
        )
        if rows:
            job.decide(batch)
        return batch

    def _end(
        self, connection: Transaction, work: Work, targets: Sequence[Target], outcomes: Mapping[str, Outcome]
    ) -> None:
        if not work.dry and not work.job.by_hand_only:
            # One for troubleshooting is to give the rows as they should be, not those of another day.
            move_as_of(connection, targets)
            catch_up(connection, self._projections, [workspace_id for workspace_id, _ in targets])
        if not work.finish(connection, outcomes):
            raise AlreadyEndedError


def _note_plans(batch: Batch) -> None:
    """The rows of a dry run: the events it would append, the first of each workspace."""
    for event in batch.events:
        plan: list[dict[str, Any]] = batch.outcomes[event.workspace_id].plan
        if len(plan) < PLAN_ROWS:
            plan.append(
                {
                    "type": event.type,
                    "event_id": str(event.event_id),
                    "occurred_at": event.occurred_at.isoformat(),
                    "employee_id": event.employee_id,
                    "targets": event.targets,
                    "payload": json.loads(event.payload),
                }
            )
