"""Turns the forecast entries that have come due into credits and expiries of time accounts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.projections.ledgers import Ledger, accounts_holding, load_ledgers
from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.accrual.expiry import Credited, Expired, left_to_expire
from batch_jobs.rules.accrual.forecast import Accruals
from batch_jobs.rules.charges import account_of
from batch_jobs.rules.definitions import Definitions
from batch_jobs.rules.errors import NoAccountError, RuleError
from batch_jobs.rules.versions import ONE_DAY
from batch_jobs.store.database import Transaction
from batch_jobs.store.payloads.accounts import AccountCredited, AccountExpired

_Accounts: TypeAlias = defaultdict[str, Ledger]
"""Of one employee, by account."""

_KINDS = frozenset({"employee", "time_off_policy", "time_account"})

# Usage is taken from what expires first: an employee's entries come by due date, and credits before what expires.
_OWED = """
    SELECT workspace_id, employee_id, a.entry_id, a.policy_id, a.kind, a.due_date, a.amount, a.year_start
    FROM unnest(%s::text[], %s::text[], %s::date[]) AS w(workspace_id, employee_id, run_date)
    JOIN projections.accrual_forecast a USING (workspace_id, employee_id)
    WHERE a.materialized_at IS NULL AND a.due_date <= w.run_date
    ORDER BY workspace_id, employee_id, a.due_date, a.kind, a.policy_id, a.entry_id
"""


class _Entry(NamedTuple):
    """A forecast entry that is owed."""

    entry_id: str
    policy_id: str
    kind: str
    due_date: date
    amount: int
    year_start: date


class AccrualMaterialize(Job):
    """Each entry of a forecast that is due by the run date becomes one event, dated on its due date.

    What expires is taken from the account that holds it, also where the policy has another one by then. Where several
    accounts hold something of one policy year, because the policy's account changed within it, the entry becomes one
    event for each; the policy's account comes first, and the ids of those after the first name their account too.

    An entry whose policy has no account on that day, or an undefined one, is a row error and stays owed. So does, with
    no error of its own, the expiry of a policy year of which a credit could not be written: its amount is not known.
    """

    name = "accrual_materialize"
    description = "Credits what employees have earned by the run date, and lets expire what they did not use."
    counters = (
        Counter("entries_materialized", "forecast entries that were credited or looked at for expiry"),
        Counter("employees_processed", "employees with entries that were due"),
        Counter("errors", "entries that could not be materialised", warns=True),
    )
    after = ("accrual_forecast",)
    candidates = """
        SELECT o.workspace_id, o.employee_id AS row_id, o.employee_id, true AS due
        FROM scope s JOIN projections.accrual_owed o ON o.workspace_id = s.workspace_id
        WHERE o.first_due_date <= %(run_date)s AND NOT o.is_removed
    """

    def decide(self, batch: Batch) -> None:
        """All that each employee is owed, in order."""
        owed = _owed(batch)
        workforces = load_workforces(batch.connection, employees_of(batch.rows), _KINDS)
        definitions = {workspace_id: workforce.definitions for workspace_id, (workforce, _) in workforces.items()}
        accruals = {workspace_id: Accruals(workforce) for workspace_id, (workforce, _) in workforces.items()}
        ledgers = _ledgers(batch.connection, owed, definitions, accruals)
        for row in batch.rows:
            batch.count(row, "employees_processed")
            defined = definitions[row.workspace_id]
            if row.employee_id not in defined.employees:
                batch.undefined(row, "accrual_forecast", row.employee_id, "employee", row.employee_id)
                continue
            unwritten: set[tuple[str, date]] = set()
            for entry in owed[row.workspace_id, row.employee_id]:
                year = entry.policy_id, entry.year_start
                if entry.kind == "expiry" and year in unwritten:
                    continue
                try:
                    account_id = _account_id(defined, entry)
                    accounts = ledgers[row.workspace_id, row.employee_id]
                    payloads = _materialized(row.employee_id, entry, account_id, accruals[row.workspace_id], accounts)
                except RuleError as error:
                    unwritten.add(year)
                    batch.error(
                        row, entity="accrual_forecast", entity_id=entry.entry_id, error=error.kind, message=str(error)
                    )
                    continue
                for number, payload in enumerate(payloads):
                    batch.append(row, payload, entry.entry_id, *([payload.account_id] if number else []))
                batch.count(row, "entries_materialized")


def _owed(batch: Batch) -> dict[tuple[str, str], list[_Entry]]:
    """The entries that each employee of the rows is owed, in the order in which they are to be materialised."""
    found: defaultdict[tuple[str, str], list[_Entry]] = defaultdict(list)
    rows: Sequence[Any] = batch.rows
    values = [
        [row.workspace_id for row in rows],
        [row.employee_id for row in rows],
        [batch.runs[row.workspace_id].run_date for row in rows],
    ]
    for workspace_id, employee_id, *entry in batch.connection.execute(_OWED, values):
        found[workspace_id, employee_id].append(_Entry(*entry))
    return found


def _ledgers(
    connection: Transaction,
    owed: dict[tuple[str, str], list[_Entry]],
    definitions: dict[str, Definitions],
    accruals: dict[str, Accruals],
) -> defaultdict[tuple[str, str], _Accounts]:
    """The ledgers of those for whom something expires: of accounts that hold it, and that entries are written to."""
    expiring = {of: entries for of, entries in owed.items() if any(entry.kind == "expiry" for entry in entries)}
    years = {
        (*of, entry.policy_id, entry.year_start)
        for of, entries in expiring.items()
        for entry in entries
        if entry.kind == "expiry"
    }
    wanted = accounts_holding(connection, years)
    for (workspace_id, employee_id), entries in expiring.items():
        for entry in entries:
            try:
                wanted.add((workspace_id, employee_id, _account_id(definitions[workspace_id], entry)))
            except RuleError:
                continue
    found: defaultdict[tuple[str, str], _Accounts] = defaultdict(lambda: defaultdict(Ledger))
    for (workspace_id, employee_id, account_id), ledger in load_ledgers(connection, wanted).items():
        ledger.credited = [_as_it_expires(credited, accruals[workspace_id]) for credited in ledger.credited]
        found[workspace_id, employee_id][account_id] = ledger
    return found


def _as_it_expires(credited: Credited, accruals: Accruals) -> Credited:
    """What was credited for a policy year, with the day on which that expires now: its year's expiry takes it then,
    whatever the credit says.

    A credit that was not made of a forecast entry may have been given to be used sooner: the day that it names stays
    where the policy is not stricter.
    """
    if credited.policy_id is None or credited.year_start is None:
        return credited
    try:
        expires_on = accruals.expires_on(credited.policy_id, credited.year_start)
    except RuleError:
        return credited
    if not credited.is_of_entry and (expires_on is None or (credited.expires_on or date.max) <= expires_on):
        return credited
    return credited._replace(expires_on=expires_on)


def _account_id(definitions: Definitions, entry: _Entry) -> str:
    """The account of the entry's policy on its due date. Raises RuleError when there is none."""
    account = account_of(definitions, entry.policy_id, entry.due_date)
    if account is None:
        raise NoAccountError(
            f'time-off policy "{entry.policy_id}" has no account_id on {entry.due_date}, when {entry.entry_id} is due '
            f'in workspace "{definitions.workspace_id}"; import a time_off_policy.defined with the account to credit'
        )
    return account.account_id


def _materialized(
    employee_id: str, entry: _Entry, account_id: str, accruals: Accruals, accounts: _Accounts
) -> Sequence[AccountCredited | AccountExpired]:
    """The events of one entry; they go into the ledgers too, where later entries look at them."""
    if entry.kind == "expiry":
        return _expired(employee_id, entry, account_id, accruals, accounts)
    expires_on = accruals.expires_on(entry.policy_id, entry.year_start)
    credited = Credited(entry.due_date, entry.amount, entry.policy_id, entry.year_start, expires_on)
    accounts[account_id].credited.append(credited)
    return [
        AccountCredited(
            employee_id=employee_id,
            account_id=account_id,
            date=entry.due_date,
            amount=entry.amount,
            source="accrual",
            policy_id=entry.policy_id,
            entry_id=entry.entry_id,
            expires_on=expires_on,
            year_start=entry.year_start,
        )
    ]


def _expired(
    employee_id: str, entry: _Entry, account_id: str, accruals: Accruals, accounts: _Accounts
) -> list[AccountExpired]:
    """The events of an expiry, at least one: from each account that holds something, the policy's first."""
    # The second of two years that expire on one day is due a day later.
    expires_on = accruals.expires_on(entry.policy_id, entry.year_start)
    expiry_day = min(entry.due_date - ONE_DAY, expires_on or date.max)
    amounts: dict[str, int] = {}
    for name in sorted(accounts, key=lambda name: (name != account_id, name)):
        ledger = accounts[name]
        amount = left_to_expire(
            ledger.credited,
            ledger.used,
            ledger.expired,
            policy_id=entry.policy_id,
            year_start=entry.year_start,
            expiry_day=expiry_day,
        )
        if amount:
            amounts[name] = amount
            ledger.expired.append(Expired(entry.due_date, amount, entry.policy_id, entry.year_start))
    return [
        AccountExpired(
            employee_id=employee_id,
            account_id=name,
            date=entry.due_date,
            amount=amount,
            entry_id=entry.entry_id,
            policy_id=entry.policy_id,
        )
        for name, amount in (amounts or {account_id: 0}).items()
    ]
