"""Starts each employee's approval period with a pending timesheet statement."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.rules.approval_periods import APPROVING, bounds
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.statements import StatementPeriodStarted

_IN_FORCE = """
    FROM scope s JOIN projections.employment_periods p ON p.workspace_id = s.workspace_id
    WHERE p.valid_from <= %(run_date)s AND (p.valid_to IS NULL OR p.valid_to >= %(run_date)s)
    AND (NOT p.has_overlap OR NOT EXISTS (
        SELECT FROM projections.employment_periods o
        WHERE o.workspace_id = p.workspace_id AND o.employee_id = p.employee_id
          AND o.valid_from <= %(run_date)s AND (o.valid_to IS NULL OR o.valid_to >= %(run_date)s)
          AND (o.start_date, o.employment_id) > (p.start_date, p.employment_id)
    ))
"""
# A branch for each kind of period: its bounds are constants then, and PostgreSQL merges two indexes in their order.
# Over a million employees that takes a third of the time of one query for all kinds.
_WITHOUT_STATEMENT = (
    """
    SELECT p.workspace_id, p.employee_id AS row_id, p.employee_id, p.employment_id, p.terms_id,
        true AS terms_are_defined, p.employee_is_defined, p.employee_is_defined AS due,
        %({kind}_start)s::date AS period_start, %({kind}_end)s::date AS period_end
    """
    + _IN_FORCE
    + """
    AND p.approval_period = '{kind}' AND NOT EXISTS (
        SELECT FROM projections.timesheet_statements t
        WHERE t.workspace_id = p.workspace_id AND t.employee_id = p.employee_id
          AND t.period_start = %({kind}_start)s AND t.period_end = %({kind}_end)s
    )
    """
)
_WITHOUT_TERMS = (
    """
    SELECT p.workspace_id, p.employee_id, p.employee_id, p.employment_id, p.terms_id, false,
        p.employee_is_defined, false, NULL::date, NULL::date
    """
    + _IN_FORCE
    + "AND p.approval_period IS NULL"
)


class TimesheetStatementGenerate(Job):
    """An active employee on terms with approval gets a statement with the bounds of the period that holds the run date.

    A change of the approval period in mid-period starts a statement with the new bounds and keeps the old one.
    Someone whose terms, or who themself, is not defined is a row error: references may dangle (domain 2).
    """

    name = "timesheet_statement_generate"
    description = "Starts each employee's approval period with a pending timesheet statement."
    counters = (
        Counter("created", "statements started"),
        Counter("errors", "employees for whom no statement could be started", warns=True),
    )
    after = ("apply_scheduled_changes",)
    catch_up_days = 14
    candidates = " UNION ALL ".join([*(_WITHOUT_STATEMENT.format(kind=kind) for kind in APPROVING), _WITHOUT_TERMS])

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """The bounds of each kind of approval period on the run date (domain 3.4)."""
        return bounds(run_date)

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """Tell workspaces without approval from those where all is done."""
        approving = connection.execute(
            """
            SELECT DISTINCT p.workspace_id FROM unnest(%s::text[], %s::date[]) AS s(workspace_id, run_date)
            JOIN projections.employment_periods p ON p.workspace_id = s.workspace_id
              AND p.valid_from <= s.run_date AND (p.valid_to IS NULL OR p.valid_to >= s.run_date)
              AND p.approval_period <> 'none'
            """,
            [[workspace_id for workspace_id, _ in targets], [day for _, day in targets]],
        )
        done = {row[0] for row in approving.fetchall()}
        return {
            workspace_id: "every statement of the period exists already"
            if workspace_id in done
            else "no employment terms with approval enabled"
            for workspace_id, _ in targets
        }

    def decide(self, batch: Batch) -> None:
        """A statement for each row, or an error."""
        for row in batch.rows:
            if not row.employee_is_defined:
                batch.undefined(row, "employment", row.employment_id, "employee", row.employee_id)
            elif not row.terms_are_defined:
                batch.undefined(row, "employment", row.employment_id, "employment_terms", row.terms_id)
            else:
                start, end = row.period_start, row.period_end
                payload = StatementPeriodStarted(
                    statement_id=f"{row.employee_id}:{start}:{end}",
                    employee_id=row.employee_id,
                    terms_id=row.terms_id,
                    period_start=start,
                    period_end=end,
                )
                batch.append(row, payload, row.employee_id, str(start), str(end))
                batch.count(row, "created")
