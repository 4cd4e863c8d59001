"""What each employee's published weeks depend on, and how far they stand published under just that."""

from collections.abc import Iterator, Sequence
from datetime import date

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, changed_rows, replace_rows
from batch_jobs.projections.affected_employees import SETTING_EVENTS, affected, find_affected
from batch_jobs.projections.workforces import workforces_of
from batch_jobs.rules.published_norms import NormPublisher
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction

_SETTINGS = SETTING_EVENTS | {"work_time_policy.defined"}

_CURSORS = """
    SELECT workspace_id, employee_id, fingerprint, through_week, furthest_week
    FROM published_norm_cursors JOIN affected_employees USING (workspace_id, employee_id)
"""

_PUBLISHED = """
    UPDATE norm_fingerprints n SET
        published_through = CASE n.fingerprint WHEN c.fingerprint THEN c.through_week ELSE '0001-01-01' END,
        furthest_week = c.furthest_week
    FROM (
        SELECT DISTINCT workspace_id, payload ->> 'employee_id' AS employee_id FROM pending_events
        WHERE type = 'norm.published'
    ) e JOIN published_norm_cursors c USING (workspace_id, employee_id)
    WHERE n.workspace_id = e.workspace_id AND n.employee_id = e.employee_id
      AND (n.published_through, n.furthest_week) IS DISTINCT FROM (
          CASE n.fingerprint WHEN c.fingerprint THEN c.through_week ELSE '0001-01-01' END, c.furthest_week
      )
    RETURNING n.workspace_id
"""

_Cursor = tuple[str, date, date]


class NormFingerprints(Projection):
    """One row per employee who is defined and not removed, so that one index finds those whose weeks are to be
    published: someone without any employment (left) may have weeks that stand published.
    """

    name = "norm_fingerprints"
    description = "What each employee's published norm depends on, and how far it stands published."
    version = 2
    event_types = _SETTINGS | {"employee.defined", "employee.removed", "employment.defined", "norm.published"}
    after = ("definitions", "published_norms")
    table = Table(
        "norm_fingerprints",
        ("workspace_id", "employee_id"),
        ("fingerprint", "employed_until", "problem", "published_through", "furthest_week"),
    )

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Recompute those whom people and settings affect, and note publications. See `Projection.fold`."""
        find_affected(connection, settings=_SETTINGS)
        employees = affected(connection)
        cursors: dict[tuple[str, str], _Cursor] = {
            (workspace_id, employee_id): (fingerprint, through_week, furthest_week)
            for workspace_id, employee_id, fingerprint, through_week, furthest_week in connection.execute(_CURSORS)
        }
        rows = (
            (workspace_id, employee_id, *facts, *_published(facts[0], cursors.get((workspace_id, employee_id))))
            for workspace_id, (workforce, _) in workforces_of(connection, employees).items()
            for employee_id, facts in _facts(workforce, employees[workspace_id])
        )
        changes = replace_rows(connection, self.table, rows, of="affected_employees")
        changes += changed_rows(connection, _PUBLISHED)
        return Folded(changes)


def _facts(
    workforce: Workforce, employees: Sequence[str]
) -> Iterator[tuple[str, tuple[str | None, date | None, str | None]]]:
    """Of each employee who is defined: fingerprint, last employed day, and why there is no fingerprint: the norm of
    their last days can not be told.
    """
    publisher = NormPublisher(workforce)
    for employee_id in employees:
        if employee_id in workforce.definitions.employees:
            ends = [span.end for span in workforce.coverage(employee_id)]
            until = None if None in ends else max(filter(None, ends), default=date.min)
            fingerprint, problem = publisher.basis(employee_id)
            yield employee_id, (None if problem else fingerprint, until, problem)


def _published(fingerprint: str | None, cursor: _Cursor | None) -> tuple[date, date]:
    """Through which week was published under this fingerprint, and under any; the first of days for nothing."""
    if cursor is None:
        return date.min, date.min
    published_under, through_week, furthest_week = cursor
    return through_week if published_under == fingerprint else date.min, furthest_week
