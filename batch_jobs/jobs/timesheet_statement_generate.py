"""Starts each employee's approval period with a pending timesheet statement."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.rules.approval_periods import period
from batch_jobs.rules.entities import ApprovalKind
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.statements import StatementPeriodStarted

APPROVING: tuple[ApprovalKind, ...] = ("weekly", "biweekly", "monthly")


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
    catch_up_days = 14
    # OFFSET 0 makes PostgreSQL look each statement up by its period. Left to itself it expects three rows where there
    # are a hundred thousand, and reads all statements of the workspace for each employee.
    candidates = """
        SELECT p.workspace_id, p.employee_id AS row_id, p.employee_id, p.employment_id, p.terms_id,
            p.approval_period IS NOT NULL AS terms_are_defined, p.employee_is_defined, b.period_start, b.period_end,
            p.approval_period IS NOT NULL AND p.employee_is_defined AS due
        FROM scope s
        JOIN projections.employment_periods p ON p.workspace_id = s.workspace_id
            AND p.valid_from <= s.run_date AND (p.valid_to IS NULL OR p.valid_to >= s.run_date)
        JOIN unnest(%(kinds)s::text[], %(dates)s::date[], %(starts)s::date[], %(ends)s::date[])
            AS b(kind, run_date, period_start, period_end)
            ON b.run_date = s.run_date AND b.kind = coalesce(p.approval_period, 'undefined')
        WHERE NOT EXISTS (
            SELECT FROM projections.timesheet_statements t
            WHERE t.workspace_id = p.workspace_id AND t.employee_id = p.employee_id
              AND t.period_start = b.period_start AND t.period_end = b.period_end
            OFFSET 0
        )
        AND (NOT p.has_overlap OR NOT EXISTS (
            SELECT FROM projections.employment_periods o
            WHERE o.workspace_id = p.workspace_id AND o.employee_id = p.employee_id
              AND o.valid_from <= s.run_date AND (o.valid_to IS NULL OR o.valid_to >= s.run_date)
              AND (o.start_date, o.employment_id) > (p.start_date, p.employment_id)
        ))
    """

    def arguments(self, run_dates: Collection[date]) -> Mapping[str, Any]:
        """The bounds of each kind of approval period on the run dates; none for terms that are not defined."""
        bounds: list[tuple[Any, ...]] = []
        for day in sorted(run_dates):
            bounds += [(kind, day, *(period(kind, day) or ())) for kind in APPROVING]
            bounds.append(("undefined", day, None, None))
        kinds, dates, starts, ends = map(list, zip(*bounds, strict=True))
        return {"kinds": kinds, "dates": dates, "starts": starts, "ends": ends}

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
