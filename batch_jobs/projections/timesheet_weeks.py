"""Minutes of each employee by week and kind, beside those expected: time entries and days of absence summed up."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.projections.affected_employees import SETTING_EVENTS, find_affected
from batch_jobs.projections.time_entries import MONDAY, TIME_ENTRIES, take_in
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules.errors import RuleError
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import analyze, temporary_table

_SETTINGS = SETTING_EVENTS | {"work_time_policy.defined"}
_SUNDAY = timedelta(days=6)

_AFFECTED = """
    CREATE TEMPORARY TABLE affected_weeks (
        workspace_id text COLLATE "C", employee_id text COLLATE "C", monday date,
        PRIMARY KEY (workspace_id, employee_id, monday)
    ) ON COMMIT DELETE ROWS
"""

# Which days a refund took away nobody knows any more: they were in weeks with time off.
_BY_ABSENCE = f"""
    INSERT INTO affected_weeks
    SELECT workspace_id, employee_id, {MONDAY.format("date")} FROM (
        SELECT e.workspace_id, e.payload ->> 'employee_id' AS employee_id, (d ->> 'date')::date AS date
        FROM pending_events e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'days') d
        WHERE e.type = 'time_off.consumed'
        UNION ALL
        SELECT workspace_id, payload ->> 'employee_id', (payload ->> 'date')::date FROM pending_events
        WHERE type = 'absence.registered'
    ) days
    UNION
    SELECT w.workspace_id, w.employee_id, w.monday FROM pending_events e
    JOIN absences a ON a.workspace_id = e.workspace_id AND a.absence_id = e.payload ->> 'absence_id'
    JOIN timesheet_weeks w ON w.workspace_id = a.workspace_id AND w.employee_id = a.employee_id
    WHERE e.type IN ('time_off.interrupted', 'time_off.cancelled') AND w.time_off_minutes > 0
    ON CONFLICT DO NOTHING
"""

_BY_ACTIVITY = f"""
    INSERT INTO affected_weeks
    SELECT DISTINCT t.workspace_id, t.employee_id, {MONDAY.format("t.date")}
    FROM pending_events e JOIN time_entries t
      ON t.workspace_id = e.workspace_id AND t.activity_id = e.payload ->> 'activity_id'
    WHERE e.type = 'activity.defined'
    ON CONFLICT DO NOTHING
"""

_BY_PEOPLE = """
    INSERT INTO affected_weeks
    SELECT w.workspace_id, w.employee_id, w.monday
    FROM affected_employees JOIN timesheet_weeks w USING (workspace_id, employee_id)
    ON CONFLICT DO NOTHING
"""

_KINDS = """
    CREATE TEMPORARY TABLE activity_kinds (
        workspace_id text COLLATE "C", activity_id text COLLATE "C", first_day date, next_first_day date, kind text
    ) ON COMMIT DELETE ROWS
"""
# The kind of an activity's versions; before the first one the earliest holds.
_FILL_KINDS = """
    INSERT INTO activity_kinds
    SELECT workspace_id, entity_id, CASE row_number() OVER versions WHEN 1 THEN '-infinity' ELSE valid_from END,
        coalesce(lead(valid_from) OVER versions, 'infinity'), "values" ->> 'kind'
    FROM definitions WHERE kind = 'activity' AND workspace_id IN (SELECT workspace_id FROM affected_weeks)
    WINDOW versions AS (PARTITION BY workspace_id, entity_id ORDER BY valid_from)
"""

# OFFSET 0 has each week looked up by index: PostgreSQL can not know how few days a week has of an employee's all. What
# an employee was expected to work is as it was, unless the row is new or the employee affected.
_SUMS = """
    WITH recorded AS (
        SELECT w.workspace_id, w.employee_id, w.monday, coalesce(k.kind, 'work') AS kind, t.minutes
        FROM affected_weeks w CROSS JOIN LATERAL (
            SELECT t.date, t.activity_id, t.minutes FROM time_entries t
            WHERE t.workspace_id = w.workspace_id AND t.employee_id = w.employee_id
              AND t.date >= w.monday AND t.date <= w.monday + 6
            OFFSET 0
        ) t
        LEFT JOIN activity_kinds k ON k.workspace_id = w.workspace_id AND k.activity_id = t.activity_id
          AND k.first_day <= t.date AND t.date < k.next_first_day
        UNION ALL
        SELECT w.workspace_id, w.employee_id, w.monday, 'time_off', d.minutes
        FROM affected_weeks w CROSS JOIN LATERAL (
            SELECT d.minutes FROM absence_days d
            WHERE d.workspace_id = w.workspace_id AND d.employee_id = w.employee_id
              AND d.date >= w.monday AND d.date <= w.monday + 6
            OFFSET 0
        ) d
    ), sums AS (
        SELECT workspace_id, employee_id, monday,
            coalesce(sum(minutes) FILTER (WHERE kind = 'work'), 0) AS work_minutes,
            coalesce(sum(minutes) FILTER (WHERE kind = 'time_off'), 0) AS time_off_minutes,
            coalesce(sum(minutes) FILTER (WHERE kind = 'non_work'), 0) AS non_work_minutes
        FROM recorded GROUP BY workspace_id, employee_id, monday
    )
    SELECT s.*, CASE WHEN a.workspace_id IS NULL THEN w.expected_minutes END
    FROM sums s
    LEFT JOIN timesheet_weeks w USING (workspace_id, employee_id, monday)
    LEFT JOIN affected_employees a USING (workspace_id, employee_id)
    WHERE s.work_minutes + s.time_off_minutes + s.non_work_minutes > 0
"""


class TimesheetWeeks(Projection):
    """One row per employee and week of recorded time, for as long as it has minutes of one of the three kinds.

    The activity's kind on the day tells which; an activity counts as work until it is defined. Allowances are money
    and count in none. A day of absence is time off whatever its activity. `expected_minutes` are those of the whole
    week, 0 where they can not be told, since something is not defined.
    """

    name = "timesheet_weeks"
    description = "Minutes of work, time off and other time by employee and week, beside those expected."
    event_types = _SETTINGS | {
        "time.entered",
        "time.removed",
        "activity.defined",
        "employment.defined",
        "time_off.consumed",
        "time_off.interrupted",
        "time_off.cancelled",
        "absence.registered",
    }
    after = ("definitions", "absences")
    table = Table(
        "timesheet_weeks",
        ("workspace_id", "employee_id", "monday"),
        ("work_minutes", "time_off_minutes", "non_work_minutes", "expected_minutes"),
    )
    further_tables = (TIME_ENTRIES,)

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Sum the weeks up that the events touch. See `Projection.fold`."""
        # At PostgreSQL's usual 4 MB the sorts of a big import go through the disk and take half as long again.
        connection.execute("SET LOCAL work_mem = '64MB'")
        find_affected(connection, settings=_SETTINGS)
        temporary_table(connection, "affected_weeks", _AFFECTED)
        for affected_weeks in (_BY_ABSENCE, _BY_ACTIVITY, _BY_PEOPLE):
            connection.execute(affected_weeks)
        letters = take_in(connection)
        analyze(connection, "affected_weeks")
        temporary_table(connection, "activity_kinds", _KINDS)
        connection.execute(_FILL_KINDS)
        analyze(connection, "activity_kinds")
        rows = connection.execute(_SUMS).fetchall()
        connection.execute("SET LOCAL work_mem = DEFAULT")
        return Folded(replace_rows(connection, self.table, _expecting(connection, rows), of="affected_weeks"), letters)


def _expecting(connection: Transaction, rows: Sequence[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """The rows, with expected minutes where they have none."""
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    for workspace_id, employee_id, *_, expected in rows:
        if expected is None:
            unknown[workspace_id].add(employee_id)
    employees = {workspace_id: sorted(unknown[workspace_id]) for workspace_id in sorted(unknown)}
    workforces = workforces_of(connection, employees) if employees else {}
    return _filled(rows, {workspace_id: workforce for workspace_id, (workforce, _) in workforces.items()})


def _filled(rows: Iterable[tuple[Any, ...]], workforces: dict[str, Workforce]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        workspace_id, employee_id, monday, *_, expected = row
        yield row if expected is not None else (*row[:-1], _expected(workforces[workspace_id], employee_id, monday))


def _expected(workforce: Workforce, employee_id: str, monday: date) -> int:
    """The expected minutes of the week, 0 where a rule can not tell them."""
    sunday = monday + min(_SUNDAY, date.max - monday)
    try:
        return sum(workforce.minutes_between(employee_id, monday, sunday))
    except RuleError:
        return 0
