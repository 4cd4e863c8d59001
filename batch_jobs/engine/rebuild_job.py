"""What jobs that rebuild have in common: by hand, on whole workspaces, compared with what serves. Names no table."""

import logging
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from batch_jobs.engine.batch import PLAN_ROWS, Batch, Preparation
from batch_jobs.engine.catch_up import catch_up
from batch_jobs.engine.contract import Job
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.rebuild import Rebuild, Rebuilt
from batch_jobs.engine.transient import OvertakenError, is_transient
from batch_jobs.errors import BatchJobsError
from batch_jobs.store.database import Transaction

_log = logging.getLogger(__name__)

Wanted = Mapping[str, Collection[str]]
"""Workspace ids by the name of the projection that is wanted there."""


# A run ends in the ledger within the transaction in which it swaps. Old ones may be purged meanwhile.
_REBUILDS = """
    SELECT count(*), max(ended_at) FROM batch_jobs.job_runs
    WHERE workspace_id = ANY (%s) AND job = ANY (%s) AND status IN ('completed', 'warning')
      AND params ->> 'dry_run' = 'false'
"""
# Workspaces that an error names.
_NAMED = 3


class Prepared(NamedTuple):
    """What is built before the workspaces are locked.

    Attributes:
        rebuild: the rows beside.
        wanted: what is wanted where.
        rebuilds: how many runs have rebuilt something in these workspaces by then, and when the last one ended.
    """

    rebuild: Rebuild
    wanted: Wanted
    rebuilds: tuple[int, datetime | None]


class NotCaughtUpError(BatchJobsError):
    """The rows that serve are too wrong to take in what they lack."""


class RebuildJob(Job):
    """A job that rebuilds projections; its candidates are all workspaces unless a subclass knows better.

    It appends no event, so nothing is sent either, and its run moves no as-of date.
    """

    divisible = False
    by_hand_only = True
    catches_up = False
    chunk_load = 200_000
    side_by_side = True
    unit = "events"
    candidates = """
        SELECT s.workspace_id, s.workspace_id AS row_id, true AS due, w.head AS load
        FROM scope s JOIN batch_jobs.workspaces w ON w.workspace_id = s.workspace_id WHERE w.head > 0
    """

    @abstractmethod
    def projections(self) -> Mapping[str, Projection]:
        """All projections by name that there are to rebuild or to read."""

    @abstractmethod
    def wanted(self, preparation: Preparation) -> Wanted:
        """What is to be rebuilt where."""

    def prepare(self, preparation: Preparation) -> Prepared:
        """Build beside the rows that serve, while others go on writing. See `Job.prepare`."""
        wanted = self.wanted(preparation)
        workspaces = list(preparation.runs)
        rebuilds = _rebuilds(preparation.connection, workspaces)
        rebuild = Rebuild(preparation.connection, self.projections(), wanted.keys(), workspaces)
        rebuild.build(preparation.on_load)
        return Prepared(rebuild, wanted, rebuilds)

    def compared(self, batch: Batch, *, only: Mapping[str, str] | None = None) -> Iterator[Rebuilt]:
        """Each wanted projection with its drift, swapped after the caller has looked at it, unless it is a dry run.

        Args:
            batch: of a job of this class; its workspaces are locked.
            only: see `Rebuild.compare`.
        """
        rebuild, wanted, rebuilds = batch.prepared
        if rebuild.sources and _rebuilds(batch.connection, list(batch.runs)) != rebuilds:
            raise OvertakenError("projections were rebuilt while indexes were made from them")
        _catch_up_serving(batch, rebuild, scoped=only is not None)
        rebuild.catch_up()
        asked = {row.workspace_id for row in batch.rows}
        dry = any(run.parameters.dry_run for run in batch.runs.values())
        for projection in rebuild.wanted:
            workspaces = [name for name in wanted[projection.name] if name in asked]
            found = rebuild.compare(projection, workspaces=workspaces, only=only, samples=PLAN_ROWS if dry else 0)
            yield found
            if not dry:
                rebuild.swap(found, workspaces=workspaces, only=only)

    def count_drift(self, batch: Batch, found: Rebuilt, *, written: str, changed: str) -> None:
        """Count the rows that were built under one counter, those that differ under `changed` with the kind of change
        in its place, and show samples.
        """
        rows = {row.workspace_id: row for row in batch.rows}
        for drift in found.drifts:
            for workspace_id, number in drift.rows.items():
                batch.count(rows[workspace_id], written, number)
            for workspace_id, changes in drift.changes.items():
                for change, number in changes.items():
                    batch.count(rows[workspace_id], changed.format(change), number)
        self.show_drift(batch, found)

    def show_drift(self, batch: Batch, found: Rebuilt) -> None:
        """Show rows that differ to those who asked for a dry run."""
        rows = {row.workspace_id: row for row in batch.rows}
        for drift in found.drifts:
            for workspace_id, samples in drift.samples.items():
                for sample in samples:
                    batch.show(rows[workspace_id], {"projection": found.projection.name, **sample})

    def tell_readers(self, batch: Batch, found: Rebuilt, known: Iterable[Projection]) -> None:
        """Where rows are mended, name what was made of the wrong ones and is not rebuilt there by this run."""
        wanted, name = batch.prepared.wanted, found.projection.name
        for workspace_id in {workspace_id for drift in found.drifts for workspace_id in drift.changes}:
            readers = [one.name for one in known if name in one.after and workspace_id not in wanted.get(one.name, ())]
            if readers:
                outcome = batch.outcomes[workspace_id]
                also = f"rebuild what reads {name} as well: {', '.join(sorted(readers))}"
                outcome.note = f"{outcome.note}; {also}" if outcome.note else also

    def bury(self, batch: Batch, row: Any, found: Rebuilt) -> None:
        """Report the events of the row's workspace that the projection could not apply."""
        for letter in found.dead_letters:
            if letter.workspace_id == row.workspace_id:
                batch.dead_letter(row, found.projection.name, letter)


def _rebuilds(connection: Transaction, workspaces: Sequence[str]) -> tuple[int, datetime | None]:
    jobs = [job.name for job in RebuildJob.__subclasses__()]
    row = connection.execute(_REBUILDS, [workspaces, jobs]).fetchone()
    return (row[0], row[1]) if row else (0, None)


def _catch_up_serving(batch: Batch, rebuild: Rebuild, *, scoped: bool) -> None:
    """Let the rows that serve take in what they lack, so that what differs then is wrong and not late.

    Where they are too wrong for that, all that they lack shows as drift: of a workspace by itself, so that those beside
    it are compared in step. But a part of them can not be swapped then: the rest would lack events that the part has.
    And nothing can be derived from them.
    """
    workspaces = list(batch.runs)
    needed = rebuild.projections if scoped else rebuild.sources
    if needed:
        try:
            catch_up(batch.connection, needed, workspaces)
        except Exception as error:
            if is_transient(error):
                raise
            named = [*workspaces[:_NAMED], *(["…"] if len(workspaces) > _NAMED else [])]
            raise NotCaughtUpError(
                f"the projections of {', '.join(named)} can not be caught up: {error}; rebuild them as a whole first: "
                f"batch-jobs run rebuild_employee_projections --workspace {workspaces[0]} --param dry_run=false"
            ) from error
    try:
        with batch.connection.transaction():
            catch_up(batch.connection, rebuild.projections, workspaces)
    except Exception as error:
        if is_transient(error) or len(workspaces) > 1:
            raise
        _log.warning("the rows that serve can not be caught up, and are compared as they are: %s", error)
