"""What a run's log says of its job runs: how far it is every few seconds, and each failure, without a flood."""

import time
from collections.abc import Callable, Sequence
from logging import Logger

from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.progress import Progress
from batch_jobs.engine.time_left import time_left

EVERY_SECONDS = 5.0
# A line of a log is an event in Dagster's database.
MOST_FAILURES = 50


class ProgressLog:
    """Callbacks for the engine that write to a log.

    Args:
        log: the op's.
        seconds: a clock that only moves forward.
    """

    def __init__(self, log: Logger, seconds: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._seconds = seconds
        self._begun = seconds()
        self._due = self._begun + EVERY_SECONDS
        self._trouble: str | None = None
        self._failures = 0

    def progress(self, progress: Progress) -> None:
        """Say how far the run is, when it was not said for a while, and at once what it waits for."""
        if progress.trouble != self._trouble:
            self._trouble = progress.trouble
            if progress.trouble:
                self._log.warning(f"{progress.job} pauses, as the database is in trouble: {progress.trouble}")
            else:
                self._log.info(f"{progress.job} goes on")
        if self._seconds() >= self._due:
            self._due = self._seconds() + EVERY_SECONDS
            left = time_left(progress.rows_done, progress.rows, self._seconds() - self._begun)
            self._log.info(
                f"{progress.job}: {progress.workspaces_done:,} of {progress.workspaces:,} workspaces, "
                f"{progress.rows_done:,} of {progress.rows:,} {progress.unit}" + (f", {left}" if left else "")
            )

    def finished(self, runs: Sequence[JobRun]) -> None:
        """Say which of these job runs did not end well, and why."""
        for run in runs:
            if run.status in ("failed", "stopped"):
                self._failures += 1
                if self._failures <= MOST_FAILURES:
                    self._log.error(
                        f'workspace "{run.workspace_id}", run date {run.run_date}: {run.status}: {run.message}'
                    )
                elif self._failures == MOST_FAILURES + 1:
                    self._log.error("more workspaces failed; their partitions and `batch-jobs runs` tell which")
