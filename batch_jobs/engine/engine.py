"""The engine's front: what is due, run, replay, retry, stop, catch up. Composes the parts, adds no rule of its own."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID

from batch_jobs.engine import job_runs
from batch_jobs.engine.admission import (
    ACTIVE_ONLY,
    admit_dates,
    admit_days,
    admit_workspaces,
    future_notes,
    zones_of,
)
from batch_jobs.engine.batch import ERRORS_KEPT, WorkspaceRun
from batch_jobs.engine.catch_up import CatchUpResult, in_order
from batch_jobs.engine.catch_up_all import catch_up_all
from batch_jobs.engine.contract import EmployeeParameters, Job, Parameters
from batch_jobs.engine.due import DueQuestion, DueReport, checked_until
from batch_jobs.engine.job_runs import ACTIVE, JobRun, QueuedBy, Target
from batch_jobs.engine.local_time import today
from batch_jobs.engine.missed_dates import advance_cursors
from batch_jobs.engine.need import Narrowing, due_rows
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.requests import RunRequest, find_job, read_parameters
from batch_jobs.engine.runner import Progress, Runner
from batch_jobs.engine.work import Work
from batch_jobs.engine.workers import Worker, WorkerLostError, at_work, fail_lost_workers
from batch_jobs.errors import BadInputError
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database, Transaction

_log = logging.getLogger(__name__)


class EmployeesInScope(Protocol):
    """Which employees `employee_id` and `org_unit_id` mean, for each workspace on its run date."""

    def __call__(
        self, connection: Transaction, targets: Sequence[Target], *, employee_id: str | None, org_unit_id: str | None
    ) -> Mapping[str, Sequence[str]]:
        """Look them up; a workspace that has no such employee or unit is left out."""
        ...


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
        self._employees_in_scope = employees_in_scope
        self._settings = settings
        self.clock = clock

    @property
    def scheduled_jobs(self) -> dict[str, Job]:
        """The jobs that can be due; the others are for troubleshooting."""
        return {name: job for name, job in self.jobs.items() if not job.by_hand_only}

    # Looking

    def due(
        self,
        names: Iterable[str] | None = None,
        *,
        workspaces: Sequence[str] | None = None,
        run_date: date | None = None,
        missed: bool = False,
    ) -> DueReport:
        """How jobs stand for the active workspaces, projections brought up to date first.

        Args:
            names: the jobs, None for all.
            workspaces: only these.
            run_date: for this day, None for each workspace's own today.
            missed: also for run dates that the scheduler has missed.
        """
        self._get_ready(workspaces)
        wanted = list(self.scheduled_jobs) if names is None else [self._find_scheduled(name).name for name in names]
        with self.database.reader() as connection:
            question = DueQuestion(
                connection, self.scheduled_jobs, now=self.clock(), workspaces=workspaces, run_date=run_date
            )
            return question.ask(wanted, missed=missed)

    def schedule(self, name: str) -> DueReport:
        """What the scheduler asks for: `due` with missed run dates, and a note of how far everything is done."""
        report = self.due([name], missed=True)
        with self.database.owner() as connection:
            advance_cursors(connection, name, checked_until(report, name))
        return report

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
        targets, zones = self._admit(job, request, parameters)
        self._get_ready(sorted(zones))
        if request.only_due:
            targets = self._due_targets(job, targets)
        if not targets:
            return []
        narrowings = self._narrowings(request, parameters, targets)
        with at_work(
            self.database, lost_after=self._settings.worker_lost_after, dagster_run_id=request.dagster_run_id
        ) as worker:
            ids = self._queue(request, parameters, targets, worker)
            runner = Runner(
                self.database,
                in_order(self.projections),
                worker,
                chunk_rows=self._settings.chunk_rows,
                should_stop=lambda: should_stop() or worker.lost.is_set(),
                on_finished=lambda finished: on_finished(self.load(finished)),
                on_progress=on_progress,
            )
            # Whoever gave this worker up has ended its runs as failed; they are due again.
            with contextlib.suppress(WorkerLostError):
                runner.run(self._works(job, parameters, ids, zones, narrowings))
        return self.load(list(ids.values()))

    def replay(self, job_run_id: str, *, actor: str, **callbacks: Any) -> list[JobRun]:
        """Run again with the same job, workspace, run date and parameters. See `run`."""
        return self._again(self.find(job_run_id), "replay", actor, None, callbacks)

    def retry(self, job_run_id: str, *, actor: str, **callbacks: Any) -> list[JobRun]:
        """Run again for the rows that failed; for all rows when the run failed or was stopped as a whole. See `run`.

        Raises:
            BadInputError: there is no such run, or nothing of it to retry.
        """
        run = self.find(job_run_id)
        if run.status in ("failed", "stopped"):
            # A retry that failed knows no rows of its own: those of the run that it repeats are still to be done.
            while run.trigger == "retry" and run.replay_of and run.status in ("failed", "stopped"):
                run = self.find(run.replay_of)
            if run.status in ("failed", "stopped"):
                return self._again(run, "retry", actor, None, callbacks)
        if run.status in ACTIVE or not run.errors:
            raise BadInputError(
                f"job run {run.job_run_id} is {run.status} and has no failed rows to retry; "
                f"to run it again, use: batch-jobs runs replay {run.job_run_id}"
            )
        with self.database.owner() as connection:
            row_ids = job_runs.failed_rows(connection, run.job_run_id)
        # Beyond the errors that are kept, the rows that failed are not known: then all are tried.
        return self._again(run, "retry", actor, row_ids if run.errors <= ERRORS_KEPT else None, callbacks)

    def stop(self, job_run_id: str) -> JobRun:
        """Ask a run to stop before its next chunk; what it committed stays.

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
            job_runs.request_stop(connection, run.job_run_id)
        return run

    # The ledger

    def find(self, job_run_id: str) -> JobRun:
        """The job run of an id, or of the beginning of one.

        Raises:
            BadInputError: there is none, or several begin so.
        """
        text = job_run_id.strip().lower()
        if not text or not set(text) <= set("0123456789abcdef-"):
            raise BadInputError(f'"{job_run_id}" is no job run id; `batch-jobs runs` lists them')
        with self.database.owner() as connection:
            rows = connection.execute(
                "SELECT job_run_id::text FROM batch_jobs.job_runs WHERE job_run_id BETWEEN %s AND %s LIMIT 3",
                _id_range(text),
            ).fetchall()
            found = [row[0] for row in rows if row[0].startswith(text)]
            if len(found) > 1:
                raise BadInputError(
                    f'several job runs begin with "{job_run_id}": {", ".join(found)}; give more of the id'
                )
            if not found:
                raise BadInputError(f'there is no job run "{job_run_id}"; `batch-jobs runs` lists them')
            return job_runs.load(connection, found)[0]

    def load(self, job_run_ids: Sequence[str]) -> list[JobRun]:
        """The job runs of these ids, in their order."""
        with self.database.owner() as connection:
            return job_runs.load(connection, job_run_ids)

    def fail_lost_workers(self) -> int:
        """End the runs of workers that gave no sign of life. Returns how many runs."""
        return len(fail_lost_workers(self.database, lost_after=self._settings.worker_lost_after))

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

    def _again(
        self, run: JobRun, trigger: job_runs.Trigger, actor: str, row_ids: list[str] | None, callbacks: dict[str, Any]
    ) -> list[JobRun]:
        request = RunRequest(
            job=run.job,
            targets=[(run.workspace_id, run.run_date)],
            parameters=run.params,
            trigger=trigger,
            actor=actor,
            # What was allowed once is meant again.
            allow_future=True,
            replay_of=run.job_run_id,
            row_ids=row_ids,
        )
        return self.run(request, **callbacks)

    def _find_scheduled(self, name: str) -> Job:
        job = find_job(self.jobs, name)
        if job.by_hand_only:
            raise BadInputError(f"{name} is never due: it is for troubleshooting, and run by hand only")
        return job

    def _get_ready(self, workspaces: Sequence[str] | None) -> None:
        """End the runs of lost workers and bring projections up to date; failures show in the runs."""
        self.fail_lost_workers()
        _, failed = catch_up_all(self.database, in_order(self.projections), workspaces, lambda _done, _all: None)
        for workspace_id, error in failed.items():
            _log.error('projections of workspace "%s" can not be brought up to date', workspace_id, exc_info=error)

    def admit_by_hand(self, jobs: Iterable[Job], workspaces: Sequence[str], run_date: date | None) -> None:
        """Refuse a day that has not begun in the named workspaces, or where none is named, in any active one.

        Asked about the last of several days before the first is run, so that a wish is refused as a whole.

        Raises:
            BadInputError: see `admit_dates`.
        """
        if run_date is None:
            return
        statuses = frozenset[str]().union(*(job.workspace_statuses for job in jobs))
        if workspaces:
            zones = admit_workspaces(self.database, workspaces, statuses=statuses)
        else:
            zones = zones_of(self.database, statuses=statuses)
        now = self.clock()
        late = [(name, run_date) for name in zones if run_date > today(now, zones[name])]
        if late and (workspaces or len(late) == len(zones)):
            admit_dates(late, zones, now)

    def _admit(self, job: Job, request: RunRequest, parameters: Parameters) -> tuple[list[Target], dict[str, str]]:
        """The targets, by run date and workspace, and the time zones of their workspaces."""
        targets = sorted(set(request.targets), key=lambda target: (target[1], target[0]))
        workspaces = [workspace_id for workspace_id, _ in targets]
        if request.only_due:
            # The scheduler leaves out what was suspended since it looked.
            zones = zones_of(self.database, workspaces, statuses=job.workspace_statuses)
            targets = [target for target in targets if target[0] in zones]
        else:
            zones = admit_workspaces(self.database, workspaces, statuses=job.workspace_statuses)
        admit_days(run_date for _, run_date in targets)
        if not parameters.dry_run and not request.allow_future:
            admit_dates(targets, zones, self.clock())
        return targets, zones

    def _due_targets(self, job: Job, targets: Sequence[Target]) -> list[Target]:
        wanted = set(targets)
        found: list[Target] = []
        for run_date in sorted({day for _, day in targets}):
            names = [workspace_id for workspace_id, day in targets if day == run_date]
            with self.database.reader() as connection:
                question = DueQuestion(connection, self.jobs, now=self.clock(), workspaces=names, run_date=run_date)
                due = question.ask([job.name]).due
            found += [target for item in due if (target := (item.workspace_id, item.run_date)) in wanted]
        return found

    def _narrowings(
        self, request: RunRequest, parameters: Parameters, targets: Sequence[Target]
    ) -> Mapping[date, Narrowing]:
        """Which rows are wanted on each run date."""
        found = {}
        for run_date in sorted({day for _, day in targets}):
            employees = None
            if isinstance(parameters, EmployeeParameters) and parameters.narrows:
                of_date = [target for target in targets if target[1] == run_date]
                employees = self._employees(parameters, of_date)
            found[run_date] = Narrowing(employees, request.row_ids)
        return found

    def _employees(self, parameters: EmployeeParameters, targets: Sequence[Target]) -> list[tuple[str, str]]:
        with self.database.worker([workspace_id for workspace_id, _ in targets]) as connection:
            found = self._employees_in_scope(
                connection, targets, employee_id=parameters.employee_id, org_unit_id=parameters.org_unit_id
            )
        if not found:
            workspaces = ", ".join(sorted({workspace_id for workspace_id, _ in targets})[:3])
            wanted = {"employee": parameters.employee_id, "org unit": parameters.org_unit_id}
            names = " or ".join(f'{kind} "{value}"' for kind, value in wanted.items() if value is not None)
            raise BadInputError(f"{names} is not defined in workspace {workspaces}; check the id")
        return [(workspace_id, employee_id) for workspace_id, ids in found.items() for employee_id in ids]

    def _queue(
        self, request: RunRequest, parameters: Parameters, targets: Sequence[Target], worker: Worker
    ) -> dict[Target, str]:
        by = QueuedBy(
            job=request.job,
            trigger=request.trigger,
            actor=request.actor,
            params=parameters.model_dump(mode="json", exclude_unset=True),
            dry_run=parameters.dry_run,
            partial=parameters.dry_run or parameters.narrows or request.row_ids is not None,
            worker_id=worker.worker_id,
            dagster_run_id=request.dagster_run_id,
            replay_of=request.replay_of,
        )
        with self.database.owner() as connection:
            queued = job_runs.queue(connection, targets, by, refuse_active=request.refuse_active)
        return {target: queued[target] for target in targets if target in queued}

    def _works(
        self,
        job: Job,
        parameters: Parameters,
        ids: Mapping[Target, str],
        zones: Mapping[str, str],
        narrowings: Mapping[date, Narrowing],
    ) -> list[Work]:
        """The work of each run date, oldest first. What really writes for a future day is told, in log and ledger."""
        works = []
        notes = {} if parameters.dry_run else future_notes(ids, zones, self.clock())
        for run_date in sorted({day for _, day in ids}):
            targets = [target for target in ids if target[1] == run_date]
            with self.database.reader() as connection:
                due = due_rows(connection, job, targets, parameters, narrowings[run_date])
            runs = {
                name: WorkspaceRun(ids[name, day], day, zones[name], parameters, notes.get((name, day)))
                for name, day in targets
            }
            for note, number in Counter(run.note for run in runs.values() if run.note).items():
                _log.warning("%s in %d workspaces: %s", job.name, number, note)
            works.append(Work(job, parameters, runs, due, narrowings[run_date]))
        return works


def _id_range(prefix: str) -> list[str]:
    digits = prefix.replace("-", "")[:32]
    return [str(UUID(digits.ljust(32, fill))) for fill in "0f"]
