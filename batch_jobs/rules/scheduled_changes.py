"""Changes planned for a day: in which order they apply, what they make of an entity (domain 2.1, 6.1)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

from batch_jobs.rules.errors import RuleError, TransitionError
from batch_jobs.rules.versions import Versions

COUNTED_AS: Mapping[str, str] = {
    "employee": "employees",
    "employment": "employees",
    "org_unit": "org_units",
    "employment_terms": "employment_terms",
    "time_off_policy": "timeoff_policies",
    "allowance_policy": "allowance_policies",
    "work_time_policy": "work_time_policies",
}
"""The kinds of entities that can be changed, each with the `<e>` of its counters `<e>_applied` and `<e>_failed`."""

ChangeState: TypeAlias = Literal["scheduled", "cancelled", "applied"]

_REFERENCES: Mapping[str, Mapping[str, str]] = {
    "employment": {
        "employee_id": "employee",
        "terms_id": "employment_terms",
        "org_unit_id": "org_unit",
        "manager_id": "employee",
        "holiday_calendar_id": "holiday_calendar",
    },
    "org_unit": {"parent_id": "org_unit", "head_id": "employee", "holiday_calendar_id": "holiday_calendar"},
    "employment_terms": {
        "time_off_policy_ids": "time_off_policy",
        "allowance_policy_ids": "allowance_policy",
        "work_time_policy_id": "work_time_policy",
        "holiday_calendar_id": "holiday_calendar",
    },
    "time_off_policy": {"account_id": "time_account", "activity_id": "activity"},
    "allowance_policy": {"account_id": "time_account", "activity_id": "activity"},
}


class ChangeError(RuleError):
    """A scheduled change that can not be applied; it stays scheduled."""

    kind = "invalid_change"


class ScheduledChange(NamedTuple):
    """A `change.scheduled` that stands: neither cancelled, applied nor replaced. `position` is its event's."""

    change_id: str
    entity: str
    entity_id: str
    effective_date: date
    values: Mapping[str, Any]
    position: int


def state_after(state: ChangeState | None, event_type: str, change_id: str) -> ChangeState:
    """The state of a change after one of its events.

    An applied change stays applied: under its id nothing can happen a second time. A cancelled one may be scheduled
    again, and one that is cancelled twice is cancelled.

    Args:
        state: before the event, None for a change that was never scheduled.
        event_type: `change.scheduled`, `change.cancelled` or `change.applied`.
        change_id: for the text of errors.

    Raises:
        TransitionError: the event contradicts the state.
    """
    name = f'change "{change_id}"'
    if state is None and event_type != "change.scheduled":
        raise TransitionError(f"{name} is not scheduled; import its change.scheduled first")
    if state == "applied":
        raise TransitionError(f"{name} was applied already; schedule what is to happen now under a new change_id")
    if event_type == "change.scheduled":
        return "scheduled"
    if event_type == "change.cancelled":
        return "cancelled"
    if state == "cancelled":
        raise TransitionError(f"{name} was cancelled and can not be applied; schedule it again first")
    return "applied"


def due(changes: Iterable[ScheduledChange], run_date: date) -> list[ScheduledChange]:
    """The changes with an effective date up to the run date, in the order in which they apply.

    By effective date, then by scheduling: a change that was scheduled again takes its new place.
    """
    found = [change for change in changes if change.effective_date <= run_date]
    return sorted(found, key=lambda change: (change.effective_date, change.position))


def changed_payload(
    versions: Versions[Mapping[str, Any]] | None, change: ScheduledChange, *, id_field: str
) -> dict[str, Any]:
    """The payload of the `*.defined` that the change makes: the version in force on its day, fields overwritten.

    Null clears a field. The result carries the change's effective date; whether it is valid is for the payload's model
    to judge. Several changes of one entity apply one after the other, each on what the ones before it made
    (`with_version`). Versions from later days stay as they are.

    Args:
        versions: the entity's payloads; None when it is not defined.
        change: to apply.
        id_field: the name of the field that holds the entity's id.

    Raises:
        ChangeError: the entity is not defined, or the change is about its id or effective date.
    """
    name = f'change "{change.change_id}"'
    if versions is None:
        raise ChangeError(
            f'{name}: {change.entity} "{change.entity_id}" is not defined; import its {change.entity}.defined first'
        )
    if change.values.get(id_field, change.entity_id) != change.entity_id:
        raise ChangeError(
            f'{name}: {id_field} "{change.values[id_field]}" can not replace "{change.entity_id}"; '
            "an entity keeps its id, define another one instead"
        )
    if "effective_date" in change.values:
        raise ChangeError(
            f'{name}: values.effective_date is no field of {change.entity} "{change.entity_id}"; '
            "schedule the change again with the effective date beside its values"
        )
    merged = {**versions.on(change.effective_date), **change.values, id_field: change.entity_id}
    kept = {field: value for field, value in merged.items() if value is not None}
    return {**kept, "effective_date": change.effective_date.isoformat()}


def with_version(
    versions: Versions[Mapping[str, Any]], effective_date: date, payload: Mapping[str, Any]
) -> Versions[Mapping[str, Any]]:
    """The versions with one more, in place of one of the same day."""
    pairs = zip(versions.starts(), versions.values(), strict=True)
    return Versions([*pairs, (effective_date, payload)])


def undefined_references(
    entity: str, payload: Mapping[str, Any], is_defined: Callable[[str, str], bool]
) -> list[tuple[str, str, str]]:
    """The field, kind and id of each entity that a payload names and that is not defined, in the order of the fields.

    Args:
        entity: the kind of the payload's entity.
        payload: a valid one.
        is_defined: asked with a kind, such as `org_unit`, and an id.
    """
    found: list[tuple[str, str, str]] = []
    for field, kind in _REFERENCES.get(entity, {}).items():
        value = payload.get(field)
        named = [value] if isinstance(value, str) else value or ()
        found += [(field, kind, entity_id) for entity_id in named if not is_defined(kind, entity_id)]
    return found
