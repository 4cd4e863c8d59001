"""Which field of an event was refused and what it should have held, from what its validator reports."""

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from batch_jobs.store.bad_events import InvalidEventError, Where, either, printable, shown

Location = tuple[int | str, ...]
Problems = Callable[[Any], list[ErrorDetails]]

_EXPECTATIONS = {
    "model_type": "a JSON object",
    "dict_type": "a JSON object",
    "tuple_type": "a list",
    "list_type": "a list",
    "literal_error": "{expected}",
    "too_short": "a list of {min_length} or more; it has {actual_length}",
    "too_long": "a list of {max_length} or fewer; it has {actual_length}",
    "union_tag_not_found": "a JSON object with the field {discriminator}",
    "union_tag_invalid": "a JSON object with {discriminator} one of {expected_tags}",
}

_NOTHING = object()


def bad_field(
    where: Where,
    event_type: str,
    event: Mapping[str, Any],
    errors: list[ErrorDetails],
    *,
    problems: Problems,
    known: Mapping[Location, Collection[str]],
) -> InvalidEventError:
    """Name one field at fault, and count the others.

    Args:
        where: the line or place of the event.
        event_type: its type.
        event: the event as a JSON parser gives it.
        errors: what its validator reports, with locations that begin at the envelope.
        problems: reports the same about any such event.
        known: the fields of the envelope (at the location `()`) and of the payload.
    """
    # A list that lost a bad item may then be too short as well: the deepest complaints are the cause.
    outer = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    errors = [error for error in errors if error["loc"] not in outer]
    # A misspelt name shows twice, as unknown and as missing: the unknown one explains both.
    error = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    path = field_path(error["loc"], event)
    more = f" (and {len(errors) - 1} more in this event)" if len(errors) > 1 else ""
    if error["type"] == "missing":
        problem = f"is missing; expected {_expected_at(error['loc'], event, problems)}"
    elif error["type"] == "extra_forbidden":
        names = known.get(error["loc"][:-1], ())
        problem = f"is {shown(error['input'])}, which is no field here; {_instead(str(error['loc'][-1]), names)}"
    else:
        problem = f"is {shown(error['input'])}; expected {_expectation(error)}"
    return InvalidEventError(where, f"{event_type}: {path} {problem}{more}", field=path)


def field_path(location: Location, event: Any) -> str:
    """`payload.norm[0][6]` for a location, without the names of union members that no sender wrote."""
    path = ""
    for number, step in enumerate(location, 1):
        inside = _step_into(event, step)
        if inside is _NOTHING and number < len(location):
            continue
        event = inside
        path += f"[{step}]" if isinstance(step, int) else f".{printable(step)}"
    return path.removeprefix(".")


def _step_into(event: Any, step: int | str) -> Any:
    if isinstance(event, Mapping):
        return event.get(step, _NOTHING)
    if isinstance(event, list | tuple) and isinstance(step, int) and step < len(event):
        return event[step]
    return _NOTHING


def _expectation(error: ErrorDetails) -> str:
    """What a validator wanted, in words that go on from "expected"."""
    template = _EXPECTATIONS.get(error["type"])
    if template is None:
        return error["msg"].removeprefix("Input should be ")
    return template.format_map(error.get("ctx", {}))


def _expected_at(location: Location, event: Any, problems: Problems) -> str:
    """What a missing field should hold: what its validator says about a value that nothing accepts."""
    for error in problems(_with(event, location, _NOTHING)):
        if error["loc"] == location:
            return _expectation(error)
    return "a value"


def _with(event: Any, location: Location, value: object) -> Any:
    """A copy of the event with another value at the location."""
    if not location:
        return value
    step, *deeper = location
    if isinstance(event, Mapping):
        if step not in event and deeper:
            return _with(event, tuple(deeper), value)
        return {**event, step: _with(event.get(step), tuple(deeper), value)}
    return [_with(part, tuple(deeper), value) if number == step else part for number, part in enumerate(event)]


def _instead(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name[:100], known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"expected {either(list(known))}" if known else "leave it out"
