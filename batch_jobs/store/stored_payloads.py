"""Payloads as the log holds them, brought to the newest version of their type when they are read."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from batch_jobs.store.bad_events import InvalidEventError, Where, not_json, shown, unknown_type, unknown_version
from batch_jobs.store.bad_fields import bad_field
from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.catalog import REGISTRY
from batch_jobs.store.payloads.registry import Registry


def read_payload(
    event_type: str, version: int, payload: str | Mapping[str, Any], *, where: Where, registry: Registry = REGISTRY
) -> Payload:
    """Read a payload and bring it to the newest version of its type.

    Two payloads read so are equal when they mean the same, though one spells a default out and the other leaves it.

    Args:
        event_type: the type of its event.
        version: the version it was written in.
        payload: JSON text, or what a JSON parser made of it.
        where: what an error calls it, such as the event's id.
        registry: the versions and how they follow on each other.

    Raises:
        InvalidEventError: type or version are unknown, or the payload is not valid in the newest version.
    """
    versions = registry.versions(event_type)
    if not versions:
        raise unknown_type(where, event_type, registry.types)
    if version not in versions:
        raise unknown_version(where, event_type, version, versions)
    fields = _parsed(payload, where) if isinstance(payload, str) else payload
    newest, fields = registry.upcast(event_type, version, fields)
    model = versions[newest]
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise bad_field(
            where,
            event_type,
            {"payload": fields},
            _in_envelope(error),
            problems=lambda event: _problems(model, event),
            known={("payload",): model.model_fields},
        ) from None


def _parsed(text: str, where: Where) -> dict[str, Any]:
    try:
        fields = from_json(text)
    except ValueError as error:
        raise not_json(where, text.encode(errors="surrogatepass"), str(error)) from None
    if not isinstance(fields, dict):
        raise InvalidEventError(where, f"payload is {shown(fields)}; expected a JSON object", field="payload")
    return fields


def _problems(model: type[Payload], event: Any) -> list[ErrorDetails]:
    try:
        model.model_validate(event["payload"])
    except ValidationError as error:
        return _in_envelope(error)
    return []


def _in_envelope(error: ValidationError) -> list[ErrorDetails]:
    """The errors with locations that begin at the envelope, not at the payload."""
    return [{**problem, "loc": ("payload", *problem["loc"])} for problem in error.errors(include_url=False)]
