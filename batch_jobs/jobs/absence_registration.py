"""Puts yesterday on the timesheets of those who are away without a known end."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.jobs.absence_rows import COLUMNS, IN_DIRECTORY, absences, report
from batch_jobs.rules.absence_days import day_to_register, registered_minutes
from batch_jobs.rules.charges import charge
from batch_jobs.rules.errors import RuleError
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.time_off import AbsenceRegistered

# The rule is `rules.absence_days.day_to_register`. A look at each absence: NOT EXISTS would read the days of all years.
_UNREGISTERED = f"""
    SELECT {COLUMNS}, {IN_DIRECTORY} AS due
    FROM scope s JOIN projections.absences a ON a.workspace_id = s.workspace_id
    WHERE a.open_ended AND a.state = 'approved' AND a.start_date < %(run_date)s::date - 1
      AND coalesce(a.end_date, 'infinity') >= %(run_date)s::date - 1
      AND (
          SELECT d.date FROM projections.absence_days d
          WHERE d.workspace_id = a.workspace_id AND d.absence_id = a.absence_id AND d.date = %(run_date)s::date - 1
      ) IS NULL
"""

_STANDING = """
    SELECT d.workspace_id, d.employee_id, d.activity_id, d.date
    FROM unnest(%s::text[], %s::text[], %s::date[]) AS w(workspace_id, employee_id, date)
    JOIN projections.absence_days d USING (workspace_id, employee_id, date)
    WHERE d.registered
"""
_RECORDED = """
    SELECT e.workspace_id, e.event_id, e.payload ->> 'absence_id'
    FROM unnest(%s::text[], %s::uuid[]) AS w(workspace_id, event_id)
    JOIN batch_jobs.events e USING (workspace_id, event_id)
"""


class _Wanted(NamedTuple):
    """A day to register. What it is registered on is what makes it unique: employee, activity, date."""

    row: Any
    payload: AbsenceRegistered

    @property
    def parts(self) -> tuple[str, str, str]:
        return self.payload.employee_id, self.payload.activity_id, str(self.payload.date)


class AbsenceRegistration(Job):
    """An open-ended approved absence is registered on its policy's activity, the day before the run date.

    Of several absences of an employee on one activity and day only the one with the smallest id is registered. A day
    that was registered before and refunded since, because that absence was cancelled or interrupted, can not be
    registered a second time, as its event would be the same one: a row error, with what to do instead.
    """

    name = "absence_registration"
    description = "Puts yesterday on the timesheets of those who are away without a known end."
    counters = (
        Counter("entries_registered", "days put on timesheets"),
        Counter("no_activity", "absences under policies that name no activity to register them on", warns=True),
        Counter("errors", "absences that could not be registered", warns=True),
    )
    after = ("apply_scheduled_changes",)
    catch_up_days = 14
    candidates = _UNREGISTERED

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """See `Job.idle_reasons`."""
        return {workspace_id: "no open-ended absence has a day to register" for workspace_id, _ in targets}

    def decide(self, batch: Batch) -> None:
        """One event for each day that nobody has registered yet."""
        wanted = _wanted(batch)
        standing = _standing(batch, wanted)
        recorded = _recorded(batch, wanted)
        for one in wanted:
            key = one.row.workspace_id, *one.parts
            if key in standing:
                continue
            if key in recorded:
                _report_recorded(batch, one, recorded[key])
                continue
            standing.add(key)
            batch.append(one.row, one.payload, *one.parts, of_job=False)
            batch.count(one.row, "entries_registered")


def _wanted(batch: Batch) -> list[_Wanted]:
    wanted = []
    for row, absence, workforce in absences(batch):
        day = day_to_register(absence, batch.runs[row.workspace_id].run_date)
        try:
            minutes = registered_minutes(workforce, absence, day) if day else 0
            activity_id = charge(workforce.definitions, absence.policy_id, day).activity_id if day and minutes else None
        except RuleError as error:
            report(batch, row, error)
            continue
        if day is None or not minutes:
            continue
        if activity_id is None:
            _report_no_activity(batch, row, day)
            continue
        payload = AbsenceRegistered(
            absence_id=absence.absence_id,
            employee_id=absence.employee_id,
            activity_id=activity_id,
            date=day,
            minutes=minutes,
        )
        wanted.append(_Wanted(row, payload))
    return wanted


_Key = tuple[str, str, str, str]


def _standing(batch: Batch, wanted: Sequence[_Wanted]) -> set[_Key]:
    """What is registered already, by whatever absence: workspace, employee, activity, date."""
    arrays = [
        [one.row.workspace_id for one in wanted],
        [one.payload.employee_id for one in wanted],
        [one.payload.date for one in wanted],
    ]
    return {
        (workspace_id, employee_id, activity_id, str(day))
        for workspace_id, employee_id, activity_id, day in batch.connection.execute(_STANDING, arrays)
    }


def _recorded(batch: Batch, wanted: Sequence[_Wanted]) -> dict[_Key, str]:
    """Which of the events are in the log, and the absence that each is about."""
    keys: dict[tuple[str, UUID], _Key] = {
        (one.row.workspace_id, batch.event_id(one.row, *one.parts, of_job=False)): (one.row.workspace_id, *one.parts)
        for one in wanted
    }
    arrays = [[workspace_id for workspace_id, _ in keys], [event_id for _, event_id in keys]]
    return {
        keys[workspace_id, event_id]: absence_id
        for workspace_id, event_id, absence_id in batch.connection.execute(_RECORDED, arrays)
    }


def _report_recorded(batch: Batch, one: _Wanted, absence_id: str) -> None:
    message = (
        f'absence {one.row.row_id}: {one.payload.date} was recorded on activity "{one.payload.activity_id}" before, '
        f'for absence "{absence_id}", and does not count any more; a day is registered once on an activity: '
        "enter its time by hand"
    )
    batch.error(one.row, entity="absence", entity_id=one.row.row_id, error="registered_before", message=message)


def _report_no_activity(batch: Batch, row: Any, day: date) -> None:
    message = (
        f'absence {row.row_id}: time-off policy "{row.policy_id}" names no activity, so that {day} can not go on the '
        "timesheet; give it one with a new time_off_policy.defined"
    )
    batch.error(
        row, entity="absence", entity_id=row.row_id, error="no_activity", message=message, counter="no_activity"
    )
