"""What jobs about absences share: a row as the rules' absence, and how their refusals are reported. No job."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.fractions import exact
from batch_jobs.rules.workforce import Workforce

COLUMNS = """
    a.workspace_id, a.absence_id AS row_id, a.employee_id, a.policy_id, a.state, a.start_date, a.end_date, a.fraction,
    a.open_ended, a.consumed_to
"""
# Not EXISTS, which PostgreSQL answers by reading the directory of all workspaces: few rows are asked about.
IN_DIRECTORY = """
    coalesce((
        SELECT true FROM projections.employee_directory e
        WHERE e.workspace_id = a.workspace_id AND e.employee_id = a.employee_id
    ), false)
"""


def absences(batch: Batch) -> Iterator[tuple[Any, Absence, Workforce]]:
    """The rows, by absence id, with their absence and the workforce that knows its employee and all policies.

    Who was removed gets nothing new and is left out; who was never defined is a row error.

    Args:
        batch: with rows of `COLUMNS`.
    """
    workforces = load_workforces(batch.connection, employees_of(batch.rows), ALL_KINDS)
    for row in sorted(batch.rows, key=attrgetter("workspace_id", "row_id")):
        workforce, removed = workforces[row.workspace_id]
        if row.employee_id in removed:
            continue
        if row.employee_id not in workforce.definitions.employees:
            batch.undefined(row, "absence", row.row_id, "employee", row.employee_id)
            continue
        absence = Absence(
            row.row_id,
            row.employee_id,
            row.policy_id,
            row.state,
            row.start_date,
            row.end_date,
            exact(row.fraction),
            row.open_ended,
            row.consumed_to,
        )
        yield row, absence, workforce


def report(batch: Batch, row: Any, error: RuleError) -> None:
    """Report that what the workspace has defined does not let the row be worked on."""
    batch.error(row, entity="absence", entity_id=row.row_id, error=error.kind, message=f"absence {row.row_id}: {error}")
