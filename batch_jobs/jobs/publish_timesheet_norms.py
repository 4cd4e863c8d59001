"""Publishes the expected minutes of thirteen weeks ahead to employees' calendars."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pydantic import Field

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, EmployeeParameters, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.published_norms import NormPublisher, PublishedWeek, window
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads import working_time

_COLUMNS = """
    SELECT n.workspace_id, n.employee_id AS row_id, n.employee_id, n.published_through, n.furthest_week,
        {due} AS due
    FROM scope s JOIN projections.norm_fingerprints n ON n.workspace_id = s.workspace_id
"""
_EMPLOYED = "(n.employed_until IS NULL OR n.employed_until >= %(run_date)s)"
_DUE = _COLUMNS.format(due="true")
# A branch for each index: one query with ORs would read every employee of every workspace.
_BEHIND = f"{_DUE} WHERE n.problem IS NULL AND n.published_through < %(last_week)s AND {_EMPLOYED}"
_ENDED_IN_HINDSIGHT = (
    _DUE
    + """
    WHERE n.problem IS NULL AND n.employed_until < %(run_date)s AND n.published_through < n.furthest_week
      AND n.published_through < %(last_week)s AND n.furthest_week >= %(first_week)s
    """
)
_FORCED = f"{_DUE} WHERE %(force)s AND n.problem IS NULL AND n.published_through >= %(last_week)s AND {_EMPLOYED}"
_WITH_PROBLEM = (
    _COLUMNS.format(due=_EMPLOYED)
    + f" WHERE n.problem IS NOT NULL AND ({_EMPLOYED} OR n.furthest_week >= %(first_week)s)"
)

# What stands of the window beyond what is known to fit: on a usual Monday nothing, of nobody.
_STANDING = """
    SELECT p.workspace_id, p.employee_id, p.monday, p.minutes, p.holidays
    FROM unnest(%(workspaces)s::text[], %(employees)s::text[], %(through)s::date[])
        AS r(workspace_id, employee_id, through)
    JOIN projections.published_norms p ON p.workspace_id = r.workspace_id AND p.employee_id = r.employee_id
      AND p.monday > r.through AND p.monday BETWEEN %(first_week)s AND %(last_week)s
"""
_CURSORS = """
    SELECT c.workspace_id, c.employee_id, c.through_week, c.fingerprint, c.position
    FROM unnest(%(workspaces)s::text[], %(employees)s::text[]) AS r(workspace_id, employee_id)
    JOIN projections.published_norm_cursors c USING (workspace_id, employee_id)
"""

_Key = tuple[str, str]


class _Cursor(NamedTuple):
    """How far an employee's publication has come: by which event, under which fingerprint."""

    through_week: date | None
    fingerprint: str | None
    position: int


_NOTHING = _Cursor(None, None, 0)


class PublishTimesheetNormsParameters(EmployeeParameters):
    """Parameters of the job."""

    force: bool = Field(
        default=False,
        description="Publish every week of the window for everyone in scope, whatever was published. Readers of the "
        "events get some 13 weeks per employee again, most of them as they were.",
    )


class PublishTimesheetNorms(Job):
    """The 13 weeks from the run date's week on: those not published yet, or all that another norm, calendar or
    employment changed.

    Someone who is never employed on a day of the window but was published there before gets those weeks corrected.
    Someone of whom a week in question can not be told, since what it names is not defined, is a row error; other days
    do not matter. Whose last days can not be told is due while employed, and looked at whenever the job runs.
    """

    name = "publish_timesheet_norms"
    description = "Publishes the expected minutes of thirteen weeks ahead to employees' calendars."
    parameters = PublishTimesheetNormsParameters
    counters = (
        Counter("candidates", "employees who were looked at"),
        Counter("processed", "employees whose norm is published up to the end of the window"),
        Counter("emitted", "weeks published"),
        Counter("skipped", "employees whose norm could not be published", warns=True),
        Counter("force", "employees of whom every week was published by force, whatever stood"),
    )
    error_counter = "skipped"
    after = ("apply_scheduled_changes",)
    candidates = " UNION ALL ".join([_BEHIND, _ENDED_IN_HINDSIGHT, _FORCED, _WITH_PROBLEM])

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """The first and the last Monday of the window, and whether all is to be published again."""
        mondays = window(run_date)
        return {"first_week": mondays[0], "last_week": mondays[-1], "force": parameters.force}

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """Nothing is due where everything stands published."""
        return {
            workspace_id: "every week of the window is published already, or nobody is employed"
            for workspace_id, _ in targets
        }

    def decide(self, batch: Batch) -> None:
        """Publish what each employee lacks, or report why it can not be told."""
        publishers = _publishers(batch)
        cursors, standing = _cursors(batch), _standing(batch)
        written = _WrittenWeeks()
        for row in batch.rows:
            batch.count(row, "candidates")
            run, key = batch.runs[row.workspace_id], (row.workspace_id, row.employee_id)
            cursor = cursors.get(key, _NOTHING)
            try:
                publication = publishers[row.workspace_id].publication(
                    row.employee_id,
                    run.run_date,
                    through_week=cursor.through_week,
                    fingerprint=cursor.fingerprint,
                    published=standing.get(key, {}),
                    force=run.parameters.force,
                )
            except RuleError as error:
                batch.error(row, entity="employee", entity_id=row.employee_id, error=error.kind, message=str(error))
                continue
            batch.count(row, "processed")
            if publication:
                batch.count(row, "emitted", len(publication.weeks))
                batch.count(row, "force", int(run.parameters.force))
                batch.append(
                    row,
                    working_time.NormPublished(
                        employee_id=row.employee_id,
                        through_week=publication.through_week,
                        fingerprint=publication.fingerprint,
                        weeks=written.payloads(publication.weeks),
                    ),
                    row.employee_id,
                    str(publication.through_week),
                    publication.fingerprint,
                    str(cursor.position),
                    *([run.job_run_id] if run.parameters.force else []),
                )


def _publishers(batch: Batch) -> dict[str, NormPublisher]:
    return {
        workspace_id: NormPublisher(workforce)
        for workspace_id, (workforce, _) in load_workforces(batch.connection, employees_of(batch.rows)).items()
    }


def _cursors(batch: Batch) -> dict[_Key, _Cursor]:
    rows = batch.connection.execute(_CURSORS, _keys(batch.rows))
    return {(workspace_id, employee_id): _Cursor(*values) for workspace_id, employee_id, *values in rows}


def _standing(batch: Batch) -> dict[_Key, dict[date, PublishedWeek]]:
    found: defaultdict[_Key, dict[date, PublishedWeek]] = defaultdict(dict)
    outdated = [row for row in batch.rows if row.published_through < row.furthest_week]
    if not outdated:
        return found
    mondays = window(next(iter(batch.runs.values())).run_date)
    through = [row.published_through for row in outdated]
    values = _keys(outdated) | {"first_week": mondays[0], "last_week": mondays[-1], "through": through}
    for workspace_id, employee_id, monday, minutes, holidays in batch.connection.execute(_STANDING, values):
        named = tuple((date.fromisoformat(holiday["date"]), holiday["name"]) for holiday in holidays)
        found[workspace_id, employee_id][monday] = PublishedWeek(monday, tuple(minutes), named)
    return found


def _keys(rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {"workspaces": [row.workspace_id for row in rows], "employees": [row.employee_id for row in rows]}


class _WrittenWeeks:
    """Weeks as payloads, each made once: thousands of employees share a few schedules."""

    def __init__(self) -> None:
        self._payloads: dict[tuple[PublishedWeek, ...], tuple[working_time.PublishedWeek, ...]] = {}

    def payloads(self, weeks: tuple[PublishedWeek, ...]) -> tuple[working_time.PublishedWeek, ...]:
        if weeks not in self._payloads:
            self._payloads[weeks] = tuple(map(_payload, weeks))
        return self._payloads[weeks]


def _payload(week: PublishedWeek) -> working_time.PublishedWeek:
    return working_time.PublishedWeek(
        monday=week.monday,
        minutes=week.minutes,
        holidays=tuple(working_time.PublishedHoliday(date=day, name=name) for day, name in week.holidays),
    )
