"""All payload models of the product, found by event type and version, or by the entity they define."""

from types import ModuleType
from typing import NamedTuple

from batch_jobs.store.payloads import (
    accounts,
    calendars,
    changes,
    notifications,
    people,
    policies,
    projects,
    statements,
    time_entries,
    time_off,
    working_time,
    workspaces,
)
from batch_jobs.store.payloads.base import EntityDefined, Payload
from batch_jobs.store.payloads.registry import Registry, Upcast

_THEMES = (
    workspaces,
    people,
    working_time,
    calendars,
    projects,
    policies,
    accounts,
    changes,
    time_off,
    time_entries,
    statements,
    notifications,
)

# (type, version) -> what turns a payload of that version into one of the next. No type has a second version yet.
_UPCASTS: dict[tuple[str, int], Upcast] = {}


class DefinedEntity(NamedTuple):
    """What a `*.defined` event defines: the kind of entity, and the payload field that holds its id."""

    kind: str
    id_field: str


def _models(theme: ModuleType) -> list[type[Payload]]:
    """The payloads that a theme defines itself, in the order of its text."""
    return [
        value
        for value in vars(theme).values()
        if isinstance(value, type) and issubclass(value, Payload) and value.__module__ == theme.__name__
    ]


MODELS: tuple[type[Payload], ...] = tuple(model for theme in _THEMES for model in _models(theme))

REGISTRY = Registry(MODELS, _UPCASTS)

DEFINED_ENTITIES: dict[str, DefinedEntity] = {
    model.type: DefinedEntity(model.type.removesuffix(".defined"), model.id_field)
    for model in MODELS
    if issubclass(model, EntityDefined)
}
