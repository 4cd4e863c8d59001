"""What waits for each manager: statements to sign, statements not handed in, and time off to decide on (domain 3.8)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.projections.affected_employees import PERSONAL_EVENTS, find_affected
from batch_jobs.projections.timesheet_statements import TimesheetStatements
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules import absences
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

# Of all settings only the tree of org units has a say in who manages whom (domain 3.1).
_SETTINGS = frozenset({"org_unit.defined"})

_TABLE = """
    CREATE TEMPORARY TABLE touched_items (
        workspace_id text COLLATE "C", item_kind text COLLATE "C", item_id text COLLATE "C",
        PRIMARY KEY (workspace_id, item_kind, item_id)
    ) ON COMMIT DELETE ROWS
"""
_TOUCHED = """
    INSERT INTO touched_items
    SELECT e.workspace_id, k.kind, e.payload ->> 'statement_id'
    FROM pending_events e CROSS JOIN (VALUES ('awaiting_approval'), ('missing_submission')) k(kind)
    WHERE e.type LIKE 'statement.%'
    UNION
    SELECT workspace_id, 'time_off', payload ->> 'absence_id' FROM pending_events WHERE type LIKE 'time_off.%'
    UNION
    SELECT a.workspace_id, 'time_off', a.absence_id
    FROM affected_employees JOIN absences a USING (workspace_id, employee_id) WHERE a.state = 'requested'
"""

_OF_STATEMENTS = """
    SELECT t.workspace_id, a.approver, i.item_kind, i.item_id, t.employee_id, t.period_start, t.period_end,
        t.submitted_at
    FROM touched_items i JOIN timesheet_statements t ON t.workspace_id = i.workspace_id AND t.statement_id = i.item_id
    CROSS JOIN unnest(t.approvers) a(approver)
    WHERE i.item_kind = 'awaiting_approval' AND t.state = 'submitted' AND a.approver <> ALL (t.approved_by)
    UNION
    SELECT t.workspace_id, m.manager, i.item_kind, i.item_id, t.employee_id, t.period_start, t.period_end,
        t.state_since
    FROM touched_items i JOIN timesheet_statements t ON t.workspace_id = i.workspace_id AND t.statement_id = i.item_id
    CROSS JOIN unnest(t.told) m(manager)
    WHERE i.item_kind = 'missing_submission' AND t.state IN ('ready', 'overdue')
"""

_OF_ABSENCES = """
    SELECT a.workspace_id, a.employee_id, a.absence_id, a.start_date, a.end_date, a.requested_at
    FROM touched_items i JOIN absences a ON a.workspace_id = i.workspace_id AND a.absence_id = i.item_id
    WHERE i.item_kind = 'time_off' AND a.state = 'requested'
    ORDER BY a.workspace_id, a.employee_id
"""


class ApprovalsInbox(Projection):
    """One row per manager and item. A requested absence that nobody manages on its first day is in no inbox; it comes
    to the right one when people or org units change.
    """

    name = "approvals_inbox"
    description = "Statements to sign or to ask for, and time off to decide on, by manager."
    event_types = TimesheetStatements.event_types | absences.EVENT_TYPES | PERSONAL_EVENTS | _SETTINGS
    after = ("definitions", "timesheet_statements", "absences")
    table = Table(
        "approvals_inbox",
        ("workspace_id", "manager_id", "item_kind", "item_id"),
        ("employee_id", "period_start", "period_end", "since"),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Recompute the items that events are about, or whose manager they may change. See `Projection.fold`."""
        find_affected(connection, settings=_SETTINGS)
        temporary_table(connection, "touched_items", _TABLE)
        connection.execute(_TOUCHED)
        rows = [*connection.execute(_OF_STATEMENTS), *_of_absences(connection)]
        return Folded(replace_rows(connection, self.table, rows, of="touched_items"))


def _of_absences(connection: Transaction) -> Iterator[tuple[Any, ...]]:
    requests: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for workspace_id, *request in connection.execute(_OF_ABSENCES):
        requests[workspace_id].append(tuple(request))
    employees = {workspace_id: sorted({who for who, *_ in found}) for workspace_id, found in requests.items()}
    for workspace_id, (workforce, _) in workforces_of(connection, employees).items():
        for employee_id, absence_id, start, end, since in requests[workspace_id]:
            if manager_id := workforce.manager(employee_id, start):
                yield workspace_id, manager_id, "time_off", absence_id, employee_id, start, end, since
