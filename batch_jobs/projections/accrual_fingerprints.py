"""What each accrual forecast depends on now, beside what the last one was made of: tells which are due again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, changed_rows, replace_rows
from batch_jobs.projections.affected_employees import affected, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction

SETTINGS = frozenset({"employment_terms.defined", "time_off_policy.defined", "work_time_policy.defined"})

# The position of the last forecast goes into the id of the one that replaces it.
_NOTE_FORECASTS = """
    INSERT INTO accrual_fingerprints AS f
        (workspace_id, employee_id, policy_id, forecast_fingerprint, computed_from, horizon_end, last_due_date,
        position)
    SELECT DISTINCT ON (e.workspace_id, p.employee_id, p.policy_id)
        e.workspace_id, p.employee_id, p.policy_id, p.fingerprint, p.computed_from, p.horizon_end,
        (SELECT max((entry ->> 'due_date')::date) FROM jsonb_array_elements(p.entries) AS entry), e.position
    FROM pending_events e CROSS JOIN LATERAL jsonb_to_record(e.payload)
        AS p(employee_id text, policy_id text, fingerprint text, computed_from date, horizon_end date, entries jsonb)
    WHERE e.type = 'accrual.forecast_computed'
    ORDER BY e.workspace_id, p.employee_id, p.policy_id, e.position DESC
    ON CONFLICT (workspace_id, employee_id, policy_id) DO UPDATE SET
        forecast_fingerprint = excluded.forecast_fingerprint, computed_from = excluded.computed_from,
        horizon_end = excluded.horizon_end, last_due_date = excluded.last_due_date, position = excluded.position
    RETURNING workspace_id
"""
# Imported forecasts may be under policies that are on no terms of the employee.
_ADD_NEW = """
    INSERT INTO affected_employees
    SELECT DISTINCT f.workspace_id, f.employee_id FROM pending_events e JOIN accrual_fingerprints f
      ON f.workspace_id = e.workspace_id AND f.position = e.position AND f.employee_id = e.payload ->> 'employee_id'
     AND f.policy_id = e.payload ->> 'policy_id'
    WHERE e.type = 'accrual.forecast_computed' AND f.fingerprint IS NULL
    ON CONFLICT DO NOTHING
"""
_FORECASTS = """
    SELECT workspace_id, employee_id, policy_id, forecast_fingerprint, computed_from, horizon_end, last_due_date,
        position
    FROM accrual_fingerprints JOIN affected_employees USING (workspace_id, employee_id)
    WHERE position IS NOT NULL
"""

_GONE = (None, None, None)
_NO_FORECAST = (None, None, None, None, None)


class AccrualFingerprints(Projection):
    """A row for each employee and policy that ever accrues on their terms, or that they have a forecast for.

    So has a policy on their terms that is not defined, with its problem: it may have been meant to accrue.
    """

    name = "accrual_fingerprints"
    description = "What each accrual forecast depends on now, and what the last one was made of."
    version = 2
    event_types = SETTINGS | {"employee.defined", "employee.removed", "employment.defined", "accrual.forecast_computed"}
    after = ("definitions",)
    table = Table(
        "accrual_fingerprints",
        ("workspace_id", "employee_id", "policy_id"),
        (
            "fingerprint",
            "accrues_until",
            "problem",
            "forecast_fingerprint",
            "computed_from",
            "horizon_end",
            "last_due_date",
            "position",
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Note the forecasts, and recompute the employees whom settings and people affect. See `Projection.fold`."""
        noted = changed_rows(connection, _NOTE_FORECASTS)
        find_affected(connection, settings=SETTINGS)
        connection.execute(_ADD_NEW)
        employees = affected(connection)
        forecasts: defaultdict[tuple[str, str], dict[str, tuple[Any, ...]]] = defaultdict(dict)
        for workspace_id, employee_id, policy_id, *forecast in connection.execute(_FORECASTS):
            forecasts[workspace_id, employee_id][policy_id] = tuple(forecast)
        rows: list[tuple[Any, ...]] = []
        for workspace_id, (workforce, removed) in workforces_of(connection, employees, ALL_KINDS).items():
            accruals = Accruals(workforce)
            for employee_id in employees[workspace_id]:
                of_employee = forecasts.get((workspace_id, employee_id), {})
                if employee_id in removed:
                    rows += [
                        (workspace_id, employee_id, policy_id, *_GONE, *of_employee[policy_id])
                        for policy_id in of_employee
                    ]
                    continue
                for policy_id, *now in _now(workforce, accruals, employee_id, of_employee):
                    rows.append((workspace_id, employee_id, policy_id, *now, *of_employee.get(policy_id, _NO_FORECAST)))
        return Folded(noted + replace_rows(connection, self.table, rows, of="affected_employees"))


def _now(
    workforce: Workforce, accruals: Accruals, employee_id: str, forecast: dict[str, tuple[Any, ...]]
) -> Iterator[tuple[str, str | None, date | None, str | None]]:
    """Policy, fingerprint, `accrues_until` and problem of the employee's policies, earlier ones too."""
    until = accruals.forecast_until(employee_id)
    definitions = workforce.definitions
    for policy_id in sorted(until.keys() | forecast.keys()):
        accrues_until = until.get(policy_id, date.min)
        if employee_id not in definitions.employees:
            missing = f'employee "{employee_id}" is not defined in workspace "{definitions.workspace_id}"'
            yield policy_id, None, accrues_until, f"{missing}; import its employee.defined first"
            continue
        try:
            yield policy_id, accruals.fingerprint(employee_id, policy_id), accrues_until, None
        except RuleError as error:
            yield policy_id, None, accrues_until, str(error)
