"""Payloads of the log are read in the newest version, and compared by what they mean."""

import json

import pytest

from batch_jobs.store.bad_events import InvalidEventError
from batch_jobs.store.payloads.registry import Registry
from batch_jobs.store.stored_payloads import read_payload
from batch_jobs_tests.store.examples import EXAMPLES
from batch_jobs_tests.store.payloads.chairs import STEPS, Moved1, Moved2, Moved3

MOVED = Registry([Moved1, Moved2, Moved3], STEPS)


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_text_and_parsed_json_read_the_same(event_type: str) -> None:
    stored = EXAMPLES[event_type]["payload"]
    payload = read_payload(event_type, 1, json.dumps(stored), where="event")
    assert payload == read_payload(event_type, 1, stored, where="event")
    assert payload.type == event_type
    assert json.loads(payload.as_given()) == stored


def test_an_old_version_is_read_as_the_newest() -> None:
    newest = Moved3(chair_id="c-1", room_id="hall")
    assert read_payload("chair.moved", 1, '{"chair":"c-1"}', where="event", registry=MOVED) == newest
    assert read_payload("chair.moved", 2, {"chair_id": "c-1"}, where="event", registry=MOVED) == newest


def test_a_default_spelled_out_means_the_same() -> None:
    short = {"project_id": "p", "name": "N", "status": "active"}
    spelled_out = {**short, "requires_approval": False, "description": None}
    assert read_payload("project.defined", 1, short, where="a") == read_payload(
        "project.defined", 1, spelled_out, where="b"
    )


@pytest.mark.parametrize(
    ("event_type", "version", "payload", "text"),
    [
        ("time.remove", 1, "{}", 'event e-7: type is "time.remove", which is no event type; did you mean time.removed'),
        ("time.removed", 2, "{}", "event e-7: time.removed: version is 2; expected 1; a later release"),
        ("time.removed", 1, "{", "event e-7: not valid JSON: EOF while parsing an object"),
        ("time.removed", 1, "[]", "event e-7: payload is []; expected a JSON object"),
        ("time.removed", 1, "{}", "event e-7: time.removed: payload.entry_id is missing; expected an id: "),
        (
            "time.removed",
            1,
            {"entry_id": "t", "employee_id": 5},
            "event e-7: time.removed: payload.employee_id is 5; expected an id: ",
        ),
        (
            "time.removed",
            1,
            {"entry_id": "t", "employe_id": "e"},
            'event e-7: time.removed: payload.employe_id is "e", which is no field here; did you mean employee_id?',
        ),
    ],
)
def test_what_can_not_be_read_is_named(event_type: str, version: int, payload: object, text: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        read_payload(event_type, version, payload, where="event e-7")  # type: ignore[arg-type]
    assert str(caught.value).startswith(text)
