"""Data of notifications as jobs write it, for tests of what messages say."""

from typing import Any

from batch_jobs.mail.kinds import (
    MANAGER_DIGEST,
    STATEMENT_DEADLINE,
    STATEMENT_OVERDUE,
    TIMEOFF_REMINDER,
    DigestItem,
    ManagerDigestData,
    StatementReminderData,
    TimeOffReminderData,
)


def statement(**fields: Any) -> StatementReminderData:
    data = StatementReminderData(
        employee_name="Søren Østergård",
        statement_id="e-1:2026-11-01:2026-11-30",
        period_start="2026-11-01",
        period_end="2026-11-30",
        deadline="2026-11-30",
    )
    return data | fields  # type: ignore[return-value]


def time_off(**fields: Any) -> TimeOffReminderData:
    data = TimeOffReminderData(
        employee_name="Zoë Smith",
        absence_ids=["a-1"],
        start_date="2026-12-01",
        end_date="2026-12-04",
        working_days=4,
        account="Vacation",
    )
    return data | fields  # type: ignore[return-value]


def digest(*, awaiting: int = 2, missing: int = 3, **fields: Any) -> ManagerDigestData:
    data = ManagerDigestData(
        manager_name="Inès Müller",
        awaiting=[_item(f"Awaited {number}") for number in range(1, awaiting + 1)],
        missing=[_item(f"Missed {number}") for number in range(1, missing + 1)],
    )
    return data | fields  # type: ignore[return-value]


def _item(name: str) -> DigestItem:
    return DigestItem(
        statement_id=f"{name}:2026-11-23:2026-11-29",
        employee_id=name,
        employee_name=name,
        period_start="2026-11-23",
        period_end="2026-11-29",
    )


REALISTIC: dict[str, Any] = {
    STATEMENT_DEADLINE: statement(),
    STATEMENT_OVERDUE: statement(),
    TIMEOFF_REMINDER: time_off(),
    MANAGER_DIGEST: digest(),
}
