"""Who needs what: for which workspaces and run dates a job is due, waits, or is passed over, and why (domain 7)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from batch_jobs.engine.contract import Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.need import due_rows
from batch_jobs.store.database import Transaction

# A failed run is due again after these times, then stays failed until the next run date or a person.
RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))

State: TypeAlias = Literal["due", "waiting", "skipped"]

_WORKSPACES = """
    SELECT workspace_id, status, coalesce(timezone, 'UTC'), recorded_at FROM batch_jobs.workspaces
    WHERE status = 'active' AND (%(workspaces)s::text[] IS NULL OR workspace_id = ANY (%(workspaces)s))
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
    """

    job: str
    workspace_id: str
    run_date: date
    state: State
    reason: str = ""
    rows: int = 0
    failures: int = 0


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

    @property
    def retrying(self) -> bool:
        return not self.done and 0 < self.failures <= len(RETRY_DELAYS)

    def retry_at(self) -> datetime:
        assert self.failed_at is not None
        return self.failed_at + RETRY_DELAYS[self.failures - 1]


@dataclass(frozen=True, slots=True)
class _Workspace:
    workspace_id: str
    timezone: str
    recorded_at: datetime


class DueQuestion:
    """One look at all jobs at one instant; answers of jobs that others come after are asked once.

    Args:
        connection: a reader's transaction.
        jobs: all jobs by name.
        now: the instant.
        workspaces: only these, None for all active ones.
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
        rows = connection.execute(_WORKSPACES, {"workspaces": names}).fetchall()
        self._workspaces = [_Workspace(row[0], row[2], row[3]) for row in rows]
        self._answers: dict[str, dict[Target, DueItem]] = {}
        self._ledger: dict[tuple[str, tuple[date, ...]], dict[Target, _Runs]] = {}

    def ask(self, names: Iterable[str], *, missed: bool = False) -> DueReport:
        """How these jobs stand.

        Args:
            names: the jobs.
            missed: also for the run dates before today that the scheduler has missed, for jobs that catch up.
        """
        report = DueReport()
        for name in names:
            job = self._jobs[name]
            answers = dict(self._today(name))
            if missed and job.catch_up_days and self._run_date is None:
                answers = self._with_missed(job, answers)
            report.items += answers.values()
        return report

    def _today(self, name: str) -> dict[Target, DueItem]:
        if name not in self._answers:
            job = self._jobs[name]
            targets: list[Target] = []
            early: list[Target] = []
            for workspace in self._workspaces:
                target = workspace.workspace_id, self._date_of(workspace)
                open_ = self._run_date is not None or self._now >= start_instant(
                    target[1], job.start_time, workspace.timezone
                )
                (targets if open_ else early).append(target)
            answers = self._answer(job, targets)
            for workspace_id, day in early:
                reason = f"before {job.start_time:%H:%M} local time"
                answers[workspace_id, day] = DueItem(name, workspace_id, day, "skipped", reason)
            self._answers[name] = answers
        return self._answers[name]

    def _date_of(self, workspace: _Workspace) -> date:
        return self._run_date or today(self._now, workspace.timezone)

    def _answer(self, job: Job, targets: Sequence[Target]) -> dict[Target, DueItem]:
        runs = self._runs(job.name, {day for _, day in targets})
        nothing = _Runs()
        answers: dict[Target, DueItem] = {}
        open_targets = []
        for target in targets:
            state, reason = self._by_ledger(runs.get(target, nothing))
            if state == "due":
                open_targets.append(target)
            else:
                failures = runs[target].failures
                answers[target] = DueItem(job.name, *target, state, reason, failures=failures)
        rows = due_rows(self._connection, job, open_targets)
        for target in open_targets:
            if target not in rows:
                answers[target] = DueItem(job.name, *target, "skipped", "with nothing due")
                continue
            before = self._held_back_by(job, target)
            failures = runs.get(target, nothing).failures
            answers[target] = DueItem(
                job.name,
                *target,
                "waiting" if before else "due",
                f"after {before}" if before else "",
                rows[target],
                failures,
            )
        return answers

    def _by_ledger(self, runs: _Runs) -> tuple[State, str]:
        if runs.active:
            return "skipped", f"{runs.active} already"
        if runs.done:
            return "skipped", "done already"
        if runs.failures > len(RETRY_DELAYS):
            return "skipped", "failed, with no more attempts"
        if runs.retrying and self._now < runs.retry_at():
            return "waiting", "to be tried again after a failure"
        return "due", ""

    def _held_back_by(self, job: Job, target: Target) -> str | None:
        """The first job before this one, directly or through others, that is active, retrying or due for the key."""
        for name in job.after:
            # Answers for today are shared; other dates are asked for those keys alone.
            known = self._today(name) if target in self._today(name) else self._answer(self._jobs[name], [target])
            item = known[target]
            active = self._runs(name, {target[1]}).get(target, _Runs())
            if item.state != "skipped" or active.active:
                return name
            if found := self._held_back_by(self._jobs[name], target):
                return found
        return None

    def _runs(self, job: str, run_dates: Iterable[date]) -> dict[Target, _Runs]:
        key = job, tuple(sorted(run_dates))
        if key not in self._ledger:
            rows = self._connection.execute(_RUNS, {"job": job, "run_dates": list(key[1])})
            self._ledger[key] = {(row[0], row[1]): _Runs(*row[2:]) for row in rows.fetchall()}
        return self._ledger[key]

    def _with_missed(self, job: Job, answers: dict[Target, DueItem]) -> dict[Target, DueItem]:
        """Add the missed run dates, oldest first: a later one waits while an earlier one is active or retrying."""
        cursors: dict[str, date] = dict(
            self._connection.execute(
                "SELECT workspace_id, checked_date FROM batch_jobs.schedule_cursors WHERE job = %s", [job.name]
            ).fetchall()
        )
        missed: list[Target] = []
        for workspace in self._workspaces:
            this_day = self._date_of(workspace)
            known_since = today(workspace.recorded_at, workspace.timezone)
            checked = cursors.get(workspace.workspace_id, known_since - timedelta(days=1))
            day = max(checked + timedelta(days=1), this_day - timedelta(days=job.catch_up_days))
            while day < this_day:
                missed.append((workspace.workspace_id, day))
                day += timedelta(days=1)
        earlier = self._answer(job, missed)
        return _oldest_first({**earlier, **answers}) if earlier else answers


def checked_until(report: DueReport, job: str) -> dict[str, date]:
    """The newest run date before which nothing is left to do, for workspaces whose missed dates were looked at."""
    by_workspace: defaultdict[str, list[DueItem]] = defaultdict(list)
    for item in report.items:
        if item.job == job:
            by_workspace[item.workspace_id].append(item)
    found = {}
    for workspace_id, items in by_workspace.items():
        items.sort(key=lambda item: item.run_date)
        for item in items[:-1]:
            if item.state != "skipped" or item.reason in ("pending already", "started already"):
                break
            found[workspace_id] = item.run_date
    return found


def _oldest_first(answers: Mapping[Target, DueItem]) -> dict[Target, DueItem]:
    held: dict[str, date] = {}
    found: dict[Target, DueItem] = {}
    for target in sorted(answers):
        item = answers[target]
        if target[0] in held and item.state == "due":
            item = DueItem(
                item.job, *target, "waiting", "after an earlier run date", rows=item.rows, failures=item.failures
            )
        elif item.state == "waiting" or item.reason in ("pending already", "started already"):
            held.setdefault(*target)
        found[target] = item
    return found


def today(now: datetime, timezone: str) -> date:
    """The date in a zone at an instant."""
    return now.astimezone(_zone(timezone)).date()


def start_instant(day: date, at: time, timezone: str) -> datetime:
    """When a local time of a day comes, in UTC.

    Where clocks skip it, it comes as if they had not; where they show it twice, the first time counts.
    """
    return datetime.combine(day, at, tzinfo=_zone(timezone)).astimezone(UTC)


@cache
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)
