"""Who needs what: for which workspaces and run dates a job is due, waits, or is passed over, and why (domain 7)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

from batch_jobs.engine.contract import Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.local_time import start_instant, today
from batch_jobs.engine.missed_dates import done_until, read_cursors
from batch_jobs.engine.missed_dates import missed as missed_dates
from batch_jobs.engine.need import due_rows
from batch_jobs.store.database import Transaction

# A failed run is due again after these times, then stays failed until the next run date or a person;
# that of a continuous job is tried again after the last of them for ever.
RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))
# What ended later than so much from now ended before the clock was put back. Less is two machines that differ.
CLOCKS_DIFFER = timedelta(minutes=1)

State: TypeAlias = Literal["due", "waiting", "skipped"]

_WORKSPACES = """
    SELECT workspace_id, coalesce(timezone, 'UTC'), recorded_at, status FROM batch_jobs.workspaces
    WHERE status = ANY (%(statuses)s) AND (%(workspaces)s::text[] IS NULL OR workspace_id = ANY (%(workspaces)s))
    ORDER BY workspace_id
"""

_RUNS = """
    SELECT r.workspace_id, r.run_date,
        (array_agg(r.status ORDER BY r.attempt DESC) FILTER (WHERE r.status IN ('pending', 'started')))[1] AS active,
        bool_or(r.status IN ('completed', 'warning') AND NOT r.partial) AS done,
        count(*) FILTER (WHERE r.status = 'failed' AND NOT r.partial) AS failures,
        max(r.ended_at) FILTER (WHERE r.status = 'failed' AND NOT r.partial) AS failed_at
    FROM batch_jobs.job_runs r
    WHERE r.job = %(job)s AND r.run_date = ANY (%(run_dates)s)
    GROUP BY r.workspace_id, r.run_date
"""


# A continuous job has many runs a day: the latest tell how often it failed since it last ended well.
_LATEST_RUNS = """
    SELECT t.workspace_id, t.run_date, l.*
    FROM unnest(%(workspaces)s::text[], %(run_dates)s::date[]) AS t(workspace_id, run_date)
    CROSS JOIN LATERAL (
        SELECT
            (array_agg(status ORDER BY attempt DESC) FILTER (WHERE status IN ('pending', 'started')))[1] AS active,
            false AS done,
            count(*) FILTER (WHERE status = 'failed' AND attempt > coalesce(ended_well, 0)) AS failures,
            max(ended_at) FILTER (WHERE status = 'failed' AND attempt > coalesce(ended_well, 0)) AS failed_at
        FROM (
            SELECT attempt, status, ended_at,
                max(attempt) FILTER (WHERE status IN ('completed', 'warning')) OVER () AS ended_well
            FROM (
                SELECT r.attempt, r.status, r.ended_at FROM batch_jobs.job_runs r
                WHERE r.job = %(job)s AND r.workspace_id = t.workspace_id AND r.run_date = t.run_date
                  AND (NOT r.partial OR r.status IN ('pending', 'started'))
                ORDER BY r.attempt DESC LIMIT %(latest)s
            ) newest
        ) judged
    ) l
"""
LATEST = 8


@dataclass(frozen=True, slots=True)
class DueItem:
    """How one job stands for one workspace and run date.

    Attributes:
        job: its name.
        workspace_id: whose.
        run_date: for which day.
        state: `due`, `waiting` (it will be, once something else is over) or `skipped`.
        reason: why it is not due; empty when it is.
        rows: how many rows are due.
        failures: how many runs of it have failed.
        is_active: whether a run of it is pending or started.
    """

    job: str
    workspace_id: str
    run_date: date
    state: State
    reason: str = ""
    rows: int = 0
    failures: int = 0
    is_active: bool = False


@dataclass(slots=True)
class DueReport:
    """What the scheduler sees when it looks."""

    items: list[DueItem] = field(default_factory=list)

    def of(self, state: State) -> list[DueItem]:
        """The items of one state, by run date and workspace."""
        found = [item for item in self.items if item.state == state]
        return sorted(found, key=lambda item: (item.run_date, item.workspace_id))

    @property
    def due(self) -> list[DueItem]:
        """What should run now."""
        return self.of("due")

    def summary(self) -> str:
        """In words how many workspaces are due, waiting and skipped, and the reasons of those that are not due."""
        numbers = Counter(item.state for item in self.items)
        text = ", ".join(f"{numbers[state]} {state}" for state in ("due", "waiting", "skipped"))
        reasons = Counter(item.reason for item in self.items if item.reason)
        return text + "".join(f"; {number} {reason}" for reason, number in sorted(reasons.items()))


@dataclass(frozen=True, slots=True)
class _Runs:
    """What the ledger says of a key."""

    active: str | None = None
    done: bool = False
    failures: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Workspace:
    timezone: str
    recorded_at: datetime
    status: str


class DueQuestion:
    """One look at jobs at one instant; how a job stands for a key is found out once, whoever comes after it.

    Args:
        connection: a reader's transaction.
        jobs: all jobs by name.
        now: the instant.
        workspaces: only these, None for all in which the jobs may run.
        run_date: for this day whatever the time of the workspaces; None for their own today.
    """

    def __init__(
        self,
        connection: Transaction,
        jobs: Mapping[str, Job],
        *,
        now: datetime,
        workspaces: Sequence[str] | None = None,
        run_date: date | None = None,
    ) -> None:
        self._connection = connection
        self._jobs = jobs
        self._now = now
        self._run_date = run_date
        names = None if workspaces is None else list(workspaces)
        statuses = sorted(frozenset[str]().union(*(job.workspace_statuses for job in jobs.values())))
        rows = connection.execute(_WORKSPACES, {"workspaces": names, "statuses": statuses}).fetchall()
        self._workspaces = {row[0]: _Workspace(*row[1:]) for row in rows}
        self._known: dict[str, dict[Target, DueItem]] = {}

    def ask(self, names: Iterable[str], *, missed: bool = False) -> DueReport:
        """How these jobs stand.

        Args:
            names: the jobs.
            missed: also for the run dates before today that the scheduler has missed, for jobs that catch up.
        """
        report = DueReport()
        for name in names:
            job = self._jobs[name]
            targets = [(workspace_id, self._date_of(workspace)) for workspace_id, workspace in self._open_to(job)]
            if missed and self._run_date is None:
                targets += self._missed(job)
            report.items += _oldest_first(self._stand(name, targets))
        return report

    def _open_to(self, job: Job) -> list[tuple[str, _Workspace]]:
        """The workspaces in which the job may run."""
        return [item for item in self._workspaces.items() if item[1].status in job.workspace_statuses]

    def _date_of(self, workspace: _Workspace) -> date:
        return self._run_date or today(self._now, workspace.timezone)

    def _missed(self, job: Job) -> list[Target]:
        cursors = read_cursors(self._connection, job.name) if job.catch_up_days else {}
        found: list[Target] = []
        for workspace_id, workspace in self._open_to(job):
            # What happened before the workspace came here is nothing that was missed.
            cursor = cursors.get(workspace_id, today(workspace.recorded_at, workspace.timezone) - timedelta(days=1))
            days = missed_dates(self._date_of(workspace), cursor, days_back=job.catch_up_days)
            found += [(workspace_id, day) for day in days]
        return found

    def _stand(self, name: str, targets: Sequence[Target]) -> dict[Target, DueItem]:
        known = self._known.setdefault(name, {})
        new = [target for target in targets if target not in known]
        if new:
            known.update(self._look(self._jobs[name], new))
        return {target: known[target] for target in targets}

    def _look(self, job: Job, targets: Sequence[Target]) -> dict[Target, DueItem]:
        runs = self._runs(job, targets)
        judged = {target: self._judge(job, target, runs[target]) for target in targets}
        possible = [target for target, (state, _) in judged.items() if state == "due"]
        rows = due_rows(self._connection, job, possible, job.parameters(**job.scheduled))
        held = self._held_back(job, list(rows))
        found = {}
        for target, judgement in judged.items():
            state, reason = judgement
            if state == "due" and target not in rows:
                state, reason = "skipped", "with nothing due"
            elif state == "due" and target in held:
                state, reason = "waiting", f"after {held[target]}"
            found[target] = DueItem(
                job.name,
                *target,
                state,
                reason,
                rows.get(target, 0),
                runs[target].failures,
                runs[target].active is not None,
            )
        return found

    def _judge(self, job: Job, target: Target, runs: _Runs) -> tuple[State, str]:
        """How the key stands as far as the ledger and the clock tell."""
        if runs.active or runs.done:
            return "skipped", f"{runs.active or 'done'} already"
        if runs.failures > len(RETRY_DELAYS) and not job.continuous:
            return "skipped", "failed, with no more attempts"
        if runs.failed_at and self._is_too_early(runs.failed_at, runs.failures):
            return "waiting", "to be tried again after a failure"
        if job.continuous:
            return "due", ""
        timezone = self._workspaces[target[0]].timezone
        if self._run_date is None and self._now < start_instant(target[1], job.start_time, timezone):
            return "skipped", f"before {job.start_time:%H:%M} local time"
        return "due", ""

    def _is_too_early(self, failed_at: datetime, failures: int) -> bool:
        """Whether the time to try again is still to come."""
        delay = RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
        return failed_at - CLOCKS_DIFFER <= self._now < failed_at + delay

    def _held_back(self, job: Job, targets: Sequence[Target]) -> dict[Target, str]:
        """For keys that must wait the job, directly or through others before this one, that is active, retrying or due.

        A failed run whose time to be tried again has come, but for which nothing is due any more, holds nothing back.
        """
        held: dict[Target, str] = {}
        names = list(job.after)
        for name in names:
            names += [other for other in self._jobs[name].after if other not in names]
            still_free = [target for target in targets if target not in held]
            held.update((target, name) for target in self._open_before(self._jobs[name], still_free))
        return held

    def _open_before(self, job: Job, targets: Sequence[Target]) -> list[Target]:
        """The keys for which a job that comes before is active, retrying or due.

        Nobody runs one that does not catch up for a day that has passed: there its run of today stands for it.
        """
        stand = self._stand(job.name, targets)
        found = [target for target, item in stand.items() if _is_open(item)]
        days = {name: today(self._now, self._workspaces[name].timezone) for name, _ in found}
        passed = {
            target
            for target in found
            if not job.catch_up_days and target[1] < days[target[0]] and not stand[target].is_active
        }
        is_over = {
            name
            for (name, day), item in self._stand(job.name, sorted({(name, days[name]) for name, _ in passed})).items()
            if not _is_open(item) and start_instant(day, job.start_time, self._workspaces[name].timezone) <= self._now
        }
        return [target for target in found if target not in passed or target[0] not in is_over]

    def _runs(self, job: Job, targets: Collection[Target]) -> defaultdict[Target, _Runs]:
        if job.continuous:
            workspaces, days = [name for name, _ in targets], [day for _, day in targets]
            values = {"job": job.name, "workspaces": workspaces, "run_dates": days, "latest": LATEST}
            rows = self._connection.execute(_LATEST_RUNS, values).fetchall()
        else:
            days = sorted({day for _, day in targets})
            rows = self._connection.execute(_RUNS, {"job": job.name, "run_dates": days}).fetchall()
        return defaultdict(_Runs, {(row[0], row[1]): _Runs(*row[2:]) for row in rows})


def checked_until(report: DueReport, job: str) -> dict[str, date]:
    """The newest run date before which nothing is left to do, for workspaces whose missed dates were looked at."""
    return done_until(
        (item.workspace_id, item.run_date, item.state == "skipped" and not item.is_active)
        for item in report.items
        if item.job == job
    )


def _is_open(item: DueItem) -> bool:
    return item.state != "skipped" or item.is_active


def _oldest_first(answers: Mapping[Target, DueItem]) -> list[DueItem]:
    """By workspace and run date; a run date waits while an earlier one of its workspace waits, or is active."""
    held: set[str] = set()
    found = []
    for _, answer in sorted(answers.items()):
        item = answer
        if item.workspace_id in held and item.state == "due":
            item = replace(item, state="waiting", reason="after an earlier run date")
        elif item.state == "waiting" or item.is_active:
            held.add(item.workspace_id)
        found.append(item)
    return found
