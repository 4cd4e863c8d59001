"""Fills an installation up to its full size, by INSERT … SELECT into the projections. What is loaded is said below."""

from datetime import timedelta

from batch_jobs.installation import all_projections
from batch_jobs.rules.approval_periods import period, periods_between
from batch_jobs.rules.entities import ApprovalKind
from benchmarks.bench import Bench, tell
from benchmarks.companies import APPROVAL_PERIODS

# Besides the three kinds with approval there are terms without.
KINDS: tuple[ApprovalKind, ...] = ("none", *APPROVAL_PERIODS)
HISTORY = timedelta(days=365)
# One employee in a hundred has no current statement; of a kind with approval.
OPEN, OF = 1, 100

_WORKSPACES = """
    INSERT INTO batch_jobs.workspaces (workspace_id, head, status, name, timezone, locale, first_event_at)
    SELECT workspace_id, 1000, 'active', workspace_id, %(timezone)s, 'en', now()
    FROM unnest(%(workspaces)s::text[]) workspace_id
"""

# As if all had been caught up.
_CHECKPOINTS = """
    INSERT INTO batch_jobs.checkpoints (projection, workspace_id, position, as_of, version)
    SELECT projection, workspace_id, 1000, %(run_date)s, version
    FROM unnest(%(projections)s::text[], %(versions)s::int[]) AS p(projection, version)
    CROSS JOIN unnest(%(workspaces)s::text[]) workspace_id
"""

_PEOPLE = """
    CREATE TEMPORARY TABLE people ON COMMIT DROP AS
    SELECT workspace_id, workspace_number, 'e-' || number AS employee_id, number,
        (%(kinds)s::text[])[1 + number %% 4] AS approval_period
    FROM unnest(%(workspaces)s::text[]) WITH ORDINALITY AS w(workspace_id, workspace_number)
    CROSS JOIN generate_series(0, %(employees)s - 1) AS number
"""

_EMPLOYMENTS = """
    INSERT INTO projections.employment_periods (workspace_id, employee_id, employment_id, valid_from, valid_to,
        start_date, terms_id, org_unit_id, approval_period, has_overlap, employee_is_defined)
    SELECT workspace_id, employee_id, employee_id || '/1', v.valid_from, v.valid_to, date '2022-03-01',
        't-' || approval_period, 'u-' || number %% 10, approval_period, false, true
    FROM people p CROSS JOIN LATERAL (
        SELECT date '2022-03-01' AS valid_from, date '2025-06-30' AS valid_to WHERE p.number %% 10 = 0
        UNION ALL
        SELECT CASE p.number %% 10 WHEN 0 THEN date '2025-07-01' ELSE date '2022-03-01' END, NULL
    ) v
"""

_STATEMENTS = """
    INSERT INTO projections.timesheet_statements
        (workspace_id, statement_id, employee_id, terms_id, period_start, period_end, state, approvers, approved_by)
    SELECT workspace_id, employee_id || ':' || b.first || ':' || b.last, employee_id, 't-' || kind, b.first, b.last,
        CASE WHEN is_current THEN 'pending' ELSE 'approved' END, '{}', '{}'
    FROM people p JOIN unnest(%(bound_kinds)s::text[], %(firsts)s::date[], %(lasts)s::date[], %(current)s::boolean[])
        AS b(kind, first, last, is_current) ON b.kind = p.approval_period
    WHERE CASE WHEN is_current THEN p.number %% %(of)s <> %(open)s ELSE p.workspace_number %% 10 = 0 END
"""


def load(bench: Bench) -> None:
    """Add workspaces until there are as many as the sizes say, with their employments and statements."""
    workspaces = _added(bench)
    projections = all_projections().values()
    bounds = [
        (kind, found.start, found.end, found == period(kind, bench.run_date))
        for kind in APPROVAL_PERIODS
        for found in periods_between(kind, bench.run_date - HISTORY, bench.run_date)
    ]
    kinds, firsts, lasts, current = map(list, zip(*bounds, strict=True))
    values = {
        "workspaces": workspaces,
        "employees": bench.sizes.employees,
        "timezone": bench.timezone,
        "run_date": bench.run_date,
        "projections": [projection.name for projection in projections],
        "versions": [projection.version for projection in projections],
        "kinds": list(KINDS),
        "bound_kinds": kinds,
        "firsts": firsts,
        "lasts": lasts,
        "current": current,
        "open": OPEN,
        "of": OF,
    }
    tell(f"loading {len(workspaces):,} workspaces with {len(workspaces) * bench.sizes.employees:,} employees")
    with bench.database.owner() as connection:
        for statement in (_WORKSPACES, _CHECKPOINTS, _PEOPLE, _EMPLOYMENTS, _STATEMENTS):
            connection.execute(statement, values)
    tell("VACUUM ANALYZE")
    bench.vacuum()


def open_employees(bench: Bench) -> tuple[int, int]:
    """For how many employees a statement is due on the run date, and on the first day of a new period."""
    added, employees = len(_added(bench)), range(bench.sizes.employees)
    approving = sum(KINDS[number % len(KINDS)] != "none" for number in employees)
    missing = sum(number % OF == OPEN for number in employees)
    # Those of the night have all their statements, and everybody there is on terms with approval.
    others = bench.sizes.night + bench.sizes.alone
    return added * missing, added * approving + others * bench.sizes.employees


def _added(bench: Bench) -> list[str]:
    count = bench.sizes.installation - bench.sizes.night - bench.sizes.alone
    return [f"size-{number:05}" for number in range(count)]
