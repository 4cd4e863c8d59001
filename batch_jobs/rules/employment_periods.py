"""The rows of the projection `employment_periods` (domain 4): one employment's days, cut where a value changes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from batch_jobs.rules.conditions import Conditions
from batch_jobs.rules.employments import Coverage
from batch_jobs.rules.entities import ApprovalKind, Employment
from batch_jobs.rules.versions import Versions


class EmploymentPeriod(NamedTuple):
    """Days, both ends included, on which all these values hold. `valid_to` None: without end.

    `start_date` to `manager_id` are as the version of the employment in force gives them, `holiday_calendar_id` is
    resolved (domain 3.2) and `approval_period` is that of the terms, None when they are not defined. `overlaps`:
    another employment of the employee covers a day of the row, so that this one may not be the current one.
    """

    employee_id: str
    employment_id: str
    valid_from: date
    valid_to: date | None
    start_date: date
    end_date: date | None
    terms_id: str
    org_unit_id: str | None
    manager_id: str | None
    holiday_calendar_id: str | None
    approval_period: ApprovalKind | None
    overlaps: bool


def employment_periods(
    covered: Mapping[str, Sequence[Coverage]], conditions: Callable[[Employment], Versions[Conditions]]
) -> list[EmploymentPeriod]:
    """The rows of one employee, by employment and day.

    A version of an employment has a row for the days that it covers while in force (none: no row), cut further where
    the resolved calendar or the approval period changes. Rows of different versions stay apart, even equal ones.

    Args:
        covered: the employee's days under each employment, by employment id.
        conditions: finds the conditions of a version of an employment.
    """
    rows = []
    for employment_id in sorted(covered):
        others = [span for other_id, spans in covered.items() if other_id != employment_id for span in spans]
        for span in covered[employment_id]:
            given = span.employment
            resolved = conditions(given).map(_resolved_values)
            for valid_from, valid_to, (calendar_id, approval_period) in resolved.between(span.start, span.end):
                rows.append(
                    EmploymentPeriod(
                        given.employee_id,
                        employment_id,
                        valid_from,
                        valid_to,
                        given.start_date,
                        given.end_date,
                        given.terms_id,
                        given.org_unit_id,
                        given.manager_id,
                        calendar_id,
                        approval_period,
                        any(other.touches(valid_from, valid_to) for other in others),
                    )
                )
    return rows


def _resolved_values(conditions: Conditions) -> tuple[str | None, ApprovalKind | None]:
    calendar, terms = conditions.calendar, conditions.terms
    return calendar.calendar_id if calendar else None, terms.approval_period if terms else None
