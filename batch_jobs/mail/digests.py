"""What a manager has to sign and to ask for, as a digest lists it: when it is created, and right before sending."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from batch_jobs.mail.kinds import DigestItem
from batch_jobs.store.database import Transaction

# Of someone who left the directory no name is known any more.
_ITEMS = """
    SELECT i.workspace_id, i.manager_id, i.item_kind, i.item_id, i.employee_id,
        coalesce(nullif(d.preferred_name, ''), d.name, i.employee_id), i.period_start, i.period_end
    FROM unnest(%s::text[], %s::text[]) AS w(workspace_id, manager_id)
    JOIN projections.approvals_inbox i ON i.workspace_id = w.workspace_id AND i.manager_id = w.manager_id
    LEFT JOIN projections.employee_directory d
        ON d.workspace_id = i.workspace_id AND d.employee_id = i.employee_id
    WHERE i.item_kind IN ('awaiting_approval', 'missing_submission')
"""


def open_items(
    connection: Transaction, managers: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Mapping[str, list[DigestItem]]]:
    """By workspace and manager, the items that are `awaiting` and `missing`, by name of the employee, then by period.

    Managers with nothing open are left out.

    Args:
        connection: a transaction whose scope holds the workspaces.
        managers: workspace and employee id of each.
    """
    found: defaultdict[tuple[str, str], dict[str, list[DigestItem]]] = defaultdict(
        lambda: {"awaiting": [], "missing": []}
    )
    wanted = [workspace_id for workspace_id, _ in managers], [manager_id for _, manager_id in managers]
    for workspace_id, manager_id, kind, item_id, employee_id, name, start, end in connection.execute(_ITEMS, wanted):
        found[workspace_id, manager_id]["awaiting" if kind == "awaiting_approval" else "missing"].append(
            DigestItem(
                statement_id=item_id,
                employee_id=employee_id,
                employee_name=name,
                period_start=str(start),
                period_end=str(end),
            )
        )
    for items in found.values():
        for listed in items.values():
            listed.sort(key=_order)
    return found


def _order(item: DigestItem) -> tuple[str, str, str]:
    return item["employee_name"], item["period_start"], item["statement_id"]
