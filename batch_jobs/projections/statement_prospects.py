"""Which open statements may have something due, told without a look at each person: most have not, every night."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from batch_jobs.projections.workforces import employees_of, load_workforces
from batch_jobs.rules.approval_periods import Period
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.statement_deadlines import deadline, overdue_day
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction

Spans = tuple[tuple[date, date | None], ...]

# Two statements of one period whose employees are, on all days that count, on the same terms and holiday calendar have
# the same working days. What says so is compared, never read. Someone without employments, or with several at a time,
# is like nobody else.
_CIRCUMSTANCES = """
    SELECT coalesce(e.conditions, w.employee_id), coalesce(a.starts, '{}'), coalesce(a.ends, '{}')
    FROM unnest(%(workspaces)s::text[], %(employees)s::text[], %(starts)s::date[], %(ends)s::date[]) WITH ORDINALITY
        AS w(workspace_id, employee_id, period_start, period_end, number)
    CROSS JOIN LATERAL (
        SELECT string_agg(
            concat_ws('|', greatest(p.valid_from, w.period_start), coalesce(p.valid_to, 'infinity'), p.terms_id,
                coalesce(p.holiday_calendar_id, '|'), CASE WHEN p.has_overlap THEN p.employee_id END),
            '||' ORDER BY p.valid_from, p.employment_id
        ) AS conditions
        FROM projections.employment_periods p
        WHERE p.workspace_id = w.workspace_id AND p.employee_id = w.employee_id
          AND p.valid_from <= w.period_end + 366 AND coalesce(p.valid_to, 'infinity') >= w.period_start
    ) e
    CROSS JOIN LATERAL (
        SELECT array_agg(b.start_date ORDER BY b.absence_id) AS starts,
            array_agg(b.end_date ORDER BY b.absence_id) AS ends
        FROM projections.absences b
        WHERE b.workspace_id = w.workspace_id AND b.employee_id = w.employee_id
          AND b.state = 'approved' AND b.fraction = 1
          AND b.start_date <= w.period_end + 366 AND coalesce(b.end_date, 'infinity') >= w.period_start
    ) a
    ORDER BY w.number
"""


class Prospect(NamedTuple):
    """A statement that may have something due.

    Attributes:
        row: its candidate row.
        absences: first and last day (None: open-ended) of the employee's approved full-day absences around its period.
    """

    row: Any
    absences: Spans


def prospects(connection: Transaction, rows: Sequence[Any], run_dates: Mapping[str, date]) -> list[Prospect]:
    """Those of the pending and ready statements that may be due on the run date; of the others none is.

    Without absences a schedule has one deadline and one overdue day, which are found once for all who share it. An
    absence can only move the deadline to an earlier day, when it covers the one found, and the overdue day to a later
    one; or, where it leaves no day of a year, to the first after the period. Statements whose schedule can not be told
    are among those returned.

    Args:
        connection: a transaction whose scope holds the workspaces.
        rows: named tuples with workspace_id, employee_id, state, period_start and period_end.
        run_dates: by workspace.
    """
    # The deadline is a day of the period, the overdue day one after it.
    begun = [
        row
        for row in rows
        if (row.period_start if row.state == "pending" else row.period_end) <= run_dates[row.workspace_id]
    ]
    alike: defaultdict[tuple[str, str, date, date], list[Prospect]] = defaultdict(list)
    for row, (conditions, starts, ends) in zip(begun, _circumstances(connection, begun), strict=True):
        key = row.workspace_id, conditions, row.period_start, row.period_end
        alike[key].append(Prospect(row, tuple(zip(starts, ends, strict=True))))
    examples = [found[0].row for found in alike.values()]
    workforces = load_workforces(connection, employees_of(examples))
    return [
        prospect
        for example, found in zip(examples, alike.values(), strict=True)
        for prospect in _possible(workforces[example.workspace_id][0], found, run_dates[example.workspace_id])
    ]


def _possible(workforce: Workforce, alike: Sequence[Prospect], run_date: date) -> list[Prospect]:
    example = alike[0].row
    period = Period(example.period_start, example.period_end)
    try:
        due = deadline(workforce, example.employee_id, period, ())
        overdue = overdue_day(workforce, example.employee_id, period, ()) if run_date >= period.end else date.max
    except RuleError:
        return list(alike)
    return [
        prospect
        for prospect in alike
        if (
            run_date >= due or _covers(prospect.absences, due)
            if prospect.row.state == "pending"
            else run_date >= overdue or _covers(prospect.absences, overdue)
        )
    ]


def _covers(absences: Spans, day: date) -> bool:
    return any(start <= day and (end is None or day <= end) for start, end in absences)


def _circumstances(connection: Transaction, rows: Sequence[Any]) -> list[tuple[str, list[date], list[date | None]]]:
    return connection.execute(
        _CIRCUMSTANCES,
        {
            "workspaces": [row.workspace_id for row in rows],
            "employees": [row.employee_id for row in rows],
            "starts": [row.period_start for row in rows],
            "ends": [row.period_end for row in rows],
        },
    ).fetchall()
