"""Running a job over workspaces, chunk by chunk; what fails is halved until the guilty row is alone."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial

from batch_jobs.engine import job_runs
from batch_jobs.engine.batch import Outcome, RowError
from batch_jobs.engine.chunk_transaction import AlreadyEndedError, ChunkTransaction, InactiveError
from batch_jobs.engine.chunks import Chunk, pack
from batch_jobs.engine.contract import Job
from batch_jobs.engine.job_runs import Status
from batch_jobs.engine.need import candidate_rows
from batch_jobs.engine.progress import Progress, ProgressReport
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.transient import is_transient, patiently
from batch_jobs.engine.trouble import Pause
from batch_jobs.engine.unexpected import UnexpectedErrors
from batch_jobs.engine.work import Work
from batch_jobs.engine.workers import Worker, WorkerLostError
from batch_jobs.errors import BatchJobsError
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, shown_url

_log = logging.getLogger(__name__)

# More rows of a workspace than this that fail by themselves are no bad rows but a bad job: the workspace fails.
MOST_BLAMED_ROWS = 100
LONGEST_MESSAGE = 2_000
STOPPED = "stopped by hand"


class _StoppedError(Exception):
    """The run of the workspace was asked to stop."""


class Runner:
    """Carries work out.

    Args:
        database: where.
        projections: kept in step with what is appended, in order.
        worker: in whose name.
        settings: rows of a chunk, how many chunks at once, and what jobs need that work outside.
        should_stop: whether to end before the next chunk.
        on_finished: told the ids of runs as they end.
        on_progress: told how far the run is, after each chunk and each slice of a huge workspace.
    """

    def __init__(
        self,
        database: Database,
        projections: Sequence[Projection],
        worker: Worker,
        *,
        settings: Settings,
        should_stop: Callable[[], bool],
        on_finished: Callable[[Sequence[str]], None],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._database = database
        self._transaction = ChunkTransaction(database, projections, worker, settings)
        self._chunk_rows = settings.chunk_rows
        self._should_stop = should_stop
        self._on_finished = on_finished
        self._telling = threading.Lock()
        self._chunks_at_once = settings.chunks_at_once
        self._progress = ProgressReport(on_progress)
        self._trouble = Pause(database, on_trouble=self._report_trouble)
        self._unexpected = UnexpectedErrors(_log)

    def run(self, works: Sequence[Work]) -> None:
        """Do the work, run date by run date; every run ends in the ledger.

        Raises:
            WorkerLostError: this worker was given up, and its runs with it.
        """
        if works:
            rows = sum(sum(work.due.values()) for work in works)
            workspaces = sum(len(work.runs) for work in works)
            self._progress.begin(works[0].job.name, workspaces=workspaces, rows=rows, unit=works[0].job.unit)
        for work in works:
            at_most = work.job.chunk_load or self._chunk_rows
            chunks = pack(work.targets, work.due, at_most=at_most, divisible=work.job.divisible)
            if work.job.side_by_side and self._chunks_at_once > 1:
                self._do_side_by_side(work, chunks)
            else:
                for chunk in chunks:
                    self._do_chunk(work, chunk)

    def _do_side_by_side(self, work: Work, chunks: Iterable[Chunk]) -> None:
        """Work on a few chunks at a time: one is computed here while the database is at work for another."""
        with ThreadPoolExecutor(self._chunks_at_once, thread_name_prefix=work.job.name) as pool:
            tasks = [pool.submit(self._do_chunk, work, chunk) for chunk in chunks]
            try:
                for task in as_completed(tasks):
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()

    def _do_chunk(self, work: Work, chunk: Chunk) -> None:
        self._pause(work, chunk)
        self._do(work, chunk)
        rows = sum(work.due.get(target, 0) for target in chunk.targets)
        self._progress.end(workspaces=len(chunk.targets), rows=rows)

    def _do(self, work: Work, chunk: Chunk) -> None:
        """Work on whole workspaces in one transaction; where that fails on the halves, at last row by row."""
        left = patiently(lambda: self._start(work, chunk))
        if left is None:
            return
        if left.sliced:
            self._by_rows(work, left)
            return
        try:
            on_load = partial(self._on_load, work, left)
            patiently(lambda: self._transaction.do(work, left, ends=True, on_load=on_load))
        except WorkerLostError:
            raise
        except _StoppedError:
            names = [workspace_id for workspace_id, _ in left.targets]
            self._break_off(work, {name: Outcome() for name in names}, "stopped", dict.fromkeys(names, STOPPED))
            return
        except AlreadyEndedError:
            pass
        except InactiveError as inactive:
            self._break_off(work, {name: Outcome() for name in inactive.messages}, "failed", inactive.messages)
            rest = tuple(target for target in left.targets if target[0] not in inactive.messages)
            if rest:
                self._do(work, Chunk(rest))
            return
        except Exception as error:  # whatever a job raises is narrowed down to the guilty row
            halves = left.halves()
            if is_transient(error) or (halves is None and not work.job.divisible):
                self._fail(work, [workspace_id for workspace_id, _ in left.targets], error)
            elif halves is None:
                self._by_rows(work, left)
            else:
                for half in halves:
                    self._do(work, half)
            return
        self._tell(work, [workspace_id for workspace_id, _ in left.targets])

    def _on_load(self, work: Work, chunk: Chunk, load: int) -> None:
        """Tell how far the work within a chunk is; break it off when all of its runs were asked to stop."""
        if self._stops([work.runs[workspace_id].job_run_id for workspace_id, _ in chunk.targets]):
            raise _StoppedError
        self._progress.reach(load)

    def _start(self, work: Work, chunk: Chunk) -> Chunk | None:
        """Mark the chunk's runs as started. Returns what is left of the chunk after those that were stopped."""
        ids = {work.runs[workspace_id].job_run_id: (workspace_id, day) for workspace_id, day in chunk.targets}
        stopped = set(ids) if self._should_stop() else set()
        with self._database.owner() as connection:
            stopped |= job_runs.stop_requested(connection, list(ids))
            job_runs.start(connection, [job_run_id for job_run_id in ids if job_run_id not in stopped])
        names = [ids[job_run_id][0] for job_run_id in ids if job_run_id in stopped]
        if names:
            self._break_off(work, {name: Outcome() for name in names}, "stopped", dict.fromkeys(names, STOPPED))
        targets = tuple(target for job_run_id, target in ids.items() if job_run_id not in stopped)
        return replace(chunk, targets=targets) if targets else None

    def _by_rows(self, work: Work, chunk: Chunk) -> None:
        """Work on one workspace in several transactions; its run ends when all rows are done."""
        ((workspace_id, _),) = chunk.targets
        total = Outcome()
        try:
            # Without any of its rows: where that fails as well, no row is to blame.
            patiently(lambda: self._transaction.do(work, replace(chunk, row_ids=()), ends=False))
            for row_ids in self._slices(work, chunk):
                self._pause(work, chunk)
                self._rows(work, replace(chunk, row_ids=row_ids), total)
                self._progress.reach(min(total.due, work.due.get(chunk.targets[0], 0)))
            patiently(lambda: self._transaction.finish(work, chunk.targets, {workspace_id: total}))
        except WorkerLostError:
            raise
        except AlreadyEndedError:
            pass
        except _StoppedError:
            self._break_off(work, {workspace_id: total}, "stopped", {workspace_id: STOPPED})
            return
        except Exception as error:  # the workspace fails, the others go on
            self._fail(work, [workspace_id], error, total)
            return
        self._tell(work, [workspace_id])

    def _rows(self, work: Work, part: Chunk, total: Outcome) -> None:
        """Work on rows of one workspace in one transaction; where that fails on the halves, and blame a single row."""
        ((workspace_id, _),) = part.targets
        if patiently(lambda: self._stops([work.runs[workspace_id].job_run_id])):
            raise _StoppedError
        try:
            outcomes = patiently(lambda: self._transaction.do(work, part, ends=False))
        except (WorkerLostError, InactiveError):
            raise
        except Exception as error:
            halves = part.halves()
            if is_transient(error):
                raise
            if halves is None:
                row_id = (part.row_ids or ("",))[0]
                self._unexpected.note(error, f'{work.job.name} can not work on row "{row_id}" of {workspace_id}')
                _blame(total, work.job, row_id, error)
            else:
                for half in halves:
                    self._rows(work, half, total)
        else:
            total.merge(outcomes[workspace_id])

    def _slices(self, work: Work, chunk: Chunk) -> Iterator[tuple[str, ...]]:
        """The ids of the workspace's rows, a chunk's worth at a time."""
        last: str | None = None
        while True:
            row_ids = patiently(partial(self._slice, work, chunk, last))
            if not row_ids:
                return
            yield row_ids
            last = row_ids[-1]

    def _slice(self, work: Work, chunk: Chunk, after: str | None) -> tuple[str, ...]:
        with self._database.worker([workspace_id for workspace_id, _ in chunk.targets]) as connection:
            rows = candidate_rows(
                connection,
                work.job,
                chunk.targets,
                work.parameters,
                work.narrowing,
                after_row=after,
                limit=self._chunk_rows,
            )
        return tuple(row.row_id for row in rows)

    def _fail(self, work: Work, workspaces: Sequence[str], error: Exception, outcome: Outcome | None = None) -> None:
        self._unexpected.note(error, f"{work.job.name} failed for {', '.join(workspaces[:3])}")
        message = (
            _one_line(error) if isinstance(error, BatchJobsError) else f"{type(error).__name__}: {_one_line(error)}"
        )
        outcomes = {name: outcome or Outcome() for name in workspaces}
        self._break_off(work, outcomes, "failed", dict.fromkeys(workspaces, message[:LONGEST_MESSAGE]))

    def _break_off(
        self, work: Work, outcomes: Mapping[str, Outcome], status: Status, messages: Mapping[str, str]
    ) -> None:
        def note() -> None:
            with self._database.worker(list(outcomes)) as connection:
                work.break_off(connection, outcomes, status, messages)

        patiently(note)
        self._tell(work, outcomes)

    def _pause(self, work: Work, chunk: Chunk) -> None:
        """Wait while the database is in trouble, unless the chunk's runs were asked to stop."""
        ids = [work.runs[workspace_id].job_run_id for workspace_id, _ in chunk.targets]
        patiently(lambda: self._trouble(lambda: self._stops(ids)))

    def _stops(self, job_run_ids: Sequence[str]) -> bool:
        """Whether all of these runs were asked to stop."""
        if self._should_stop():
            return True
        with self._database.owner() as connection:
            return job_runs.stop_requested(connection, job_run_ids) == set(job_run_ids)

    def _tell(self, work: Work, workspaces: Iterable[str]) -> None:
        with self._telling:
            self._on_finished([work.runs[workspace_id].job_run_id for workspace_id in workspaces])

    def _report_trouble(self, trouble: str | None) -> None:
        if trouble:
            _log.warning("%s pauses, as the database is in trouble: %s", self._progress.job, trouble)
        self._progress.wait(trouble)


def _blame(outcome: Outcome, job: Job, row_id: str, error: Exception) -> None:
    """Note that a row can not be worked on. Raises the error when there are too many of them."""
    outcome.blamed += 1
    if outcome.blamed > MOST_BLAMED_ROWS:
        raise error
    outcome.rows += 1
    outcome.counters[job.error_counter] += 1
    message = f"{job.name} can not work on this row: {_one_line(error)}"[:LONGEST_MESSAGE]
    outcome.add_error(RowError(row_id, "row", row_id, type(error).__name__, message))


def _one_line(error: Exception) -> str:
    return " ".join(shown_url(str(error)).split())
