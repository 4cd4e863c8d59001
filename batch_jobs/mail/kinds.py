"""What the notifications of each kind say: the fields of their `data`, which templates are written against.

Dates are ISO text, YYYY-MM-DD. Names are the preferred ones where there are any.
"""

from typing import TypedDict

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

    employee_name: str
    absence_ids: list[str]
    start_date: str
    end_date: str
    working_days: int
    account: str


class StatementReminderData(TypedDict):
    """`statement_deadline` and `statement_overdue`: the employee's timesheet statement is to be handed in, or is late.

    Keys:
        employee_name: who is told.
        statement_id: what it is about.
        period_start: its first day.
        period_end: its last day.
        deadline: the day on which it was to be handed in.
    """

    employee_name: str
    statement_id: str
    period_start: str
    period_end: str
    deadline: str


class DigestItem(TypedDict):
    """One statement of a digest."""

    statement_id: str
    employee_id: str
    employee_name: str
    period_start: str
    period_end: str


class ManagerDigestData(TypedDict):
    """`manager_digest`: what a manager has to sign, and whom to ask; items by name of the employee, then by period.

    Keys:
        manager_name: who is told.
        awaiting: submitted statements that they have not signed.
        missing: statements of theirs that were to be handed in and were not.
    """

    manager_name: str
    awaiting: list[DigestItem]
    missing: list[DigestItem]
