"""What the notifications of each kind say: the fields of their `data`, which templates are written against.

Names are the preferred ones where there are any. What is read back for a message is checked against these types.
"""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

# Pydantic reads those of typing from Python 3.12 on only.
from typing_extensions import TypedDict

from batch_jobs.mail.shown import one_line


def _date(text: str) -> str:
    date.fromisoformat(text)
    return text


Line = Annotated[str, AfterValidator(one_line)]
"""Text for people; however it was written, a message shows it on one line."""
IsoDate = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_date)]
"""A day as YYYY-MM-DD."""

TIMEOFF_REMINDER = "timeoff_reminder"
STATEMENT_DEADLINE = "statement_deadline"
STATEMENT_OVERDUE = "statement_overdue"
MANAGER_DIGEST = "manager_digest"


class TimeOffReminderData(TypedDict):
    """`timeoff_reminder`: the employee's time off is about to begin.

    Keys:
        employee_name: who is told.
        absence_ids: what it is about, in the order of their days.
        start_date: the first day off.
        end_date: the last day off.
        working_days: how many working days they take.
        account: the name of the account that pays for them, `time off` when there is not just one.
    """

    employee_name: Line
    absence_ids: list[str]
    start_date: IsoDate
    end_date: IsoDate
    working_days: Annotated[int, Field(ge=0, le=10_000)]
    account: Line


class StatementReminderData(TypedDict):
    """`statement_deadline` and `statement_overdue`: the employee's timesheet statement is to be handed in, or is late.

    Keys:
        employee_name: who is told.
        statement_id: what it is about.
        period_start: its first day.
        period_end: its last day.
        deadline: the day on which it was to be handed in.
    """

    employee_name: Line
    statement_id: str
    period_start: IsoDate
    period_end: IsoDate
    deadline: IsoDate


class DigestItem(TypedDict):
    """One statement of a digest."""

    statement_id: str
    employee_id: str
    employee_name: Line
    period_start: IsoDate
    period_end: IsoDate


class ManagerDigestData(TypedDict):
    """`manager_digest`: what a manager has to sign, and whom to ask; items by name of the employee, then by period.

    Keys:
        manager_name: who is told.
        awaiting: submitted statements that they have not signed.
        missing: statements of theirs that were to be handed in and were not.
    """

    manager_name: Line
    awaiting: list[DigestItem]
    missing: list[DigestItem]


DATA: dict[str, type] = {
    STATEMENT_DEADLINE: StatementReminderData,
    STATEMENT_OVERDUE: StatementReminderData,
    TIMEOFF_REMINDER: TimeOffReminderData,
    MANAGER_DIGEST: ManagerDigestData,
}
"""What the data of each kind holds. Every kind has a template in every language."""
