"""Carries out the changes of people and settings that were planned for a day."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from batch_jobs.engine.batch import Batch
from batch_jobs.engine.contract import Counter, Job, Parameters
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.unexpected import UnexpectedErrors
from batch_jobs.errors import BatchJobsError
from batch_jobs.rules.errors import RuleError, UndefinedReferenceError
from batch_jobs.rules.scheduled_changes import (
    COUNTED_AS,
    ScheduledChange,
    changed_payload,
    due,
    undefined_references,
    with_version,
)
from batch_jobs.rules.versions import Versions
from batch_jobs.store.database import Transaction, shown_url
from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.catalog import DEFINED_ENTITIES, REGISTRY
from batch_jobs.store.payloads.changes import ChangeApplied
from batch_jobs.store.stored_payloads import read_payload

_log = logging.getLogger(__name__)

_NAMES = {
    "employees": "employees and employments",
    "org_units": "org units",
    "employment_terms": "employment terms",
    "timeoff_policies": "time-off policies",
    "allowance_policies": "allowance policies",
    "work_time_policies": "work-time policies",
}

# A removed employee is not defined: what stands of them before a later definition has no values.
_VERSIONS = """
    SELECT d.workspace_id, d.kind, d.entity_id, d.valid_from, d."values"
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(workspace_id, kind, entity_id)
    JOIN projections.definitions d USING (workspace_id, kind, entity_id)
    WHERE d."values" IS NOT NULL ORDER BY d.workspace_id, d.kind, d.entity_id, d.valid_from
"""
_DEFINED = """
    SELECT DISTINCT d.workspace_id, d.kind, d.entity_id
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS w(workspace_id, kind, entity_id)
    JOIN projections.definitions d USING (workspace_id, kind, entity_id)
    WHERE d."values" IS NOT NULL
"""


class _Entity(NamedTuple):
    """Which entity: unique in the database."""

    workspace_id: str
    kind: str
    entity_id: str


class ApplyScheduledChanges(Job):
    """Each due change is laid over the version in force on its effective date, and written under that date.

    In order of effective date, then of scheduling; several changes of one entity apply one on the other. What comes of
    a change is judged as an import would judge it: a circle of org units, for one, is taken (domain 3.1 visits each
    unit once). A change that fails stays scheduled and is tried again the next night.
    """

    name = "apply_scheduled_changes"
    description = "Carries out the changes of people and settings whose effective date has come."
    parameters = Parameters
    counters = tuple(
        counter
        for name, shown in _NAMES.items()
        for counter in (
            Counter(f"{name}_applied", f"changes of {shown} that were applied"),
            Counter(f"{name}_failed", f"changes of {shown} that can not be applied and stay scheduled", warns=True),
        )
    )
    # Of errors that name no counter; each error of this job names one.
    error_counter = "employees_failed"
    candidates = """
        SELECT c.workspace_id, c.change_id AS row_id, true AS due, c.entity, c.entity_id, c.effective_date, c."values",
            c.position
        FROM scope s JOIN projections.scheduled_changes c ON c.workspace_id = s.workspace_id
        WHERE c.state = 'scheduled' AND c.effective_date <= %(run_date)s
    """
    # A change builds on those before it, in whichever slice they would be.
    divisible = False

    def idle_reasons(self, connection: Transaction, targets: Sequence[Target]) -> Mapping[str, str]:
        """See `Job.idle_reasons`."""
        return {workspace_id: "no scheduled change has its effective date by then" for workspace_id, _ in targets}

    def decide(self, batch: Batch) -> None:
        """An entity's new version and the note that the change is applied, or an error, for each change."""
        rows = {(row.workspace_id, row.row_id): row for row in batch.rows}
        changes = defaultdict(list)
        for row in batch.rows:
            changes[row.workspace_id].append(
                ScheduledChange(row.row_id, row.entity, row.entity_id, row.effective_date, row.values, row.position)
            )
        versions = _load_versions(batch)
        defined = _load_defined(batch, versions)
        unexpected = UnexpectedErrors(_log)
        for workspace_id, run in batch.runs.items():
            for change in due(changes[workspace_id], run.run_date):
                row = rows[workspace_id, change.change_id]
                counted = COUNTED_AS[change.entity]
                entity = _Entity(workspace_id, change.entity, change.entity_id)
                try:
                    payload, fields = _applied(change, versions.get(entity), workspace_id, defined)
                except Exception as error:  # one bad change must not stop the others
                    unexpected.note(error, f'change "{change.change_id}" of {workspace_id} can not be applied')
                    batch.error(
                        row,
                        entity=change.entity,
                        entity_id=change.entity_id,
                        error=_kind_of(error),
                        message=_message(change, error),
                        counter=f"{counted}_failed",
                    )
                    continue
                versions[entity] = with_version(versions[entity], change.effective_date, fields)
                batch.append(row, payload, change.change_id, "defined")
                batch.append(row, ChangeApplied(change_id=change.change_id), change.change_id, "applied")
                batch.count(row, f"{counted}_applied")


def _applied(
    change: ScheduledChange,
    versions: Versions[Mapping[str, Any]] | None,
    workspace_id: str,
    defined: set[_Entity],
) -> tuple[Payload, dict[str, Any]]:
    """What the change makes of its entity, as a payload and as fields."""
    event_type = f"{change.entity}.defined"
    fields = changed_payload(versions, change, id_field=DEFINED_ENTITIES[event_type].id_field)
    newest = REGISTRY.newest(event_type)
    payload = read_payload(event_type, newest, fields, where=f'change "{change.change_id}"')
    missing = undefined_references(
        change.entity, fields, lambda kind, entity_id: _Entity(workspace_id, kind, entity_id) in defined
    )
    if missing:
        field, kind, entity_id = missing[0]
        raise UndefinedReferenceError(
            f'change "{change.change_id}": {change.entity} {change.entity_id}: {field} "{entity_id}" is not defined in '
            f'workspace "{workspace_id}"; import its {kind}.defined first'
        )
    return payload, fields


def _kind_of(error: Exception) -> str:
    if isinstance(error, RuleError):
        return error.kind
    return "invalid_change" if isinstance(error, BatchJobsError) else type(error).__name__


def _message(change: ScheduledChange, error: Exception) -> str:
    if isinstance(error, BatchJobsError):
        return str(error)
    return f'change "{change.change_id}" can not be applied: {shown_url(str(error))}'


def _load_versions(batch: Batch) -> dict[_Entity, Versions[Mapping[str, Any]]]:
    """The versions of every entity that is to be changed."""
    wanted = {_Entity(row.workspace_id, row.entity, row.entity_id) for row in batch.rows}
    found: defaultdict[_Entity, list[tuple[date, Mapping[str, Any]]]] = defaultdict(list)
    for *entity, valid_from, values in batch.connection.execute(_VERSIONS, _columns(wanted)):
        found[_Entity(*entity)].append((valid_from, values))
    return {entity: Versions(pairs) for entity, pairs in found.items()}


def _load_defined(batch: Batch, versions: Mapping[_Entity, Versions[Mapping[str, Any]]]) -> set[_Entity]:
    """Those entities that are defined, of all that the changed ones name now or will name."""
    named = [(entity, fields) for entity, known in versions.items() for fields in known.values()]
    for row in batch.rows:
        # Not judged yet: anything may stand where an id should.
        texts = {field: _texts(value) for field, value in row.values.items()}
        named.append((_Entity(row.workspace_id, row.entity, row.entity_id), texts))
    wanted = {
        _Entity(entity.workspace_id, kind, entity_id)
        for entity, fields in named
        for _, kind, entity_id in undefined_references(entity.kind, fields, lambda *_: False)
    }
    return {_Entity(*row) for row in batch.connection.execute(_DEFINED, _columns(wanted))}


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def _columns(entities: Iterable[_Entity]) -> list[list[str]]:
    ordered = sorted(entities)
    return [[entity[number] for entity in ordered] for number in range(3)]
