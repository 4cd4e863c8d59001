"""What each time account holds: credited, used, expired, and what approved absences will still take."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, changed_rows, copy_rows, filling
from batch_jobs.projections.affected_employees import EVENT_TYPES, POLICY_EVENTS, SETTING_EVENTS, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules import absences as absence_rules
from batch_jobs.rules.absence_days import planned
from batch_jobs.rules.absences import Absence
from batch_jobs.rules.definitions import ALL_KINDS
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.fractions import exact
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

_MOVEMENTS = """
    INSERT INTO account_movements (workspace_id, position, employee_id, account_id, date, credited, expired,
        policy_id, entry_id, expires_on, year_start)
    SELECT e.workspace_id, e.position, p.employee_id, p.account_id, p.date,
        CASE e.type WHEN 'account.credited' THEN p.amount ELSE 0 END,
        CASE e.type WHEN 'account.expired' THEN p.amount ELSE 0 END,
        p.policy_id, p.entry_id, p.expires_on, p.year_start
    FROM pending_events e CROSS JOIN LATERAL jsonb_to_record(e.payload) AS p(
        employee_id text, account_id text, date date, amount bigint, policy_id text, entry_id text, expires_on date,
        year_start date
    )
    WHERE e.type IN ('account.credited', 'account.expired')
"""
_ADD_MOVED = """
    INSERT INTO account_balances AS b (workspace_id, employee_id, account_id, credited, used, expired, planned)
    SELECT m.workspace_id, m.employee_id, m.account_id, sum(m.credited), 0, sum(m.expired), 0
    FROM pending_events e JOIN account_movements m USING (workspace_id, position)
    WHERE e.type IN ('account.credited', 'account.expired')
    GROUP BY 1, 2, 3
    ON CONFLICT (workspace_id, employee_id, account_id)
    DO UPDATE SET credited = b.credited + excluded.credited, expired = b.expired + excluded.expired
    RETURNING workspace_id
"""

# What is planned can change for those with planned absences only, what is used by absences only.
_ABSENT = """
    CREATE TEMPORARY TABLE absent_employees (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", PRIMARY KEY (workspace_id, employee_id)
    ) ON COMMIT DELETE ROWS
"""
_FIND_ABSENT = """
    INSERT INTO absent_employees
    SELECT workspace_id, payload ->> 'employee_id' FROM pending_events WHERE type = ANY (%(types)s)
    UNION
    SELECT a.workspace_id, a.employee_id FROM affected_employees JOIN absences a USING (workspace_id, employee_id)
    WHERE a.bucket = 'planned'
"""
_TO_CONSUME = """
    SELECT a.workspace_id, a.absence_id, a.employee_id, a.policy_id, a.state, a.start_date, a.end_date, a.fraction,
        a.open_ended, a.consumed_to
    FROM absent_employees JOIN absences a USING (workspace_id, employee_id)
    WHERE a.bucket = 'planned' AND NOT a.open_ended
"""

_USAGE = """
    CREATE TEMPORARY TABLE account_usage (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", account_id text COLLATE "C",
        used bigint NOT NULL DEFAULT 0, planned bigint NOT NULL DEFAULT 0
    ) ON COMMIT DELETE ROWS
"""
_FIND_USED = """
    INSERT INTO account_usage (workspace_id, employee_id, account_id, used)
    SELECT workspace_id, employee_id, d.account_id, d.amount
    FROM absent_employees JOIN absence_days d USING (workspace_id, employee_id) WHERE d.account_id IS NOT NULL
    UNION ALL
    SELECT workspace_id, employee_id, b.account_id, 0
    FROM absent_employees JOIN account_balances b USING (workspace_id, employee_id)
"""
_SET_USAGE = """
    INSERT INTO account_balances AS b (workspace_id, employee_id, account_id, credited, used, expired, planned)
    SELECT workspace_id, employee_id, account_id, 0, sum(used), 0, sum(planned) FROM account_usage GROUP BY 1, 2, 3
    ON CONFLICT (workspace_id, employee_id, account_id)
    DO UPDATE SET used = excluded.used, planned = excluded.planned
    WHERE (b.used, b.planned) <> (excluded.used, excluded.planned)
    RETURNING workspace_id
"""
_DROP_ZEROS = """
    DELETE FROM account_balances b USING (
        SELECT workspace_id, employee_id FROM absent_employees
        UNION
        SELECT workspace_id, payload ->> 'employee_id' FROM pending_events
        WHERE type IN ('account.credited', 'account.expired')
    ) touched
    WHERE (b.workspace_id, b.employee_id) = (touched.workspace_id, touched.employee_id)
      AND (b.credited, b.used, b.expired, b.planned) = (0, 0, 0, 0)
    RETURNING b.workspace_id
"""


class AccountBalances(Projection):
    """A row for each employee and account that anything moved, or will; those with only zeros are absent.

    An absence for which the rules find no amount (its policy is not defined, for one) counts as 0 among the planned.
    `account_movements` holds each credit and expiry.
    """

    name = "account_balances"
    description = "What each employee's time accounts hold, and what approved absences will still take."
    event_types = absence_rules.EVENT_TYPES | EVENT_TYPES | POLICY_EVENTS | {"account.credited", "account.expired"}
    after = ("definitions", "absences")
    table = Table(
        "account_balances", ("workspace_id", "employee_id", "account_id"), ("credited", "used", "expired", "planned")
    )
    further_tables = (
        Table(
            "account_movements",
            ("workspace_id", "position"),
            (
                "employee_id",
                "account_id",
                "date",
                "credited",
                "expired",
                "policy_id",
                "entry_id",
                "expires_on",
                "year_start",
            ),
        ),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Add what was credited and expired; count anew what absences take. See `Projection.fold`."""
        (movements,) = self.further_tables
        with filling(connection, movements):
            connection.execute(_MOVEMENTS)
        changes = changed_rows(connection, _ADD_MOVED)
        find_affected(connection, settings=SETTING_EVENTS | POLICY_EVENTS)
        temporary_table(connection, "absent_employees", _ABSENT)
        temporary_table(connection, "account_usage", _USAGE)
        connection.execute(_FIND_ABSENT, {"types": list(absence_rules.EVENT_TYPES)})
        analyze(connection, "absent_employees")
        connection.execute(_FIND_USED)
        columns = ("workspace_id", "employee_id", "account_id", "planned")
        copy_rows(connection, "account_usage", columns, _planned(connection))
        changes += changed_rows(connection, _SET_USAGE)
        return Folded(changes + changed_rows(connection, _DROP_ZEROS))


def _planned(connection: Transaction) -> list[tuple[str, str, str, int]]:
    """Workspace, employee, account and what the unconsumed rest of their absences will take."""
    to_consume = connection.execute(_TO_CONSUME).fetchall()
    employees: dict[str, set[str]] = {}
    for workspace_id, _, employee_id, *_ in to_consume:
        employees.setdefault(workspace_id, set()).add(employee_id)
    if not employees:
        return []
    wanted = {workspace_id: sorted(ids) for workspace_id, ids in sorted(employees.items())}
    workforces = workforces_of(connection, wanted, ALL_KINDS)
    sums: Counter[tuple[str, str, str]] = Counter()
    for workspace_id, absence in _absences(to_consume):
        try:
            found = planned(workforces[workspace_id][0], absence)
        except RuleError:
            continue
        if found:
            account_id, amount = found
            sums[workspace_id, absence.employee_id, account_id] += amount
    return [(*key, amount) for key, amount in sums.items()]


def _absences(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, Absence]]:
    for workspace_id, *values in rows:
        absence = Absence._make(values)
        yield workspace_id, absence._replace(fraction=exact(str(absence.fraction)))
