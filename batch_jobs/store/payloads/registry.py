"""Which model reads which version of which event type, and how old versions become new ones. No field of any event."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from batch_jobs.store.payloads.base import Payload

Fields = dict[str, Any]
Upcast = Callable[[Fields], Fields]


class Registry:
    """The versions of the event types, and the steps that lead from each version to the next.

    Args:
        models: one model for each version of each type.
        upcasts: for each version but a type's newest, what turns its payload into the next version's. It gets a copy
            to change as it likes.

    Raises:
        ValueError: versions have a gap, or a step is missing or leads nowhere: an error of the programmer.
    """

    def __init__(
        self, models: Iterable[type[Payload]], upcasts: Mapping[tuple[str, int], Upcast] = MappingProxyType({})
    ) -> None:
        self._versions: dict[str, dict[int, type[Payload]]] = {}
        for model in models:
            known = self._versions.setdefault(model.type, {})
            if model.version in known:
                raise ValueError(f"{model.type} version {model.version} has two models")
            known[model.version] = model
        self._upcasts = dict(upcasts)
        self._check()

    def _check(self) -> None:
        needed: set[tuple[str, int]] = set()
        for event_type, known in self._versions.items():
            if sorted(known) != list(range(1, len(known) + 1)):
                raise ValueError(f"{event_type} has the versions {sorted(known)}; expected 1, 2, 3 and so on")
            needed.update((event_type, version) for version in range(1, len(known)))
        if needed != self._upcasts.keys():
            raise ValueError(f"upcasts are there for {sorted(self._upcasts)}; expected {sorted(needed)}")

    @property
    def types(self) -> tuple[str, ...]:
        """All event types, in the order of the models."""
        return tuple(self._versions)

    def versions(self, event_type: str) -> Mapping[int, type[Payload]]:
        """The models of a type by version, none for an unknown type."""
        return MappingProxyType(self._versions.get(event_type, {}))

    def newest(self, event_type: str) -> int:
        """The newest version of a known type."""
        return len(self._versions[event_type])

    def upcast(self, event_type: str, version: int, payload: Mapping[str, Any]) -> tuple[int, Fields]:
        """Bring a valid payload of a known type and version to the newest version, step by step."""
        fields = dict(payload)
        for step in range(version, self.newest(event_type)):
            fields = self._upcasts[event_type, step](fields)
        return self.newest(event_type), fields
