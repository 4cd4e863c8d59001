"""What tests of the statements' reminder share: a company, the job, and what it wrote."""

from datetime import date

from batch_jobs.jobs.apply_scheduled_changes import ApplyScheduledChanges
from batch_jobs.jobs.timesheet_statement_generate import TimesheetStatementGenerate
from batch_jobs.jobs.timesheet_statement_reminder import TimesheetStatementReminder
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import rows, run

JOB = TimesheetStatementReminder.name
JUNE = date(2026, 6, 1), date(2026, 6, 30)
COUNTERS = ("processed", "ready_emitted", "overdue_emitted", "skipped", "errors")

STEPS = """
    SELECT payload ->> 'statement_id', split_part(type, '.', 2), targets FROM batch_jobs.events
    WHERE workspace_id = %s AND type IN ('statement.ready', 'statement.overdue') ORDER BY position
"""
TOLD = """
    SELECT payload ->> 'user_id', payload ->> 'kind', payload -> 'data' FROM batch_jobs.events
    WHERE workspace_id = %s AND type = 'notification.created' ORDER BY position
"""


def jobs():
    return ApplyScheduledChanges(), TimesheetStatementGenerate(), TimesheetStatementReminder()


def staff(*events, workspace_id="acme", bounds=JUNE):
    """Ada, led by Bo, works in Denmark and owes a statement."""
    return [
        builders.workspace(workspace_id, default_holiday_calendar_id="dk"),
        *builders.of(
            workspace_id,
            builders.calendar("dk", country="DK"),
            builders.terms(),
            builders.employee("e-1", name="Ada Lovelace", preferred_name="Ada"),
            builders.employee("boss"),
            builders.employment("e-1/1", manager_id="boss"),
            builders.user("u-1", "e-1"),
            builders.statement("period_started", "e-1", *bounds),
            *events,
        ),
    ]


def remind(engine, day, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def counts(one):
    return tuple(one.counters[name] for name in COUNTERS)


def steps(engine, workspace_id="acme"):
    return [(what, targets) for _, what, targets in rows(engine.database, STEPS, workspace_id)]
