"""Loading what moved and used time accounts, as the rule of expiry reads it. No rule, no writing."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from batch_jobs.rules.accrual.expiry import Credited, Expired, Used
from batch_jobs.store.database import Transaction

AccountKey = tuple[str, str, str]
"""Workspace, employee and account."""

_WANTED = """
    FROM unnest(%(workspaces)s::text[], %(employees)s::text[], %(accounts)s::text[])
        AS w(workspace_id, employee_id, account_id)
"""
# An account.expired does not say of which policy year it was; its entry, which stays when it is materialised, does.
_MOVEMENTS = (
    "SELECT w.workspace_id, w.employee_id, w.account_id, m.date, m.credited, m.expired, m.policy_id, "
    "coalesce(m.year_start, f.year_start), m.expires_on, m.entry_id IS NOT NULL"
    + _WANTED
    + "JOIN projections.account_movements m USING (workspace_id, employee_id, account_id) "
    + "LEFT JOIN projections.accrual_forecast f ON m.expired <> 0 "
    + "AND (f.workspace_id, f.employee_id, f.entry_id) = (m.workspace_id, m.employee_id, m.entry_id)"
)
_USAGE = (
    "SELECT workspace_id, employee_id, w.account_id, d.date, d.amount"
    + _WANTED
    + "JOIN projections.absence_days d USING (workspace_id, employee_id)"
    + "WHERE d.account_id = w.account_id AND d.amount <> 0"
)
_HOLDING = """
    SELECT DISTINCT workspace_id, employee_id, m.account_id
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::date[]) AS w(workspace_id, employee_id, policy_id, year_start)
    JOIN projections.account_movements m USING (workspace_id, employee_id, policy_id, year_start)
    WHERE m.credited > 0
"""


@dataclass(slots=True)
class Ledger:
    """All movements of one employee's account, in no particular order."""

    credited: list[Credited] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    expired: list[Expired] = field(default_factory=list)


def accounts_holding(connection: Transaction, years: Collection[tuple[str, str, str, date]]) -> set[AccountKey]:
    """The accounts that were ever credited for these policy years, in one query.

    Args:
        connection: as for `load_ledgers`.
        years: workspace, employee, policy and first day of each.
    """
    if not years:
        return set()
    return set(connection.execute(_HOLDING, [list(values) for values in zip(*years, strict=True)]).fetchall())


def load_ledgers(connection: Transaction, accounts: Collection[AccountKey]) -> dict[AccountKey, Ledger]:
    """Load the ledgers of these accounts, in two queries.

    Args:
        connection: a transaction whose scope holds the workspaces; projections are up to date.
        accounts: each once.
    """
    found = {key: Ledger() for key in accounts}
    if not found:
        return found
    values = dict(zip(("workspaces", "employees", "accounts"), map(list, zip(*found, strict=True)), strict=True))
    for workspace_id, employee_id, account_id, *moved in connection.execute(_MOVEMENTS, values):
        day, credited, expired, policy_id, year_start, expires_on, is_of_entry = moved
        ledger = found[workspace_id, employee_id, account_id]
        if credited:
            ledger.credited.append(Credited(day, credited, policy_id, year_start, expires_on, is_of_entry))
        if expired:
            ledger.expired.append(Expired(day, expired, policy_id, year_start))
    for workspace_id, employee_id, account_id, day, amount in connection.execute(_USAGE, values):
        found[workspace_id, employee_id, account_id].used.append(Used(day, amount))
    return found
