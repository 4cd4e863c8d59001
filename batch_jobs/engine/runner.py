"""Running one job over workspaces of one run date: a transaction a chunk, split until the guilty row is alone."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from batch_jobs.engine import job_runs
from batch_jobs.engine.batch import Batch, Outcome, RowError, WorkspaceRun
from batch_jobs.engine.catch_up import catch_up
from batch_jobs.engine.chunks import Chunk, pack
from batch_jobs.engine.contract import Job, Parameters
from batch_jobs.engine.job_runs import Ending, Status, Target
from batch_jobs.engine.need import candidate_rows
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.workers import Worker, WorkerLostError
from batch_jobs.store.database import Database, Transaction
from batch_jobs.store.events import append, lock_workspaces

PLAN_ROWS = 100
# A database that is in trouble gets a moment to recover before the workspaces of the chunk fail.
RETRY_PAUSES = (0.2, 1.0, 3.0)
# More single rows than this that fail by themselves are no bad rows but a bad job: the workspace fails.
MOST_GUILTY_ROWS = 100
# A worker that hangs in a transaction (a stopped process, a lost network) must not hold the workspace's lock for ever.
IDLE_LIMIT_SECONDS = 45

_MARK_AS_OF = """
    UPDATE batch_jobs.workspaces w SET last_run_date = greatest(w.last_run_date, r.run_date)
    FROM unnest(%s::text[], %s::date[]) AS r(workspace_id, run_date) WHERE w.workspace_id = r.workspace_id
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: workspaces and rows done, of how many."""

    job: str
    workspaces_done: int
    workspaces: int
    rows_done: int
    rows: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a runner is asked to do.

    Attributes:
        job: the job.
        parameters: of its class.
        runs: the run of each workspace, all of one run date.
        due: how many rows are due in each.
        employees: for workspaces where only some employees are wanted, which.
        row_ids: for workspaces where only some rows are wanted, which.
    """

    job: Job
    parameters: Parameters
    runs: Mapping[str, WorkspaceRun]
    due: Mapping[Target, int]
    employees: Mapping[str, Sequence[str]] = field(default_factory=dict)
    row_ids: Mapping[str, Sequence[str]] = field(default_factory=dict)


class _Undone(Exception):  # noqa: N818 - no error: it leaves the transaction without a commit
    """Carries what a chunk would have done out of the transaction that it undoes."""


class _AlreadyEndedError(Exception):
    """Somebody else ended a run of the chunk, so this worker's share in it is void."""


class _InactiveError(Exception):
    """Workspaces of the chunk were suspended or deleted since the run was asked for."""

    def __init__(self, statuses: Mapping[str, str]) -> None:
        super().__init__(", ".join(f'workspace "{name}" is {status}' for name, status in statuses.items()))
        self.statuses = statuses


class Runner:
    """Carries work out.

    Args:
        database: where.
        projections: kept in step with what is appended, in order.
        worker: in whose name.
        chunk_rows: rows of a chunk.
        should_stop: whether to end before the next chunk.
        on_finished: told the ids of runs as they end.
        on_progress: told how far the run is after each chunk.
    """

    def __init__(
        self,
        database: Database,
        projections: Sequence[Projection],
        worker: Worker,
        *,
        chunk_rows: int,
        should_stop: Callable[[], bool],
        on_finished: Callable[[Sequence[str]], None],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._database = database
        self._projections = projections
        self._worker = worker
        self._chunk_rows = chunk_rows
        self._should_stop = should_stop
        self._on_finished = on_finished
        self._on_progress = on_progress

    def run(self, work: Work) -> None:
        """Do the work, chunk by chunk; every run ends in the ledger."""
        targets = [(workspace_id, run.run_date) for workspace_id, run in sorted(work.runs.items())]
        rows_total, rows_done, done = sum(work.due.get(target, 0) for target in targets), 0, 0
        for chunk in pack(targets, work.due, at_most=self._chunk_rows):
            started = self._start(work, chunk)
            if started is not None:
                self._do(work, started)
            done += len(chunk.targets)
            rows_done += sum(work.due.get(target, 0) for target in chunk.targets)
            self._on_progress(Progress(work.job.name, done, len(targets), rows_done, rows_total))

    def _start(self, work: Work, chunk: Chunk) -> Chunk | None:
        """Mark the chunk's runs as started. Returns what is left of the chunk after those that were stopped."""
        ids = {work.runs[workspace_id].job_run_id: (workspace_id, day) for workspace_id, day in chunk.targets}
        with self._database.owner() as connection:
            if self._should_stop():
                for job_run_id in ids:
                    job_runs.request_stop(connection, job_run_id)
            status = job_runs.start(connection, list(ids))
        self._on_finished([job_run_id for job_run_id in ids if status.get(job_run_id) == "stopped"])
        targets = tuple(target for job_run_id, target in ids.items() if status.get(job_run_id) == "started")
        return Chunk(targets, chunk.row_ids, chunk.sliced) if targets else None

    def _do(self, work: Work, chunk: Chunk) -> None:
        """Work on a chunk of whole workspaces, in one transaction if all goes well."""
        if chunk.sliced:
            self._by_rows(work, chunk)
            return
        try:
            self._transact(work, chunk, ends=True)
        except WorkerLostError:
            raise
        except _InactiveError as inactive:
            self._leave_out(work, chunk, inactive.statuses)
        except psycopg.OperationalError as error:
            self._fail(work, chunk, error)
        except Exception as error:  # whatever a job raises is narrowed down to the guilty row
            halves = chunk.halves()
            if halves:
                for half in halves:
                    self._do(work, half)
            elif work.job.divisible:
                self._by_rows(work, chunk)
            else:
                self._fail(work, chunk, error)

    def _by_rows(self, work: Work, chunk: Chunk) -> None:
        """Work on one workspace in several transactions; its run ends when all rows are done."""
        ((workspace_id, _),) = chunk.targets
        run = work.runs[workspace_id]
        total = Outcome()
        plan: list[dict[str, Any]] = []
        guilty = 0
        try:
            for row_ids in self._slices(work, chunk):
                waiting = [Chunk(chunk.targets, tuple(row_ids))]
                while waiting:
                    if self._stops(run.job_run_id):
                        self._end(work, workspace_id, total, ended="stopped", message="stopped by hand", plan=plan)
                        return
                    part = waiting.pop(0)
                    try:
                        outcome, rows = self._transact(work, part, ends=False)
                        total.merge(outcome[workspace_id])
                        plan += rows.get(workspace_id, [])[: PLAN_ROWS - len(plan)]
                    except (psycopg.OperationalError, WorkerLostError, _InactiveError):
                        raise
                    except Exception as error:
                        halves = part.halves()
                        if halves:
                            waiting = [*halves, *waiting]
                            continue
                        guilty += 1
                        if guilty > MOST_GUILTY_ROWS:
                            raise
                        (row_id,) = part.row_ids or ("",)
                        _add_guilty(total, work.job, row_id, error)
        except WorkerLostError:
            raise
        except Exception as error:  # the workspace fails, the others go on
            self._fail(work, chunk, error, total)
            return
        self._end(work, workspace_id, total, plan=plan)

    def _slices(self, work: Work, chunk: Chunk) -> Iterator[list[str]]:
        """The ids of the workspace's rows, a chunk's worth at a time."""
        ((workspace_id, _),) = chunk.targets
        last: str | None = None
        while True:
            with self._database.worker([workspace_id]) as connection:
                rows = self._candidates(connection, work, chunk, after_row=last, limit=self._chunk_rows)
            if not rows:
                return
            yield [row.row_id for row in rows]
            last = rows[-1].row_id

    def _candidates(self, connection: Transaction, work: Work, chunk: Chunk, **limits: Any) -> list[Any]:
        if chunk.row_ids is not None:
            limits["row_ids"] = chunk.row_ids
        if not work.employees and not work.row_ids:
            return candidate_rows(connection, work.job, chunk.targets, **limits)
        found: list[Any] = []
        for target in chunk.targets:
            chosen = work.row_ids.get(target[0])
            narrow = dict(limits)
            if chosen is not None and chunk.row_ids is None:
                narrow["row_ids"] = chosen
            found += candidate_rows(connection, work.job, [target], employees=work.employees.get(target[0]), **narrow)
        return found

    def _transact(
        self, work: Work, chunk: Chunk, *, ends: bool
    ) -> tuple[dict[str, Outcome], dict[str, list[dict[str, Any]]]]:
        """Work on a chunk in one transaction.

        Args:
            work: what is asked for.
            chunk: the part of it.
            ends: whether the chunk's runs end with it.

        Returns:
            What came of each workspace, and for a dry run the rows it would have written.
        """
        for pause in (*RETRY_PAUSES, None):
            try:
                return self._transact_once(work, chunk, ends=ends)
            except _AlreadyEndedError:
                return {target[0]: Outcome() for target in chunk.targets}, {}
            except psycopg.OperationalError:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _transact_once(
        self, work: Work, chunk: Chunk, *, ends: bool
    ) -> tuple[dict[str, Outcome], dict[str, list[dict[str, Any]]]]:
        workspaces = [workspace_id for workspace_id, _ in chunk.targets]
        plans: dict[str, list[dict[str, Any]]] = {}
        dry = work.parameters.dry_run
        with self._undo_if(dry), self._database.worker(workspaces) as connection:
            connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_LIMIT_SECONDS}s'")
            self._worker.fence(connection)
            lock_workspaces(connection, workspaces)
            _check_active(connection, workspaces)
            catch_up(connection, self._projections, workspaces)
            rows = self._candidates(connection, work, chunk)
            batch = Batch(work.job.name, work.job.error_counter, rows, _of(work.runs, workspaces), connection)
            work.job.decide(batch)
            for row in rows:
                batch.outcomes[row.workspace_id].rows += 1
            append(connection, batch.events)
            if dry:
                plans = _plans(batch)
            if ends and not dry:
                connection.execute(_MARK_AS_OF, [workspaces, [day for _, day in chunk.targets]])
            catch_up(connection, self._projections, workspaces)
            if ends and not dry:
                self._finish(connection, work, chunk, batch.outcomes, plans)
            if dry:
                raise _Undone
        if ends:
            if dry:
                with self._database.owner() as connection:
                    self._finish(connection, work, chunk, batch.outcomes, plans)
            self._on_finished([work.runs[workspace_id].job_run_id for workspace_id in workspaces])
        return batch.outcomes, plans

    @contextmanager
    def _undo_if(self, dry: bool) -> Iterator[None]:
        try:
            yield
        except _Undone:
            assert dry

    def _finish(
        self,
        connection: Transaction,
        work: Work,
        chunk: Chunk,
        outcomes: Mapping[str, Outcome],
        plans: Mapping[str, list[dict[str, Any]]],
    ) -> None:
        dry = work.parameters.dry_run
        endings = []
        idle = [target for target in chunk.targets if not work.due.get(target)]
        reasons = work.job.idle_reasons(connection, idle) if idle else {}
        for workspace_id, _ in chunk.targets:
            outcome = outcomes[workspace_id]
            counters = self._counters(work.job, outcome, reasons.get(workspace_id))
            plan = plans.get(workspace_id, []) if dry else None
            status = self._status(work.job, outcome)
            endings.append(
                Ending(work.runs[workspace_id].job_run_id, workspace_id, status, outcome, counters, plan=plan)
            )
        if len(job_runs.finish(connection, endings)) < len(endings):
            raise _AlreadyEndedError

    def _end(
        self,
        work: Work,
        workspace_id: str,
        outcome: Outcome,
        *,
        ended: Status | None = None,
        message: str | None = None,
        plan: Sequence[dict[str, Any]] = (),
    ) -> None:
        """End the run of one workspace in a transaction of its own: as `ended`, or as its counters say."""
        run = work.runs[workspace_id]
        ending = Ending(
            run.job_run_id,
            workspace_id,
            ended or self._status(work.job, outcome),
            outcome,
            self._counters(work.job, outcome, None),
            message,
            list(plan) if work.parameters.dry_run else None,
        )
        with self._database.worker([workspace_id]) as connection:
            if ended is None and not work.parameters.dry_run:
                lock_workspaces(connection, [workspace_id])
                connection.execute(_MARK_AS_OF, [[workspace_id], [run.run_date]])
                catch_up(connection, self._projections, [workspace_id])
            job_runs.finish(connection, [ending])
        self._on_finished([run.job_run_id])

    def _leave_out(self, work: Work, chunk: Chunk, statuses: Mapping[str, str]) -> None:
        """Fail the workspaces that are not active any more, and do the others."""
        for target in chunk.targets:
            if target[0] in statuses:
                self._fail(work, Chunk((target,)), _InactiveError({target[0]: statuses[target[0]]}))
        rest = tuple(target for target in chunk.targets if target[0] not in statuses)
        if rest:
            self._do(work, Chunk(rest))

    def _fail(self, work: Work, chunk: Chunk, error: Exception, outcome: Outcome | None = None) -> None:
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"[:2_000]
        for workspace_id, _ in chunk.targets:
            self._end(work, workspace_id, outcome or Outcome(), ended="failed", message=message)

    def _stops(self, job_run_id: str) -> bool:
        with self._database.owner() as connection:
            return self._should_stop() or bool(job_runs.stop_requested(connection, [job_run_id]))

    @staticmethod
    def _counters(job: Job, outcome: Outcome, idle_reason: str | None) -> dict[str, Any]:
        counters: dict[str, Any] = {counter.name: outcome.counters.get(counter.name, 0) for counter in job.counters}
        if idle_reason is not None:
            counters["skipped_reason"] = idle_reason
        return counters

    @staticmethod
    def _status(job: Job, outcome: Outcome) -> Status:
        return "warning" if any(outcome.counters[name] for name in job.warning_counters) else "completed"


def _check_active(connection: Transaction, workspaces: Sequence[str]) -> None:
    rows = connection.execute(
        "SELECT workspace_id, status FROM batch_jobs.workspaces WHERE workspace_id = ANY (%s) AND status <> 'active'",
        [list(workspaces)],
    ).fetchall()
    if rows:
        raise _InactiveError(dict(rows))


def _add_guilty(outcome: Outcome, job: Job, row_id: str, error: Exception) -> None:
    outcome.counters[job.error_counter] += 1
    outcome.rows += 1
    message = f"{job.name} can not work on this row: {' '.join(str(error).split())}"[:2_000]
    outcome.add_error(RowError(row_id, "row", row_id, type(error).__name__, message))


def _plans(batch: Batch) -> dict[str, list[dict[str, Any]]]:
    """The rows of a dry run: the events it would append, the first of each workspace."""
    import json

    plans: dict[str, list[dict[str, Any]]] = {}
    for event in batch.events:
        rows = plans.setdefault(event.workspace_id, [])
        if len(rows) < PLAN_ROWS:
            rows.append(
                {
                    "type": event.type,
                    "event_id": str(event.event_id),
                    "occurred_at": event.occurred_at.isoformat(),
                    "employee_id": event.employee_id,
                    "targets": event.targets,
                    "payload": json.loads(event.payload),
                }
            )
    return plans


def _of(runs: Mapping[str, WorkspaceRun], workspaces: Sequence[str]) -> dict[str, WorkspaceRun]:
    return {workspace_id: runs[workspace_id] for workspace_id in workspaces}
