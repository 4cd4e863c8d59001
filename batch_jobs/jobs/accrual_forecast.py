"""Computes what time-off policies will credit each employee over the next two years, and what will expire."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, EmployeeParameters, Job
from batch_jobs.engine.job_runs import Target
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.accrual.forecast import Accruals, Forecast
from batch_jobs.rules.accrual.unexpired import with_unexpired
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError, UndefinedReferenceError
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.accounts import AccrualForecastComputed, ForecastEntry

SHORTEST_HORIZON = 365
LONGEST_HORIZON = 730

_PAIRS = """
    SELECT f.workspace_id, f.employee_id || '|' || f.policy_id AS row_id, f.employee_id, f.policy_id, f.problem,
        f.position AS replaces, f.problem IS NULL AS due
    FROM scope s JOIN projections.accrual_fingerprints f ON f.workspace_id = s.workspace_id
    WHERE
"""
# Whether they hold entries that a new forecast would replace. Some may be materialised already, by a run for a later
# day; computing their forecast once more does no harm.
_HOLDS_ENTRIES = "f.last_due_date >= %(run_date)s"
_CHANGED = "NOT %(force)s AND f.changed"
_SAME = "NOT %(force)s AND NOT f.changed"
# Each branch reads an index of its own, of rows that are nearly all due; no two of them have a row in common.
_BRANCHES = (
    f"{_CHANGED} AND f.accrues_until IS NULL",
    f"{_CHANGED} AND f.accrues_until >= %(run_date)s",
    f"{_CHANGED} AND f.accrues_until < %(run_date)s AND {_HOLDS_ENTRIES}",
    f"{_SAME} AND f.accrues_until IS NULL AND f.horizon_end < %(run_date)s + {SHORTEST_HORIZON}",
    f"""{_SAME} AND f.computed_from <= f.accrues_until
        AND f.accrues_until >= %(run_date)s AND f.horizon_end < %(run_date)s + {SHORTEST_HORIZON}""",
    # Computed while they still had the policy, or while not all of what expires was within sight: entries further ahead
    # may be missing, also where it holds none, and nothing asks again later.
    f"""{_SAME} AND f.computed_from <= f.accrues_until
        AND f.accrues_until < %(run_date)s AND f.accrues_until >= %(run_date)s - {LONGEST_HORIZON}""",
    f"""%(force)s AND (f.problem IS NOT NULL OR f.fingerprint IS NOT NULL)
        AND (f.accrues_until IS NULL OR f.accrues_until >= %(run_date)s OR {_HOLDS_ENTRIES})""",
)

# An entry's id ends with its due date. Those from the run date on are few: credited by hand, or for a later day.
_MATERIALIZED = """
    SELECT workspace_id, m.entry_id
    FROM (
        SELECT DISTINCT * FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(workspace_id, employee_id, run_date)
    ) w
    JOIN projections.materialized_entries m USING (workspace_id, employee_id)
    WHERE right(m.entry_id, 10) >= w.run_date
"""
# Policy years with entries that a new forecast leaves as they are, of which none lets them expire.
_UNEXPIRED = """
    SELECT workspace_id, employee_id, policy_id, a.year_start
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::date[]) AS w(workspace_id, employee_id, policy_id, run_date)
    JOIN projections.accrual_forecast a USING (workspace_id, employee_id, policy_id)
    WHERE a.year_start <= w.run_date AND (a.materialized_at IS NOT NULL OR a.due_date < w.run_date)
    GROUP BY 1, 2, 3, 4 HAVING bool_and(a.kind = 'accrual')
"""


class AccrualForecastParameters(EmployeeParameters):
    """What can be chosen for a run of this job."""

    force_recompute: bool = Field(
        default=False,
        description="Compute the forecast of everyone in scope again, also where nothing that it depends on has "
        "changed. Writes an event for each employee and policy.",
    )


class AccrualForecast(Job):
    """A forecast for each employee and policy whose terms, employment, hours or plan changed, whose horizon is less
    than 365 days, or who holds entries under a policy that they no longer have.

    Who lost a policy is computed once, after the loss: what is still to expire stays in their forecast, what they no
    longer earn does not. Where it may expire more than 730 days later, theirs goes on as those of others, until the
    last of it is within sight. Someone who was removed keeps the last forecast, and gets nothing from it.
    """

    name = "accrual_forecast"
    description = "Computes what time-off policies will credit each employee over the next two years."
    parameters = AccrualForecastParameters
    counters = (
        Counter("processed", "employee and policy pairs that a forecast was due for"),
        Counter("computed", "pairs that got a new forecast"),
        Counter(
            "skipped", "pairs that were looked at though their forecast stands: none, a run looks at due ones only"
        ),
        Counter("errors", "pairs for which no forecast could be computed", warns=True),
    )
    after = ("apply_scheduled_changes",)
    candidates = " UNION ALL ".join(_PAIRS + branch for branch in _BRANCHES)

    def arguments(self, run_date: date, parameters: Any) -> Mapping[str, Any]:
        """Whether everyone is to be computed."""
        return {"force": parameters.force_recompute}

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """Tell workspaces without accruing policies from those where all is done."""
        accruing = connection.execute(
            """
            SELECT s.workspace_id FROM unnest(%s::text[], %s::date[]) AS s(workspace_id, run_date)
            WHERE EXISTS (
                SELECT FROM projections.accrual_fingerprints f
                WHERE f.workspace_id = s.workspace_id AND f.fingerprint IS NOT NULL
                  AND (f.accrues_until IS NULL OR f.accrues_until >= s.run_date)
            )
            """,
            [[workspace_id for workspace_id, _ in targets], [day for _, day in targets]],
        )
        done = {row[0] for row in accruing.fetchall()}
        return {
            workspace_id: "every forecast is up to date"
            if workspace_id in done
            else "no employment terms with an accruing time-off policy"
            for workspace_id, _ in targets
        }

    def decide(self, batch: Batch) -> None:
        """A forecast for each row, without what is materialised already, or an error."""
        materialized = _materialized(batch)
        unexpired = _unexpired(batch)
        workforces = load_workforces(batch.connection, employees_of(batch.rows), ALL_KINDS)
        accruals = {workspace_id: Accruals(workforce) for workspace_id, (workforce, _) in workforces.items()}
        for row in batch.rows:
            batch.count(row, "processed")
            run = batch.runs[row.workspace_id]
            try:
                if row.problem is not None:
                    raise UndefinedReferenceError(row.problem)
                of_workspace, pair = accruals[row.workspace_id], (row.employee_id, row.policy_id)
                forecast = with_unexpired(
                    of_workspace.forecast(*pair, run.run_date),
                    of_workspace,
                    *pair,
                    unexpired=unexpired[row.workspace_id, *pair],
                    materialized=materialized[row.workspace_id],
                )
            except RuleError as error:
                batch.error(
                    row,
                    entity="employee",
                    entity_id=row.employee_id,
                    error=error.kind,
                    message=f'employee {row.employee_id}, time-off policy "{row.policy_id}": {error}',
                )
                continue
            parts = [row.employee_id, row.policy_id, str(run.run_date), forecast.fingerprint, str(row.replaces or 0)]
            if run.parameters.force_recompute:
                parts.append(run.job_run_id)
            batch.append(row, _payload(row, forecast, materialized[row.workspace_id]), *parts)
            batch.count(row, "computed")


def _materialized(batch: Batch) -> defaultdict[str, set[str]]:
    """By workspace, the ids of the entries that are due from the run date on and materialised already."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    rows: Sequence[Any] = batch.rows
    values = [
        [row.workspace_id for row in rows],
        [row.employee_id for row in rows],
        [str(batch.runs[row.workspace_id].run_date) for row in rows],
    ]
    for workspace_id, entry_id in batch.connection.execute(_MATERIALIZED, values):
        found[workspace_id].add(entry_id)
    return found


def _unexpired(batch: Batch) -> defaultdict[tuple[str, str, str], list[date]]:
    """By workspace, employee and policy, the policy years that nothing lets expire but the forecast to be made."""
    found: defaultdict[tuple[str, str, str], list[date]] = defaultdict(list)
    rows: Sequence[Any] = batch.rows
    values = [
        [row.workspace_id for row in rows],
        [row.employee_id for row in rows],
        [row.policy_id for row in rows],
        [batch.runs[row.workspace_id].run_date for row in rows],
    ]
    for workspace_id, employee_id, policy_id, year_start in batch.connection.execute(_UNEXPIRED, values):
        found[workspace_id, employee_id, policy_id].append(year_start)
    return found


def _payload(row: Any, forecast: Forecast, materialized: Collection[str]) -> AccrualForecastComputed:
    return AccrualForecastComputed(
        employee_id=row.employee_id,
        policy_id=row.policy_id,
        computed_from=forecast.computed_from,
        horizon_end=forecast.horizon_end,
        fingerprint=forecast.fingerprint,
        entries=tuple(
            ForecastEntry(
                entry_id=entry.entry_id,
                kind=entry.kind,
                due_date=entry.due_date,
                amount=entry.amount,
                year_start=entry.year_start,
            )
            for entry in forecast.entries
            if entry.entry_id not in materialized
        ),
    )
