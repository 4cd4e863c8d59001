"""What a runner is asked to do, and how what came of it stands in the ledger: status, counters, reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batch_jobs.engine import job_runs
from batch_jobs.engine.batch import Outcome, WorkspaceRun
from batch_jobs.engine.contract import EmployeeParameters, Job, Parameters
from batch_jobs.engine.job_runs import Ending, Status, Target
from batch_jobs.engine.need import EVERYTHING, Narrowing
from batch_jobs.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Work:
    """One job over workspaces of one run date.

    Attributes:
        job: the job.
        parameters: of its class.
        runs: the run of each workspace.
        due: how many rows are due in each.
        narrowing: which rows are wanted.
    """

    job: Job
    parameters: Parameters
    runs: Mapping[str, WorkspaceRun]
    due: Mapping[Target, int]
    narrowing: Narrowing = field(default=EVERYTHING)

    @property
    def targets(self) -> list[Target]:
        """The workspaces with the run date, sorted."""
        return [(workspace_id, run.run_date) for workspace_id, run in sorted(self.runs.items())]

    @property
    def dry(self) -> bool:
        """Whether all is to be undone."""
        return self.parameters.dry_run

    def finish(self, connection: Transaction, outcomes: Mapping[str, Outcome]) -> bool:
        """End the runs of these workspaces as their counters say. Returns whether all of them were active."""
        idle = [target for target in self.targets if target[0] in outcomes and not outcomes[target[0]].due]
        reasons = self._idle_reasons(connection, idle) if idle else {}
        endings = [
            self._ending(
                workspace_id,
                self._status(outcome),
                outcome,
                reason=reasons.get(workspace_id),
                message=outcome.note or self.runs[workspace_id].note,
            )
            for workspace_id, outcome in outcomes.items()
        ]
        return len(job_runs.finish(connection, endings)) == len(endings)

    def break_off(
        self, connection: Transaction, outcomes: Mapping[str, Outcome], status: Status, messages: Mapping[str, str]
    ) -> None:
        """End the runs of these workspaces before all was done: as `failed` or `stopped`, with a message each."""
        endings = [
            self._ending(workspace_id, status, outcome, message=messages[workspace_id])
            for workspace_id, outcome in outcomes.items()
        ]
        job_runs.finish(connection, endings)

    def _ending(
        self,
        workspace_id: str,
        status: Status,
        outcome: Outcome,
        *,
        reason: str | None = None,
        message: str | None = None,
    ) -> Ending:
        counters: dict[str, Any] = {counter.name: outcome.counters[counter.name] for counter in self.job.counters}
        if reason is not None:
            counters["skipped_reason"] = reason
        plan = outcome.plan if self.dry else None
        return Ending(self.runs[workspace_id].job_run_id, workspace_id, status, outcome, counters, message, plan)

    def _status(self, outcome: Outcome) -> Status:
        return "warning" if any(outcome.counters[name] for name in self.job.warning_counters) else "completed"

    def _idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        if self.narrowing == EVERYTHING:
            return self.job.idle_reasons(connection, targets)
        reason = "nothing is due for the rows that failed"
        if self.narrowing.row_ids is None and isinstance(self.parameters, EmployeeParameters):
            unit, employee = self.parameters.org_unit_id, self.parameters.employee_id
            names = [f'employee "{employee}"'] * (employee is not None) + [f'org unit "{unit}"'] * (unit is not None)
            reason = f"nothing is due for {' in '.join(names)}"
        return {workspace_id: reason for workspace_id, _ in targets}
