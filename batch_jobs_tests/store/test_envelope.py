"""Lines become records and records lines: the envelope's own rules."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from batch_jobs.store.bad_events import InvalidEventError, shown
from batch_jobs.store.envelope import EventReader, EventRecord, event_reader
from batch_jobs.store.payloads.registry import Registry
from batch_jobs.store.payloads.statements import StatementReady
from batch_jobs_tests.store.examples import EXAMPLES, example
from batch_jobs_tests.store.payloads.chairs import STEPS, Moved1, Moved2, Moved3

FIELDS = ["workspace_id", "event_id", "type", "version", "occurred_at", "actor", "employee_id", "targets", "payload"]


def line(event: Any) -> bytes:
    return json.dumps(event).encode()


def refusal(event: Any) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        event_reader().read(line(event), where=12)
    return caught.value


def enveloped(**fields: Any) -> dict[str, Any]:
    return {**example("time.entered"), **fields}


def test_a_line_becomes_a_record_in_the_order_of_the_columns() -> None:
    record = event_reader().read(line(example("statement.ready")))
    assert EventRecord._fields == tuple(FIELDS)
    assert record == (
        "acme",
        UUID(EXAMPLES["statement.ready"]["event_id"]),
        "statement.ready",
        1,
        datetime(2026, 11, 2, 7, tzinfo=UTC),
        "user:u-7",
        "e-12",
        ["e-3"],
        '{"statement_id":"e-12:2026-11-16:2026-11-22","employee_id":"e-12"}',
    )
    assert record.occurred_at.tzinfo is UTC


@pytest.mark.parametrize("event_type", EXAMPLES)
def test_an_export_reads_back_as_the_same_record(event_type: str) -> None:
    record = event_reader().read(line(EXAMPLES[event_type]))
    exported = record.to_line()
    assert "\n" not in exported
    assert event_reader().read(exported.encode()) == record
    written, read = json.loads(exported), dict(EXAMPLES[event_type])
    assert datetime.fromisoformat(written.pop("occurred_at")) == datetime.fromisoformat(read.pop("occurred_at"))
    assert written == read


def test_the_employee_is_taken_from_the_payload_when_the_envelope_leaves_it_out() -> None:
    event = example("time.entered")
    del event["employee_id"]
    assert event_reader().read(line(event)).employee_id == "e-12"
    assert event_reader().read(line({**event, "employee_id": None})).employee_id == "e-12"


def test_the_employee_of_envelope_and_payload_must_be_the_same() -> None:
    error = refusal(enveloped(employee_id="e-99"))
    assert str(error) == (
        'line 12: time.entered: employee_id is "e-99"; expected "e-12", the employee of the payload, or to be left out'
    )
    assert error.field == "employee_id"


def test_an_employee_that_the_payload_does_not_name_is_kept() -> None:
    event = {**example("user.defined", employee_id=None), "employee_id": "e-5"}
    assert event_reader().read(line(event)).employee_id == "e-5"
    event = {**example("notification.read"), "employee_id": "e-5"}
    assert event_reader().read(line(event)).employee_id == "e-5"
    assert event_reader().read(line(example("notification.read"))).employee_id is None


def test_targets_may_be_left_out() -> None:
    event = example("time.entered")
    del event["targets"]
    assert event_reader().read(line(event)).targets == []


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in {"employee_id", "targets"}])
def test_a_missing_field_is_named(field: str) -> None:
    event = example("time.entered")
    del event[field]
    error = refusal(event)
    assert error.field == field
    assert f"{field} is missing; expected " in str(error)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *(("workspace_id", wrong) for wrong in ("Acme", "a|b", "", 5, None, "x" * 64)),
        *(("event_id", wrong) for wrong in ("", "e-1", 5, None, "5b0c6cf0-6a1c-5f0e-8f0a")),
        *(("occurred_at", wrong) for wrong in ("2026-11-02T08:00:00", "2026-11-02", 1767225600, None, "")),
        *(("actor", wrong) for wrong in ("", "a\nb", 5, None)),
        *(("employee_id", wrong) for wrong in ("", "a|b", 5, [])),
        *(("targets", wrong) for wrong in ("e-3", None, {}, 5)),
        *(("payload", wrong) for wrong in ([], None, "{}", 5)),
        ("surprise", 1),
        ("position", 7),
    ],
)
def test_a_wrong_value_is_named(field: str, wrong: Any) -> None:
    error = refusal(enveloped(**{field: wrong}))
    assert str(error).startswith(f"line 12: time.entered: {field} is {shown(wrong)}")
    assert error.field == field


def test_the_first_bad_target_is_named() -> None:
    assert refusal(enveloped(targets=["e-3", "a|b", ""])).field == "targets[1]"


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_outside_the_calendar_in_utc_is_refused(instant: str) -> None:
    assert str(refusal(enveloped(occurred_at=instant))) == (
        f'line 12: time.entered: occurred_at is "{instant}"; expected the years 1 to 9999 in UTC'
    )


def test_of_a_field_given_twice_the_last_one_counts_as_in_the_database() -> None:
    text = line(example("time.entered")).replace(b'"minutes": 222', b'"minutes": "x", "minutes": 30')
    assert json.loads(event_reader().read(text).payload)["minutes"] == 30


def test_lines_are_counted_with_the_empty_ones() -> None:
    good, bad = line(example("time.entered")), line(example("time.entered", minutes="90"))
    lines = [good + b"\r\n", b"\n", b"  \r\n", good + b"\n", bad + b"\n", b"never read"]
    records = event_reader().read_lines(lines)
    assert next(records) == next(records)
    with pytest.raises(InvalidEventError, match=r'^line 5: time\.entered: payload\.minutes is "90"; expected a whole'):
        next(records)


def test_a_part_of_a_file_is_counted_from_its_first_line() -> None:
    with pytest.raises(InvalidEventError, match=r"^line 1002: "):
        list(event_reader().read_lines([line(example("time.entered")), b"{"], first_line=1001))


def test_a_byte_order_mark_is_accepted_before_the_first_line_only() -> None:
    marked = b"\xef\xbb\xbf" + line(example("time.entered"))
    assert len(list(event_reader().read_lines([marked]))) == 1
    with pytest.raises(InvalidEventError, match=r"^line 2: not valid JSON"):
        list(event_reader().read_lines([marked, marked]))


def test_a_job_makes_a_record_from_a_payload() -> None:
    record = EventRecord.of(
        StatementReady(statement_id="s", employee_id="e-12"),
        workspace_id="acme",
        event_id=UUID(int=1),
        occurred_at=datetime.fromisoformat("2026-11-23T00:00:00+01:00"),
        actor="job:timesheet_statement_reminder",
        targets=["e-3"],
    )
    assert record.occurred_at == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert (record.type, record.version, record.employee_id, record.targets) == ("statement.ready", 1, "e-12", ["e-3"])
    assert event_reader().read(record.to_line().encode()) == record


def test_old_versions_are_read_and_kept_as_they_are() -> None:
    reader = EventReader(Registry([Moved1, Moved2, Moved3], STEPS))
    event = {**example("workspace.suspended"), "type": "chair.moved", "payload": {"chair": "c-1"}}
    assert reader.read(line(event)).payload == '{"chair":"c-1"}'
    third = {**event, "version": 3, "payload": {"chair_id": "c-1", "room_id": "hall"}}
    assert reader.read(line(third)).version == 3
    with pytest.raises(InvalidEventError, match=r"^event: chair\.moved: version is 4; expected 1, 2 or 3; a later"):
        reader.read(line({**event, "version": 4}))
    with pytest.raises(InvalidEventError, match=r"^event: chair\.moved: payload\.chair is .*did you mean chair_id\?"):
        reader.read(line({**event, "version": 2}))


def test_dates_of_other_centuries_and_undefined_references_pass() -> None:
    event = example("time.entered", date=date(206, 3, 1).isoformat(), activity_id="nobody-defined-this")
    assert json.loads(event_reader().read(line(event)).payload)["date"] == "0206-03-01"
