"""Reminds people of the full days off that are about to begin."""

from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.mail.kinds import TIMEOFF_REMINDER, TimeOffReminderData
from batch_jobs.mail.notices import Notice, create
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.timeoff_reminders import Block, blocks, is_due, reminder
from batch_jobs.rules.workforce import Workforce

# Someone who is not in the directory was removed, and gets nothing, or was never defined, which is worth an error only.
# LIMIT keeps PostgreSQL from reading the whole directory for the few who are about to leave.
_CANDIDATES = """
    SELECT a.workspace_id, a.employee_id AS row_id, a.employee_id, d.employee_id IS NOT NULL AS due
    FROM scope s JOIN (
        SELECT DISTINCT workspace_id, employee_id FROM projections.absences
        WHERE unconsumed_from IS NOT NULL AND fraction = 1
          AND start_date > %(run_date)s AND start_date <= %(run_date)s::date + 14
    ) a ON a.workspace_id = s.workspace_id
    LEFT JOIN LATERAL (
        SELECT e.employee_id FROM projections.employee_directory e
        WHERE e.workspace_id = a.workspace_id AND e.employee_id = a.employee_id LIMIT 1
    ) d ON true
"""

_UNSTARTED = """
    SELECT a.workspace_id, a.employee_id, a.absence_id, a.policy_id, a.start_date, a.end_date,
        EXISTS (
            SELECT FROM projections.reminded_absences r
            WHERE r.workspace_id = a.workspace_id AND r.absence_id = a.absence_id
        )
    FROM unnest(%s::text[], %s::text[], %s::date[]) AS w(workspace_id, employee_id, run_date)
    JOIN projections.absences a ON a.workspace_id = w.workspace_id AND a.employee_id = w.employee_id
    WHERE a.state = 'approved' AND NOT a.open_ended AND a.fraction = 1
      AND a.start_date > w.run_date AND a.end_date >= a.start_date
"""


class TimeoffReminder(Job):
    """One notification for each block of absences, on the last working day before it or as soon after as it runs.

    An absence that a reminder has named is not reminded of again, whoever was the employee's user then: what is left
    of its block is reminded of by itself, and a block of which nothing is left is a duplicate.
    """

    name = "timeoff_reminder"
    description = "Reminds people of the full days off that are about to begin."
    counters = (
        Counter("reminders_sent", "reminders created"),
        Counter("reminders_no_user", "reminders for people without an active user", warns=True),
        Counter("reminders_duplicates", "time off that was reminded of before"),
        Counter("reminder_errors", "employees or absences that could not be judged", warns=True),
    )
    error_counter = "reminder_errors"
    after = ("apply_scheduled_changes",)
    candidates = _CANDIDATES

    def decide(self, batch: Batch) -> None:
        """A reminder for each block that is due."""
        absences, reminded = _unstarted(batch)
        workforces = load_workforces(batch.connection, employees_of(batch.rows), ALL_KINDS)
        notices = []
        for row in batch.rows:
            workforce, removed = workforces[row.workspace_id]
            if row.employee_id in removed:
                continue
            run_date = batch.runs[row.workspace_id].run_date
            try:
                theirs = absences[row.workspace_id, row.employee_id]
                found = blocks(workforce, row.employee_id, theirs, run_date)
                due = [block for block in found if is_due(workforce, row.employee_id, block, run_date)]
            except RuleError as error:
                _report(batch, row, "employee", row.employee_id, error)
                continue
            for block in due:
                notice = _notice(batch, row, workforce, block, reminded[row.workspace_id])
                notices += [notice] if notice else []
        for notice, created in zip(notices, create(batch, notices), strict=True):
            batch.count(notice.row, "reminders_sent" if created else "reminders_duplicates")


def _notice(batch: Batch, row: Any, workforce: Workforce, block: Block, reminded: Collection[str]) -> Notice | None:
    """What to tell of the block; None when there is nothing or nobody to tell, which is counted."""
    absence_id = block.absences[0].absence_id
    try:
        says = reminder(workforce, row.employee_id, block, reminded)
    except RuleError as error:
        _report(batch, row, "absence", absence_id, error)
        return None
    if says is None:
        batch.count(row, "reminders_duplicates")
        return None
    run_date = batch.runs[row.workspace_id].run_date
    employee = workforce.definitions.employees.get(row.employee_id)
    user = workforce.active_user(row.employee_id, run_date)
    if employee is None:
        batch.undefined(row, "absence", absence_id, "employee", row.employee_id)
        return None
    if user is None:
        batch.error(
            row,
            entity="employee",
            entity_id=row.employee_id,
            error="no_active_user",
            message=f"employee {row.employee_id}: is away from {says.start} on and has no active user to be told; "
            "invite them, or ignore it for people without a login",
            counter="reminders_no_user",
        )
        return None
    data = TimeOffReminderData(
        employee_name=employee.on(run_date).called,
        absence_ids=list(says.absence_ids),
        start_date=str(says.start),
        end_date=str(says.end),
        working_days=says.working_days,
        account=says.account,
    )
    return Notice(row, user.user_id, TIMEOFF_REMINDER, (says.absence_ids[0],), data)


def _report(batch: Batch, row: Any, entity: str, entity_id: str, error: RuleError) -> None:
    message = f"{entity} {entity_id}: no reminder of time off: {error}"
    batch.error(row, entity=entity, entity_id=entity_id, error=error.kind, message=message)


def _unstarted(batch: Batch) -> tuple[defaultdict[tuple[str, str], list[Absence]], defaultdict[str, set[str]]]:
    """The absences of the rows' employees, and by workspace the ids of those that were reminded of."""
    absences: defaultdict[tuple[str, str], list[Absence]] = defaultdict(list)
    reminded: defaultdict[str, set[str]] = defaultdict(set)
    workspaces = [row.workspace_id for row in batch.rows]
    run_dates = [batch.runs[workspace_id].run_date for workspace_id in workspaces]
    rows = batch.connection.execute(_UNSTARTED, [workspaces, [row.employee_id for row in batch.rows], run_dates])
    for workspace_id, employee_id, absence_id, policy_id, start, end, is_reminded in rows:
        whole_days = Absence(absence_id, employee_id, policy_id, "approved", start, end, Fraction(1), open_ended=False)
        absences[workspace_id, employee_id].append(whole_days)
        if is_reminded:
            reminded[workspace_id].add(absence_id)
    return absences, reminded
