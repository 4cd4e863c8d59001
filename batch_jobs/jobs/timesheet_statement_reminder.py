"""Moves timesheet statements on when they are to be handed in and when they are late, and tells their employees."""

from datetime import date
from typing import Any, NamedTuple

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.mail.kinds import STATEMENT_DEADLINE, STATEMENT_OVERDUE, StatementReminderData
from batch_jobs.mail.notices import Notice, create
from batch_jobs.projections.statement_prospects import Prospect, Spans, prospects
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.statement_deadlines import deadline, overdue_day
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.payloads.statements import StatementOverdue, StatementReady


class _Steps(NamedTuple):
    """What is due for a statement on the run date, and the day on which it was to be handed in."""

    ready: bool
    overdue: bool
    deadline: date


class TimesheetStatementReminder(Job):
    """Two steps, from pending to ready on the deadline and from ready to overdue, each at most once for a statement.

    A statement that is behind takes both in one run, and its employee gets one notification, the overdue one. Someone
    without an active user gets none: the steps are taken all the same. Of removed people nothing is asked any more.
    """

    name = "timesheet_statement_reminder"
    description = (
        "Marks timesheet statements as ready on their deadline and as overdue after it, and tells their employees."
    )
    counters = (
        Counter("processed", "pending and ready statements looked at"),
        Counter("ready_emitted", "statements that became ready"),
        Counter("overdue_emitted", "statements that became overdue"),
        Counter("skipped", "statements for which nothing is due"),
        Counter("errors", "statements that could not be judged", warns=True),
    )
    after = ("timesheet_statement_generate",)
    candidates = """
        SELECT t.workspace_id, t.statement_id AS row_id, t.employee_id, true AS due,
            t.state, t.period_start, t.period_end
        FROM scope s JOIN projections.timesheet_statements t ON t.workspace_id = s.workspace_id
        WHERE t.state IN ('pending', 'ready')
    """

    def decide(self, batch: Batch) -> None:
        """The steps that are due, with their notifications."""
        run_dates = {workspace_id: run.run_date for workspace_id, run in batch.runs.items()}
        found = prospects(batch.connection, batch.rows, run_dates)
        workforces = load_workforces(batch.connection, employees_of(prospect.row for prospect in found))
        skipped = {(row.workspace_id, row.row_id): row for row in batch.rows}
        for row in batch.rows:
            batch.count(row, "processed")
        notices: list[Notice] = []
        for row, absences in found:
            workforce, removed = workforces[row.workspace_id]
            if row.employee_id not in removed and _judge(batch, Prospect(row, absences), workforce, notices):
                del skipped[row.workspace_id, row.row_id]
        for row in skipped.values():
            batch.count(row, "skipped")
        create(batch, notices)


def _judge(batch: Batch, prospect: Prospect, workforce: Workforce, notices: list[Notice]) -> bool:
    """Take the steps that are due, or report why they can not be told. Returns whether there was something to do."""
    row, run_date = prospect.row, batch.runs[prospect.row.workspace_id].run_date
    try:
        steps = _steps(workforce, row, prospect.absences, run_date)
    except RuleError as error:
        message = f"statement {row.row_id}: its deadline can not be told: {error}"
        batch.error(row, entity="statement", entity_id=row.row_id, error=error.kind, message=message)
        return True
    if not steps.ready and not steps.overdue:
        return False
    if row.employee_id not in workforce.definitions.employees:
        batch.undefined(row, "statement", row.row_id, "employee", row.employee_id)
        return True
    manager_id = _manager(workforce, row.employee_id, run_date)
    targets = [manager_id] if manager_id else []
    ids = {"statement_id": row.row_id, "employee_id": row.employee_id}
    if steps.ready:
        batch.append(row, StatementReady(**ids), row.row_id, "ready", targets=targets)
        batch.count(row, "ready_emitted")
    if steps.overdue:
        batch.append(row, StatementOverdue(**ids), row.row_id, "overdue", targets=targets)
        batch.count(row, "overdue_emitted")
    if user := workforce.active_user(row.employee_id, run_date):
        kind = STATEMENT_OVERDUE if steps.overdue else STATEMENT_DEADLINE
        notices.append(Notice(row, user.user_id, kind, (row.row_id,), _data(workforce, row, steps, run_date)))
    return True


def _steps(workforce: Workforce, row: Any, absences: Spans, run_date: date) -> _Steps:
    """Raises RuleError when the schedule can not be told."""
    period = Period(row.period_start, row.period_end)
    by = deadline(workforce, row.employee_id, period, absences)
    ready = row.state == "pending" and run_date >= by
    may_be_overdue = (ready or row.state == "ready") and run_date >= period.end
    overdue = may_be_overdue and run_date >= overdue_day(workforce, row.employee_id, period, absences)
    return _Steps(ready, overdue, by)


def _manager(workforce: Workforce, employee_id: str, run_date: date) -> str | None:
    """The manager of the run date; for someone who has left, of their last day; nobody before the first day."""
    day = workforce.last_covered_day(employee_id, run_date)
    return workforce.manager(employee_id, day) if day else None


def _data(workforce: Workforce, row: Any, steps: _Steps, run_date: date) -> StatementReminderData:
    employee = workforce.definitions.employees[row.employee_id].on(run_date)
    return StatementReminderData(
        employee_name=employee.called,
        statement_id=row.row_id,
        period_start=str(row.period_start),
        period_end=str(row.period_end),
        deadline=str(steps.deadline),
    )
