"""Sends managers one e-mail a night about the timesheet statements that they have to sign or to ask for."""

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job
from batch_jobs.mail.digests import open_items
from batch_jobs.mail.kinds import MANAGER_DIGEST, ManagerDigestData
from batch_jobs.mail.notices import Notice, create
from batch_jobs.projections.workforces import employees_of, load_workforces


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
        items = open_items(batch.connection, [(row.workspace_id, row.employee_id) for row in batch.rows])
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
            found = items[row.workspace_id, row.employee_id]
            data = ManagerDigestData(
                manager_name=versions.on(run_date).called, awaiting=found["awaiting"], missing=found["missing"]
            )
            parts = row.employee_id, str(run_date)
            notices.append(Notice(row, user.user_id, MANAGER_DIGEST, parts, data, channels=("email",)))
        for notice, created in zip(notices, create(batch, notices), strict=True):
            batch.count(notice.row, "sent" if created else "duplicates")
