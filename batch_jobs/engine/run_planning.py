"""What a request to run a job becomes: targets admitted, rows wanted, rows in the ledger, work for a runner."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from batch_jobs.engine import job_runs
from batch_jobs.engine.admission import admit_dates, admit_days, admit_workspaces, future_notes, zones_of
from batch_jobs.engine.batch import WorkspaceRun
from batch_jobs.engine.contract import EmployeeParameters, Job, Parameters
from batch_jobs.engine.due import DueQuestion
from batch_jobs.engine.job_runs import QueuedBy, Target
from batch_jobs.engine.need import Narrowing, due_rows
from batch_jobs.engine.requests import RunRequest
from batch_jobs.engine.work import Work
from batch_jobs.engine.workers import Worker
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database, Transaction

_log = logging.getLogger(__name__)


class EmployeesInScope(Protocol):
    """Which employees `employee_id` and `org_unit_id` mean, for each workspace on its run date."""

    def __call__(
        self, connection: Transaction, targets: Sequence[Target], *, employee_id: str | None, org_unit_id: str | None
    ) -> Mapping[str, Sequence[str]]:
        """Look them up; a workspace that has no such employee or unit is left out."""
        ...


class RunPlanning:
    """The steps from a request to the work of a run, in the order of the methods.

    Args:
        database: where.
        jobs: all jobs by name.
        employees_in_scope: resolves the parameters that narrow a run to employees.
        clock: gives the current instant.
    """

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, Job],
        employees_in_scope: EmployeesInScope,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._employees_in_scope = employees_in_scope
        self._clock = clock

    def admit(self, job: Job, request: RunRequest, parameters: Parameters) -> tuple[list[Target], dict[str, str]]:
        """The targets, by run date and workspace, and the time zones of their workspaces.

        Raises:
            BadInputError: a workspace is not known or not in a status in which the job runs, or a run date is before
                the calendar or has not come yet; the text names it.
        """
        targets = sorted(set(request.targets), key=lambda target: (target[1], target[0]))
        workspaces = [workspace_id for workspace_id, _ in targets]
        if request.only_due:
            # The scheduler leaves out what was suspended since it looked.
            zones = zones_of(self._database, workspaces, statuses=job.workspace_statuses)
            targets = [target for target in targets if target[0] in zones]
        else:
            zones = admit_workspaces(self._database, workspaces, statuses=job.workspace_statuses)
        admit_days(run_date for _, run_date in targets)
        if not parameters.dry_run and not request.allow_future:
            admit_dates(targets, zones, self._clock())
        return targets, zones

    def refused(self, job: Job, targets: Sequence[Target], *, future: bool) -> dict[Target, str]:
        """Those of the targets that `admit` would refuse all for, each with what it would say.

        Args:
            job: that is to run.
            targets: workspaces and run dates.
            future: whether a run date may be after a workspace's own today.
        """
        zones = zones_of(self._database, [name for name, _ in targets], statuses=job.workspace_statuses)
        found = {}
        for target in targets:
            workspace_id, run_date = target
            try:
                if workspace_id not in zones:
                    admit_workspaces(self._database, [workspace_id], statuses=job.workspace_statuses)
                admit_days([run_date])
                if not future:
                    admit_dates([target], zones, self._clock())
            except BadInputError as error:
                found[target] = str(error)
        return found

    def due_targets(self, job: Job, targets: Sequence[Target]) -> list[Target]:
        """Those of the targets for which the job is due now."""
        wanted = set(targets)
        found: list[Target] = []
        for run_date in sorted({day for _, day in targets}):
            names = [workspace_id for workspace_id, day in targets if day == run_date]
            with self._database.reader() as connection:
                question = DueQuestion(connection, self._jobs, now=self._clock(), workspaces=names, run_date=run_date)
                due = question.ask([job.name]).due
            found += [target for item in due if (target := (item.workspace_id, item.run_date)) in wanted]
        return found

    def narrowings(
        self, request: RunRequest, parameters: Parameters, targets: Sequence[Target]
    ) -> Mapping[date, Narrowing]:
        """Which rows are wanted on each run date.

        Raises:
            BadInputError: the employee or org unit to which the parameters narrow the run is not defined.
        """
        found = {}
        for run_date in sorted({day for _, day in targets}):
            employees = None
            if isinstance(parameters, EmployeeParameters) and parameters.narrows:
                of_date = [target for target in targets if target[1] == run_date]
                employees = self._employees(parameters, of_date)
            found[run_date] = Narrowing(employees, request.row_ids)
        return found

    def _employees(self, parameters: EmployeeParameters, targets: Sequence[Target]) -> list[tuple[str, str]]:
        with self._database.worker([workspace_id for workspace_id, _ in targets]) as connection:
            found = self._employees_in_scope(
                connection, targets, employee_id=parameters.employee_id, org_unit_id=parameters.org_unit_id
            )
        if not found:
            workspaces = ", ".join(sorted({workspace_id for workspace_id, _ in targets})[:3])
            wanted = {"employee": parameters.employee_id, "org unit": parameters.org_unit_id}
            names = " or ".join(f'{kind} "{value}"' for kind, value in wanted.items() if value is not None)
            raise BadInputError(f"{names} is not defined in workspace {workspaces}; check the id")
        return [(workspace_id, employee_id) for workspace_id, ids in found.items() for employee_id in ids]

    def queue(
        self, request: RunRequest, parameters: Parameters, targets: Sequence[Target], worker: Worker
    ) -> dict[Target, str]:
        """Write a pending run for each target into the ledger, in the worker's name. Returns their ids.

        Targets that have an active run are left out, or refused as the request says.

        Raises:
            BadInputError: some have, and are to be refused; nothing was written.
        """
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
        with self._database.owner() as connection:
            queued = job_runs.queue(connection, targets, by, refuse_active=request.refuse_active)
        return {target: queued[target] for target in targets if target in queued}

    def works(
        self,
        job: Job,
        parameters: Parameters,
        ids: Mapping[Target, str],
        zones: Mapping[str, str],
        narrowings: Mapping[date, Narrowing],
    ) -> list[Work]:
        """The work of each run date, oldest first. What really writes for a future day is told, in log and ledger."""
        works = []
        notes = {} if parameters.dry_run else future_notes(ids, zones, self._clock())
        for run_date in sorted({day for _, day in ids}):
            targets = [target for target in ids if target[1] == run_date]
            with self._database.reader() as connection:
                due = due_rows(connection, job, targets, parameters, narrowings[run_date])
            runs = {
                name: WorkspaceRun(ids[name, day], day, zones[name], parameters, notes.get((name, day)))
                for name, day in targets
            }
            for note, number in Counter(run.note for run in runs.values() if run.note).items():
                _log.warning("%s in %d workspaces: %s", job.name, number, note)
            works.append(Work(job, parameters, runs, due, narrowings[run_date]))
        return works
