"""Takes the days of approved absences from their accounts, one approval period at a time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.jobs.absence_rows import COLUMNS, IN_DIRECTORY, absences, report
from batch_jobs.rules.absence_days import Consumption, approval_kind, chunks, consume
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.approval_periods import bounds
from batch_jobs.rules.errors import RuleError
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.time_off import ConsumedDay, TimeOffConsumed

# A date in the wrong century would write millions of days; nobody plans ten years off.
MOST_DAYS = 3_660

# `rules.absence_days.chunks` in SQL: what begins by the run date is due in any approval period that holds it. Only for
# later days the kind counts, that of the employment current on the run date or on the last covered day before it.
_DUE_CHUNKS = f"""
    SELECT {COLUMNS}, {IN_DIRECTORY} AS due
    FROM scope s JOIN projections.absences a ON a.workspace_id = s.workspace_id
    WHERE a.unconsumed_from IS NOT NULL AND a.start_date <= %(run_date)s
      AND CASE WHEN a.unconsumed_from > %(run_date)s THEN a.unconsumed_from <= coalesce((
          SELECT CASE p.approval_period
              WHEN 'weekly' THEN %(weekly_end)s WHEN 'biweekly' THEN %(biweekly_end)s
              WHEN 'monthly' THEN %(monthly_end)s ELSE date 'infinity' END
          FROM projections.employment_periods p
          WHERE p.workspace_id = a.workspace_id AND p.employee_id = a.employee_id AND p.valid_from <= %(run_date)s
          ORDER BY least(p.valid_to, %(run_date)s) DESC, p.start_date DESC, p.employment_id DESC LIMIT 1
      ), 'infinity') ELSE true END
"""


class TimeoffConsumption(Job):
    """A closed approved absence that has begun is consumed up to the end of the approval period of the run date.

    Where a chunk can not be consumed, because something is not defined, it and what follows is a row error and waits;
    the chunks before it are consumed, as they would have been on the days before. So it is with an absence of more
    than ten years, which is taken for a slip of the pen.
    """

    name = "timeoff_consumption"
    description = "Takes the days of approved absences from their accounts, one approval period at a time."
    counters = (
        Counter("periods_consumed", "chunks of absences consumed, one for each approval period"),
        Counter("consumption_errs", "absences that could not be consumed, or not to the end", warns=True),
    )
    error_counter = "consumption_errs"
    after = ("apply_scheduled_changes",)
    candidates = _DUE_CHUNKS

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """The bounds of each kind of approval period on the run date (domain 3.4)."""
        return bounds(run_date)

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """See `Job.idle_reasons`."""
        return {workspace_id: "no absence has days to consume" for workspace_id, _ in targets}

    def decide(self, batch: Batch) -> None:
        """One event for each chunk that is due."""
        for row, absence, workforce in absences(batch):
            run_date = batch.runs[row.workspace_id].run_date
            try:
                due = chunks(absence, run_date, approval_kind(workforce, absence.employee_id, run_date))
                if due and (due[-1].end - due[0].start).days >= MOST_DAYS:
                    _too_long(batch, row, due[0].start, due[-1].end)
                    continue
                for chunk in due:
                    payload = _payload(absence, consume(workforce, absence, chunk))
                    batch.append(row, payload, absence.absence_id, str(chunk.start))
                    batch.count(row, "periods_consumed")
            except RuleError as error:
                report(batch, row, error)


def _payload(absence: Absence, taken: Consumption) -> TimeOffConsumed:
    return TimeOffConsumed(
        absence_id=absence.absence_id,
        employee_id=absence.employee_id,
        policy_id=absence.policy_id,
        account_id=taken.charge.account.account_id if taken.charge.account else None,
        activity_id=taken.charge.activity_id,
        from_date=taken.chunk.start,
        to_date=taken.chunk.end,
        days=tuple(ConsumedDay(date=day.date, minutes=day.minutes, amount=day.amount) for day in taken.days),
        amount=taken.amount,
    )


def _too_long(batch: Batch, row: Any, start: date, end: date) -> None:
    message = (
        f"absence {row.row_id}: {start} to {end} would be consumed at once; expected at most {MOST_DAYS} days. "
        "Cancel it, and request it again with the right dates"
    )
    batch.error(row, entity="absence", entity_id=row.row_id, error="too_long", message=message)
