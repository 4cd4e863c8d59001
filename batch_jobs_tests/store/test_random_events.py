"""Whatever a file holds, it is an event or it is refused with the one error that a person can read."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.bad_events import InvalidEventError
from batch_jobs.store.envelope import EventRecord, event_reader
from batch_jobs.store.stored_payloads import read_payload
from batch_jobs_tests.store.examples import EXAMPLES

# Everything that Python writes as JSON: NUL, half characters, NaN and huge numbers too.
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**25, max_value=10**30)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["2026-02-29", "2024-02-29", "e-1", "monthly", "\0", "\ud800", "a|b", "2026-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def spoilt_events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event with some random changes, so that they reach deep into the payload."""
    event = deepcopy(EXAMPLES[draw(st.sampled_from(sorted(EXAMPLES)))])
    for _ in range(draw(st.integers(1, 3))):
        inside: Any = event
        while True:
            keys = sorted(inside, key=str) if isinstance(inside, dict) else list(range(len(inside)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(inside[key], dict | list) and draw(st.booleans()):
                inside = inside[key]
                continue
            change = draw(st.sampled_from(["replace", "drop", "add"]))
            if change == "drop":
                del inside[key]
            elif change == "replace" or isinstance(inside, list):
                inside[key] = draw(anything)
            else:
                inside[draw(st.text(st.characters(), max_size=8))] = draw(anything)
            break
    return event


def exact(text: str) -> Any:
    """JSON with its numbers as they are written: PostgreSQL writes 5.4e16 as an integer, which is no other number."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def read(line: bytes) -> EventRecord | None:
    try:
        return event_reader().read(line, where=7)
    except InvalidEventError as error:
        text = str(error)
        assert text.startswith("line 7: ")
        assert all(character.isprintable() for character in text), "one line, nothing that a terminal would obey"
        assert len(text) < 1_500
        return None


@given(anything)
@settings(max_examples=300)
def test_any_json(value: Any) -> None:
    assert read(json.dumps(value).encode()) is None


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes(line: bytes) -> None:
    assert read(line) is None


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_any_cut(event_type: str, data: st.DataObject) -> None:
    line = json.dumps(EXAMPLES[event_type], ensure_ascii=False).encode()
    assert read(line[: data.draw(st.integers(0, len(line) - 1))]) is None


@given(spoilt_events())
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_an_event(event: dict[str, Any]) -> None:
    record = read(json.dumps(event).encode())
    if record is None:
        return
    assert event_reader().read(record.to_line().encode()) == record
    assert json.loads(record.payload) == event["payload"]
    payload = read_payload(record.type, record.version, record.payload, where="event")
    assert read_payload(record.type, record.version, payload.to_json(), where="event") == payload


@pytest.fixture(scope="module")
def database(servers: Any) -> Any:
    databases = servers.of("embedded")
    url = databases.make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
    databases.drop_database(url)


@given(spoilt_events() | st.sampled_from(list(EXAMPLES.values())))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_accepted_the_database_can_hold(database: psycopg.Connection[Any], event: dict[str, Any]) -> None:
    record = read(json.dumps(event).encode())
    if record is None:
        return
    stored = database.execute(
        "SELECT %s::text, %s::uuid, %s::timestamptz, %s::text, %s::text[], %s::jsonb::text",
        [record.workspace_id, record.event_id, record.occurred_at, record.employee_id, record.targets, record.payload],
    ).fetchone()
    assert stored is not None
    assert exact(stored[5]) == exact(json.dumps(event["payload"]))
