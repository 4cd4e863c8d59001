"""A job small enough to see through, for tests of the engine: it marks each employee once a run date."""

from collections.abc import Callable
from typing import Any, ClassVar

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, EmployeeParameters, Job
from batch_jobs.store.payloads.statements import StatementPeriodStarted


class Choices(EmployeeParameters):
    """What can be chosen beside the usual."""

    times: int = 1


class Marking(Job):
    """Marks employees. What happens on the way is the test's: `on_batch` before all rows, `on_row` before each."""

    name: ClassVar[str] = "marking"
    description = "Marks each employee for the run date."
    parameters = Choices
    counters = (Counter("marked", "employees marked"), Counter("errors", "employees not marked", warns=True))
    candidates = """
        SELECT s.workspace_id, d.entity_id AS row_id, d.entity_id AS employee_id, s.run_date, true AS due
        FROM scope s JOIN projections.definitions d ON d.workspace_id = s.workspace_id AND d.kind = 'employee'
        WHERE NOT EXISTS (
            SELECT FROM projections.timesheet_statements t
            WHERE t.workspace_id = s.workspace_id
              AND t.statement_id = %(job)s || ':' || d.entity_id || ':' || s.run_date
        )
    """

    def __init__(
        self,
        on_row: Callable[[Batch, Any], None] = lambda _batch, _row: None,
        on_batch: Callable[[Batch], None] = lambda _batch: None,
    ) -> None:
        self.on_row = on_row
        self.on_batch = on_batch

    def arguments(self, run_date: Any, parameters: Any) -> dict[str, Any]:
        return {"job": self.name}

    def decide(self, batch: Batch) -> None:
        self.on_batch(batch)
        for row in batch.rows:
            self.on_row(batch, row)
            if any(error.row_id == row.row_id for error in batch.outcomes[row.workspace_id].errors):
                continue
            payload = StatementPeriodStarted(
                statement_id=f"{self.name}:{row.employee_id}:{row.run_date}",
                employee_id=row.employee_id,
                terms_id="t-1",
                period_start=row.run_date,
                period_end=row.run_date,
            )
            batch.append(row, payload, row.employee_id, str(row.run_date))
            batch.count(row, "marked")


def named(job_name: str, **attributes: Any) -> Job:
    """A marking job under another name, with other class attributes (`after`, `start_time`, `catch_up_days` ...)."""
    return type("Named", (Marking,), {"name": job_name, **attributes})()
