"""Sends managers one e-mail a night about the timesheet statements that they have to sign or to ask for."""

from collections import defaultdict

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.mail.kinds import MANAGER_DIGEST, DigestItem, ManagerDigestData
from batch_jobs.mail.notices import Notice, create
from batch_jobs.projections.workforces import employees_of, load_workforces

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


class TimesheetStatementManagerDigest(Job):
    """One notification per manager and run date, by e-mail only. Requests for time off alone make none."""

    name = "timesheet_statement_manager_digest"
    description = "Sends managers one e-mail about the timesheet statements that they have to sign or to ask for."
    counters = (
        Counter("sent", "digests created"),
        Counter("skipped", "managers without an active user", warns=True),
        Counter("duplicates", "managers who have the digest of this run date already"),
        Counter("errors", "managers whose digest could not be made", warns=True),
    )
    after = ("timesheet_statement_reminder",)
    candidates = """
        SELECT i.workspace_id, i.manager_id AS row_id, i.manager_id AS employee_id, true AS due
        FROM scope s JOIN projections.approvals_inbox i ON i.workspace_id = s.workspace_id
        WHERE i.item_kind IN ('awaiting_approval', 'missing_submission')
        GROUP BY i.workspace_id, i.manager_id
    """

    def decide(self, batch: Batch) -> None:
        """A digest for each manager."""
        items = _items(batch)
        workforces = load_workforces(batch.connection, employees_of(batch.rows))
        notices = []
        for row in batch.rows:
            workforce, _ = workforces[row.workspace_id]
            run_date = batch.runs[row.workspace_id].run_date
            user = workforce.active_user(row.employee_id, run_date)
            versions = workforce.definitions.employees.get(row.employee_id)
            if user is None or versions is None:
                batch.error(
                    row,
                    entity="employee",
                    entity_id=row.employee_id,
                    error="no_active_user",
                    message=f"employee {row.employee_id}: has statements in the inbox and no active user to be told; "
                    "invite them, or give the people concerned another manager",
                    counter="skipped",
                )
                continue
            manager, found = versions.on(run_date), items[row.workspace_id, row.employee_id]
            data = ManagerDigestData(
                manager_name=manager.called,
                awaiting=sorted(found["awaiting_approval"], key=_order),
                missing=sorted(found["missing_submission"], key=_order),
            )
            parts = row.employee_id, str(run_date)
            notices.append(Notice(row, user.user_id, MANAGER_DIGEST, parts, data, channels=("email",)))
        for notice, created in zip(notices, create(batch, notices), strict=True):
            batch.count(notice.row, "sent" if created else "duplicates")


def _items(batch: Batch) -> dict[tuple[str, str], dict[str, list[DigestItem]]]:
    """By workspace and manager, the items of each kind."""
    found: defaultdict[tuple[str, str], dict[str, list[DigestItem]]] = defaultdict(lambda: defaultdict(list))
    wanted = [row.workspace_id for row in batch.rows], [row.employee_id for row in batch.rows]
    for workspace_id, manager_id, kind, item_id, employee_id, name, start, end in batch.connection.execute(
        _ITEMS, wanted
    ):
        found[workspace_id, manager_id][kind].append(
            DigestItem(
                statement_id=item_id,
                employee_id=employee_id,
                employee_name=name,
                period_start=str(start),
                period_end=str(end),
            )
        )
    return found


def _order(item: DigestItem) -> tuple[str, str, str]:
    return item["employee_name"], item["period_start"], item["statement_id"]
