"""The activity and the account behind each policy that an employee's terms carry, as of the workspace's date."""

from collections.abc import Iterator, Sequence
from datetime import date

from batch_jobs.engine.projection import Folded, Projection, Window, passed_days
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.projections.affected_employees import add_affected_by_date, affected, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules.definitions import ALL_KINDS, POLICY_KINDS
from batch_jobs.rules.entities import EmploymentTerms
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction

# More than is needed, but the same that other folds load: in an import the load is most of the work.
_KINDS = ALL_KINDS
_SETTING_KINDS = POLICY_KINDS - {"activity"} | {"employment_terms"}
_SETTINGS = frozenset(f"{kind}.defined" for kind in _SETTING_KINDS)

# A version of a setting that begins between two as-of dates may be that of anybody's policies.
_BY_DATE = """
    INSERT INTO affected_employees
    SELECT e.workspace_id, e.entity_id FROM definitions e
    WHERE e.kind = 'employee' AND e.workspace_id IN (
        SELECT d.workspace_id
        FROM unnest(%(workspaces)s::text[], %(before)s::date[], %(now)s::date[]) AS m(workspace_id, before, now)
        JOIN definitions d ON d.workspace_id = m.workspace_id AND d.kind = ANY (%(kinds)s)
          AND d.valid_from > least(m.before, m.now) AND d.valid_from <= greatest(m.before, m.now)
    )
    ON CONFLICT DO NOTHING
"""


class PolicyActivities(Projection):
    """One row per defined employee and policy of the terms of the employment that the directory shows. A policy that
    is not defined has no row. Activity and account are as the policy names them, defined or not; `unit` is null
    without a defined account.
    """

    name = "policy_activities"
    description = "Activity, account and unit behind each policy of an employee, as of the latest finished run date."
    version = 2
    event_types = _SETTINGS | {"employee.defined", "employee.removed", "employment.defined"}
    after = ("definitions",)
    follows_as_of = True
    table = Table(
        "policy_activities",
        ("workspace_id", "employee_id", "policy_kind", "policy_id"),
        ("activity_id", "account_id", "unit"),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Recompute the employees whom the events or the passing of days affect. See `Projection.fold`."""
        find_affected(connection, settings=_SETTINGS)
        if moved := passed_days(windows):
            add_affected_by_date(connection, moved)
            workspaces, before, now = map(list, zip(*moved, strict=True))
            connection.execute(
                _BY_DATE, {"workspaces": workspaces, "before": before, "now": now, "kinds": list(_SETTING_KINDS)}
            )
        employees = affected(connection)
        as_of = {window.workspace_id: window.as_of for window in windows}
        rows = (
            (workspace_id, *row)
            for workspace_id, (workforce, _) in workforces_of(connection, employees, _KINDS).items()
            for row in _rows(workforce, employees[workspace_id], as_of[workspace_id])
        )
        return Folded(replace_rows(connection, self.table, rows, of="affected_employees"))


def _rows(workforce: Workforce, employees: Sequence[str], day: date) -> Iterator[tuple[str | None, ...]]:
    known = workforce.definitions
    policies_of: dict[str, list[tuple[str | None, ...]]] = {}
    for employee_id in employees:
        shown = workforce.shown_employment(employee_id, day) if employee_id in known.employees else None
        if shown and shown.terms_id in known.terms:
            if shown.terms_id not in policies_of:
                policies_of[shown.terms_id] = list(_policies(workforce, known.terms[shown.terms_id].on(day), day))
            for policy in policies_of[shown.terms_id]:
                yield employee_id, *policy


def _policies(workforce: Workforce, terms: EmploymentTerms, day: date) -> Iterator[tuple[str | None, ...]]:
    known = workforce.definitions
    for policy_kind, policy_ids, defined in (
        ("time_off", terms.time_off_policy_ids, known.time_off_policies),
        ("allowance", terms.allowance_policy_ids, known.allowance_policies),
    ):
        for policy_id in dict.fromkeys(policy_ids):
            if policy_id in defined:
                policy = defined[policy_id].on(day)
                account = known.time_accounts.get(policy.account_id or "")
                unit = account.on(day).unit if account else None
                yield policy_kind, policy_id, policy.activity_id, policy.account_id, unit
