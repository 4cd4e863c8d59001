"""The engine's front: what is due, run, replay, retry, stop, catch up. Composes the parts, adds no rule of its own."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from batch_jobs.engine import job_runs, repeats
from batch_jobs.engine.admission import ACTIVE_ONLY, admit_workspaces, zones_of
from batch_jobs.engine.catch_up import CatchUpResult, in_order
from batch_jobs.engine.catch_up_all import catch_up_all
from batch_jobs.engine.contract import Job
from batch_jobs.engine.due import DueQuestion, DueReport, checked_until
from batch_jobs.engine.job_run_ids import find_id
from batch_jobs.engine.job_runs import ACTIVE, JobRun, Target
from batch_jobs.engine.local_time import today
from batch_jobs.engine.missed_dates import advance_cursors
from batch_jobs.engine.need import due_rows
from batch_jobs.engine.overdue import Overdue, find_overdue
from batch_jobs.engine.progress import Progress
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.requests import RunRequest, find_job, read_parameters
from batch_jobs.engine.run_planning import EmployeesInScope, RunPlanning
from batch_jobs.engine.runner import Runner
from batch_jobs.engine.transient import patiently
from batch_jobs.engine.workers import WorkerLostError, at_work, fail_lost_workers
from batch_jobs.errors import BadInputError
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The clock of the front doors."""
    return datetime.now(UTC)


class Engine:
    """Runs jobs over workspaces, and keeps the ledger and the projections.

    Args:
        database: where.
        jobs: all jobs by name.
        projections: all projections by name.
        employees_in_scope: resolves the parameters that narrow a run to employees.
        settings: time-outs and sizes.
        clock: gives the current instant.
    """

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, Job],
        projections: Mapping[str, Projection],
        *,
        employees_in_scope: EmployeesInScope,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.database = database
        self.jobs = jobs
        self.projections = projections
        self._settings = settings
        self.clock = clock
        self._planning = RunPlanning(database, jobs, employees_in_scope, clock)

    @property
    def scheduled_jobs(self) -> dict[str, Job]:
        """The jobs that can be due; the others are for troubleshooting."""
        return {name: job for name, job in self.jobs.items() if not job.by_hand_only}

    @property
    def nightly_jobs(self) -> dict[str, Job]:
        """The jobs that are done once for a workspace and run date."""
        return {name: job for name, job in self.scheduled_jobs.items() if not job.continuous}

    # Looking

    def due(
        self,
        names: Iterable[str] | None = None,
        *,
        workspaces: Sequence[str] | None = None,
        run_date: date | None = None,
        missed: bool = False,
    ) -> DueReport:
        """How jobs stand for the active workspaces, projections brought up to date first (see `Job.catches_up`).

        Args:
            names: the jobs, None for all.
            workspaces: only these.
            run_date: for this day, None for each workspace's own today.
            missed: also for run dates that the scheduler has missed.
        """
        wanted = list(self.scheduled_jobs) if names is None else [self._find_scheduled(name).name for name in names]
        self.fail_lost_workers()

        def ask(names: list[str]) -> DueReport:
            with self.database.reader() as connection:
                question = DueQuestion(
                    connection, self.scheduled_jobs, now=self.clock(), workspaces=workspaces, run_date=run_date
                )
                return question.ask(names, missed=missed)

        # Those whose work is what is behind are asked before that is over.
        report = ask([name for name in wanted if not self.jobs[name].catches_up])
        if rest := [name for name in wanted if self.jobs[name].catches_up]:
            self._bring_up_to_date(workspaces)
            report.items += ask(rest).items
        return report

    def schedule(self, name: str) -> DueReport:
        """What the scheduler asks for: `due` with missed run dates, and a note of how far everything is done."""
        report = self.due([name], missed=True)
        with self.database.owner() as connection:
            advance_cursors(connection, name, checked_until(report, name))
        return report

    def overdue(self) -> list[Overdue]:
        """What has been due for more than an hour without a run: see `engine.overdue`. Changes nothing."""
        with self.database.reader() as connection:
            return find_overdue(connection, self.scheduled_jobs, now=self.clock())

    def active_workspaces(self) -> list[str]:
        """The ids of the active workspaces, sorted."""
        return list(zones_of(self.database))

    def workspaces_of(self, job: Job) -> list[str]:
        """The ids of the workspaces in which the job may run, sorted."""
        return list(zones_of(self.database, statuses=job.workspace_statuses))

    def scheduled_workspaces(self) -> list[str]:
        """The ids of the workspaces that a schedule may ask for, sorted: the active ones, and others as long as a job
        that may run there finds something to do.
        """
        found = set(self.active_workspaces())
        for job in self.scheduled_jobs.values():
            more = job.workspace_statuses - set(ACTIVE_ONLY)
            others = zones_of(self.database, statuses=more) if more else {}
            targets = [(name, today(self.clock(), zone)) for name, zone in others.items()]
            with self.database.reader() as connection:
                found |= {name for name, _ in due_rows(connection, job, targets, job.parameters(**job.scheduled))}
        return sorted(found)

    def own_today(self, workspaces: Sequence[str], job: Job | None = None) -> dict[str, date]:
        """The local date of each of these workspaces now.

        Raises:
            BadInputError: one of them is not known, or not active (not one in which the job may run).
        """
        zones = admit_workspaces(self.database, workspaces, statuses=job.workspace_statuses if job else ACTIVE_ONLY)
        return {name: today(self.clock(), zone) for name, zone in zones.items()}

    # Running

    def refused(self, job: Job, targets: Sequence[Target], *, future: bool) -> dict[Target, str]:
        """Why some of these targets can not be run, by target: see `RunPlanning.refused`."""
        return self._planning.refused(job, targets, future=future)

    def run(
        self,
        request: RunRequest,
        *,
        on_finished: Callable[[list[JobRun]], None] = lambda _: None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> list[JobRun]:
        """Run a job for workspaces and run dates, run dates in order.

        Args:
            request: what is wanted.
            on_finished: told of job runs as they end.
            on_progress: told how far it is.
            should_stop: whether to end before the next chunk; what is left is stopped.

        Returns:
            The job runs, ended, by run date and workspace.

        Raises:
            BadInputError: something of the request is refused; nothing was done.
        """
        job = find_job(self.jobs, request.job)
        parameters = read_parameters(job, request.parameters)
        targets, zones = self._planning.admit(job, request, parameters)
        self.fail_lost_workers()
        # A part of the employees is found in the rows that serve.
        if job.catches_up or parameters.narrows:
            self._bring_up_to_date(sorted(zones))
        if request.only_due:
            targets = self._planning.due_targets(job, targets)
        if not targets:
            return []
        narrowings = self._planning.narrowings(request, parameters, targets)
        with at_work(
            self.database, lost_after=self._settings.worker_lost_after, dagster_run_id=request.dagster_run_id
        ) as worker:
            ids = self._planning.queue(request, parameters, targets, worker)
            runner = Runner(
                self.database,
                in_order(self.projections),
                worker,
                settings=self._settings,
                should_stop=lambda: should_stop() or worker.lost.is_set(),
                on_finished=lambda finished: on_finished(self.load(finished)),
                on_progress=on_progress,
            )
            # Whoever gave this worker up has ended its runs as failed; they are due again.
            with contextlib.suppress(WorkerLostError):
                runner.run(self._planning.works(job, parameters, ids, zones, narrowings))
        return self.load(list(ids.values()))

    def replay(self, job_run_id: str, *, actor: str, **callbacks: Any) -> list[JobRun]:
        """Run again with the same job, workspace, run date and parameters. See `run`."""
        return self.run(repeats.replay(self.find(job_run_id), actor), **callbacks)

    def retry(self, job_run_id: str, *, actor: str, **callbacks: Any) -> list[JobRun]:
        """Run again for the rows that failed; for all rows when the run failed or was stopped as a whole. See `run`.

        Raises:
            BadInputError: there is no such run, or nothing of it to retry.
        """
        return self.run(repeats.retry(self.find(job_run_id), actor, self.find, self._failed_rows), **callbacks)

    def stop(self, job_run_id: str, *, actor: str | None = None) -> JobRun:
        """Ask a run to stop before its next chunk; what it committed stays. Its message names the actor.

        Raises:
            BadInputError: there is no such run, or it has ended.
        """
        self.fail_lost_workers()
        run = self.find(job_run_id)
        if run.status not in ACTIVE:
            raise BadInputError(
                f"job run {run.job_run_id} is {run.status}; only a pending or started one can be stopped"
            )
        with self.database.owner() as connection:
            job_runs.request_stop(connection, run.job_run_id, actor)
        return run

    # The ledger

    def find(self, job_run_id: str) -> JobRun:
        """The job run of an id, or of the beginning of one.

        Raises:
            BadInputError: there is none, or several begin so.
        """
        with self.database.owner() as connection:
            return job_runs.load(connection, [find_id(connection, job_run_id)])[0]

    def load(self, job_run_ids: Sequence[str]) -> list[JobRun]:
        """The job runs of these ids, in their order."""
        with self.database.owner() as connection:
            return job_runs.load(connection, job_run_ids)

    def fail_lost_workers(self) -> int:
        """End the runs of workers that gave no sign of life. Returns how many runs."""
        # The worker that is given up may be ending its runs at the same time.
        lost_after = self._settings.worker_lost_after
        return len(patiently(lambda: fail_lost_workers(self.database, lost_after=lost_after)))

    # Projections

    def catch_up(
        self,
        names: Iterable[str] | None = None,
        *,
        workspaces: Sequence[str] | None = None,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> CatchUpResult:
        """Bring projections in step with the event log, a few workspaces a transaction.

        A workspace where that fails does not stop the others.

        Args:
            names: the projections (and those they read), None for all.
            workspaces: only these, None for all.
            on_progress: told how many events are done, of how many.

        Raises:
            Exception: the first of what made workspaces fail, once all others are done.
        """
        wanted = in_order(self.projections, None if names is None else list(names))
        result, failed = catch_up_all(self.database, wanted, workspaces, on_progress)
        for workspace_id, error in failed.items():
            error.add_note(f'while projections of workspace "{workspace_id}" were brought up to date')
            raise error
        return result

    # Within

    def _failed_rows(self, job_run_id: str) -> list[str]:
        with self.database.owner() as connection:
            return job_runs.failed_rows(connection, job_run_id)

    def _find_scheduled(self, name: str) -> Job:
        job = find_job(self.jobs, name)
        if job.by_hand_only:
            raise BadInputError(f"{name} is never due: it is for troubleshooting, and run by hand only")
        return job

    def _bring_up_to_date(self, workspaces: Sequence[str] | None) -> None:
        """Bring projections up to date; failures show in the runs."""
        _, failed = catch_up_all(self.database, in_order(self.projections), workspaces, lambda _done, _all: None)
        for workspace_id, error in failed.items():
            _log.error('projections of workspace "%s" can not be brought up to date', workspace_id, exc_info=error)
