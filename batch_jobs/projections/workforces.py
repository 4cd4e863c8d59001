"""Loading people and settings from the projection `definitions` into the rules' `Workforce`. No rule, no writing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from batch_jobs.engine.projection import load_once
from batch_jobs.rules.definitions import ENTITY_KINDS, Definitions
from batch_jobs.rules.entities import Workspace
from batch_jobs.rules.workforce import Workforce
from batch_jobs.store.database import Transaction

_PERSONAL = ("employee", "employment", "user")

# All versions of a person's rows, also those in which an employment or a user belonged to somebody else.
_ROWS = """
    SELECT d.workspace_id, d.kind, d.entity_id, d.valid_from, d."values" FROM {definitions} d
    WHERE d.workspace_id = ANY (%(workspaces)s) AND d.kind = ANY (%(settings)s)
    UNION ALL
    SELECT d.workspace_id, d.kind, d.entity_id, d.valid_from, d."values" FROM (
        SELECT DISTINCT p.workspace_id, p.kind, p.entity_id
        FROM unnest(%(of_workspaces)s::text[], %(of_employees)s::text[]) AS w(workspace_id, employee_id)
        JOIN {definitions} p ON p.workspace_id = w.workspace_id AND p.employee_id = w.employee_id
        WHERE p.kind = ANY (%(personal)s)
    ) p JOIN {definitions} d USING (workspace_id, kind, entity_id)
"""

_ROWS_OF_ALL = """
    SELECT d.workspace_id, d.kind, d.entity_id, d.valid_from, d."values" FROM {definitions} d
    WHERE d.workspace_id = ANY (%(workspaces)s) AND d.kind = ANY (%(kinds)s)
"""


def load_workforces(
    connection: Transaction,
    employees: Mapping[str, Iterable[str] | None],
    kinds: frozenset[str] = ENTITY_KINDS,
    *,
    definitions: str = "projections.definitions",
) -> dict[str, tuple[Workforce, frozenset[str]]]:
    """Load the workforces of workspaces in three queries at the most.

    Args:
        connection: a transaction whose scope holds the workspaces; `definitions` is up to date.
        employees: per workspace the employees that will be asked about, or None for all.
        kinds: of the entities to load; with `POLICY_KINDS` where absences, accruals or accounts are asked about.
        definitions: the table of that projection; folds find theirs by its plain name.

    Returns:
        Per workspace the workforce (with all settings of those kinds) and the ids of those employees who were removed.
    """
    everyone = [workspace_id for workspace_id, ids in employees.items() if ids is None]
    some = [(workspace_id, who) for workspace_id, ids in employees.items() if ids is not None for who in ids]
    rows = connection.execute(
        _ROWS_OF_ALL.format(definitions=definitions), {"workspaces": everyone, "kinds": sorted(kinds)}
    ).fetchall()
    if some:
        rows += connection.execute(
            _ROWS.format(definitions=definitions),
            {
                "workspaces": sorted(employees.keys() - set(everyone)),
                "settings": sorted(kinds - set(_PERSONAL)),
                "personal": sorted(kinds & set(_PERSONAL)),
                "of_workspaces": [workspace_id for workspace_id, _ in some],
                "of_employees": [who for _, who in some],
            },
        ).fetchall()
    workspaces = connection.execute(
        """
        SELECT workspace_id, coalesce(name, workspace_id), coalesce(timezone, 'UTC'), default_holiday_calendar_id,
            coalesce(locale, 'en')
        FROM batch_jobs.workspaces WHERE workspace_id = ANY (%s)
        """,
        [list(employees)],
    ).fetchall()
    found: defaultdict[str, list[tuple[str, str, date, dict[str, Any]]]] = defaultdict(list)
    present: defaultdict[str, set[str]] = defaultdict(set)
    removed: defaultdict[str, set[str]] = defaultdict(set)
    for workspace_id, kind, entity_id, valid_from, values in sorted(rows, key=itemgetter(0, 1, 2, 3)):
        if values is None:
            # Only of an employee: nothing else can be removed.
            removed[workspace_id].add(entity_id)
            continue
        found[workspace_id].append((kind, entity_id, valid_from, values))
        if kind == "employee":
            present[workspace_id].add(entity_id)
    return {
        workspace_id: (
            Workforce(Definitions.from_rows(workspace_id, Workspace(*values), found[workspace_id])),
            frozenset(removed[workspace_id] - present[workspace_id]),
        )
        for workspace_id, *values in workspaces
    }


def employees_of(rows: Iterable[Any]) -> dict[str, list[str]]:
    """The employees of rows by workspace, for `load_workforces`.

    Args:
        rows: with `workspace_id` and `employee_id`.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.workspace_id].add(row.employee_id)
    return {workspace_id: sorted(employees) for workspace_id, employees in found.items()}


def workforces_of(
    connection: Transaction, employees: Mapping[str, Sequence[str]], kinds: frozenset[str] = ENTITY_KINDS
) -> dict[str, tuple[Workforce, frozenset[str]]]:
    """`load_workforces` for folds: those of one catch-up that ask for the same employees share the answer."""
    key = ("workforces", kinds, tuple((workspace_id, tuple(ids)) for workspace_id, ids in employees.items()))
    return load_once(key, lambda: load_workforces(connection, employees, kinds, definitions="definitions"))


def employees_in_scope(
    connection: Transaction,
    targets: Sequence[tuple[str, date]],
    *,
    employee_id: str | None,
    org_unit_id: str | None,
) -> dict[str, list[str]]:
    """Which employees are meant by one id, one org unit with those below it on the run date, or both together.

    Workspaces that do not have the employee or the unit are left out.
    """
    ids = {workspace_id: [employee_id] if employee_id and not org_unit_id else None for workspace_id, _ in targets}
    found: dict[str, list[str]] = {}
    workforces = load_workforces(connection, ids)
    for workspace_id, run_date in targets:
        workforce, _ = workforces[workspace_id]
        if org_unit_id is not None and org_unit_id not in workforce.definitions.org_units:
            continue
        people = {employee_id} if employee_id else set(workforce.definitions.employees)
        if org_unit_id is not None:
            people &= workforce.unit_employees(org_unit_id, run_date)
        if employee_id and employee_id not in workforce.definitions.employees:
            continue
        found[workspace_id] = sorted(people)
    return found
