"""Each type is refused with an error that names field, value and expectation, wherever its example is spoilt."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from batch_jobs.store.bad_events import InvalidEventError, shown
from batch_jobs.store.envelope import event_reader
from batch_jobs.store.payloads.catalog import REGISTRY
from batch_jobs_tests.store.examples import EXAMPLES

Path = tuple[str | int, ...]

# Open objects: what is inside them is the sender's own.
OPEN = {("change.scheduled", "values"), ("notification.created", "data")}


def leaves(value: Any, event_type: str, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each plain value of an example with its place."""
    if path and (event_type, path[0]) in OPEN:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, event_type, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from leaves(part, event_type, (*path, number))
    else:
        yield path, value


def spelled(path: Path) -> str:
    return "payload" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def near_misses(value: Any) -> list[Any]:
    """Values of another type that a lax parser would take for this one, and some that none would."""
    wrong: list[Any] = [{"wrong": 1}, [value]]
    if isinstance(value, bool):
        return [*wrong, str(value).lower(), int(value), None]
    if isinstance(value, int):
        return [*wrong, str(value), float(value), True, value + 0.5, 10**20]
    if isinstance(value, float):
        return [*wrong, str(value), True, float("nan"), float("inf"), 2, None]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return [
            *wrong,
            "2026-02-30",
            "2026-2-3",
            value + "T00:00:00",
            "20261120",
            "1767225600",
            1767225600,
            value + "\n",
        ]
    return [*wrong, 5, False, "nul\0"]


PLACES = [
    pytest.param(event_type, path, value, id=f"{event_type} {spelled(path)}")
    for event_type, event in EXAMPLES.items()
    for path, value in leaves(event["payload"], event_type)
]


def with_value(event: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    changed = deepcopy(event)
    inside: Any = changed["payload"]
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return changed


def refusal(event: dict[str, Any]) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        event_reader().read(json.dumps(event).encode(), where=12)
    return caught.value


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_the_example_is_kept_as_its_sender_wrote_it(event_type: str) -> None:
    event = EXAMPLES[event_type]
    record = event_reader().read(json.dumps(event).encode())
    assert json.loads(record.payload) == event["payload"]
    assert record.type == event_type


@pytest.mark.parametrize(("event_type", "path", "value"), PLACES)
def test_a_wrong_value_is_named_with_its_field_and_what_was_expected(event_type: str, path: Path, value: Any) -> None:
    for wrong in near_misses(value):
        error = refusal(with_value(EXAMPLES[event_type], path, wrong))
        text = str(error)
        if path[-1] == "plugin":
            assert error.field == "payload.accrual"
            assert "'plugin' one of 'monthly', 'yearly', 'danish_vacation'" in text
        else:
            assert text.startswith(f"line 12: {event_type}: {spelled(path)} is {shown(wrong)}; expected "), wrong
        assert error.where == "line 12"


@pytest.mark.parametrize(
    ("event_type", "field"),
    [
        (event_type, field)
        for event_type in REGISTRY.types
        for field, described in REGISTRY.versions(event_type)[1].model_fields.items()
        if described.is_required()
    ],
)
def test_a_missing_field_is_named_with_what_was_expected(event_type: str, field: str) -> None:
    event = deepcopy(EXAMPLES[event_type])
    value = event["payload"].pop(field)
    text = str(refusal(event))
    assert text.startswith(f"line 12: {event_type}: payload.{field} is missing; expected ")
    # The same words as for a value that nothing accepts.
    event["payload"][field] = {"wrong": 1} if not isinstance(value, dict) else 5
    assert str(refusal(event)).endswith(text.partition("; expected ")[2])


@pytest.mark.parametrize(
    ("event_type", "field"),
    [
        (event_type, field)
        for event_type in REGISTRY.types
        for field, described in REGISTRY.versions(event_type)[1].model_fields.items()
        if not described.is_required()
    ],
)
def test_an_optional_field_may_be_left_out(event_type: str, field: str) -> None:
    event = deepcopy(EXAMPLES[event_type])
    del event["payload"][field]
    if field == "country":
        del event["payload"]["subdivision"]
    record = event_reader().read(json.dumps(event).encode())
    assert json.loads(record.payload) == event["payload"], "nothing is filled in"


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_an_unknown_field_is_named(event_type: str) -> None:
    event = deepcopy(EXAMPLES[event_type])
    event["payload"]["surprise"] = 1
    error = refusal(event)
    assert str(error).startswith(f"line 12: {event_type}: payload.surprise is 1, which is no field here; ")
    assert error.field == "payload.surprise"


@pytest.mark.parametrize(
    ("event_type", "field"),
    [
        (event_type, field)
        for event_type, event in EXAMPLES.items()
        for field in event["payload"]
        if field.endswith("_id") or field == "by"
    ],
)
def test_a_bad_id_is_named(event_type: str, field: str) -> None:
    for wrong in ("", "a|b", "a\tb", "a\x7f", "a\x9f", "x" * 301):
        text = str(refusal(with_value(EXAMPLES[event_type], (field,), wrong)))
        assert text.startswith(
            f"line 12: {event_type}: payload.{field} is {shown(wrong)}; expected an id: text of 1 to "
        )
