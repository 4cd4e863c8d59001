"""What each type of field takes and refuses, from JSON and from Python alike."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from batch_jobs.store.payloads import fields

TAKEN = [
    (fields.WorkspaceId, ["a", "7", "acme-2", "x" * 63]),
    (fields.Id, ["e-12/2", "é", "李雷", " ", "a,b[c]", "x" * 100, "\u00a0"]),
    (fields.MadeId, ["x" * 300]),
    (fields.Name, ["O'Brien", "x" * 500]),
    (fields.Text, ["", "two\nlines\tand a tab", "x" * 10_000, "👩‍🚀"]),
    (fields.Email, ["", "a@b", "søren@nordlys.example"]),
    (fields.Day, ["2024-02-29", "0001-01-01", "9999-12-31", "0206-03-01"]),
    (fields.Monday, ["2026-11-23"]),
    (
        fields.Instant,
        [
            "2026-11-02T08:00:00+01:00",
            "2026-11-02T08:00Z",
            "2026-11-02T08:00:00.123456-0530",
            "2026-11-02T08:00:00.123456789+14:00",
        ],
    ),
    (fields.DayMinutes, [0, 1440]),
    (fields.EnteredMinutes, [0, 1500]),
    (fields.SignedAmount, [-1_000_000_000, 0, 1_000_000_000]),
    (fields.AbsenceFraction, [0.5, 1.0, 1, 0.001]),
    (fields.HolidayFraction, [0, 0.0, 0.5, 1]),
    (fields.TimeZone, ["Europe/Copenhagen", "UTC", "Pacific/Honolulu"]),
    (fields.JsonObject, [{}, {"a": [1, None, {"b": "\n\\u0000"}], "": 1e300, "big": 10**30}]),
]

REFUSED = [
    (fields.WorkspaceId, ["", "Acme", "-a", "a_b", "a|b", "x" * 64, "acme\n", "é"]),
    (fields.Id, ["", "a|b", "a\nb", "a\0", "\x80", "x" * 101, "a\n", None, 5]),
    (fields.MadeId, ["x" * 301]),
    (fields.Name, ["", "a\tb", "a\r\nBcc: x", "x" * 501]),
    (fields.Text, ["\0", "x" * 10_001]),
    (fields.Email, ["n/a", "a b@c", "a@b\nBcc: x", "@", "a@b@c"]),
    (
        fields.Day,
        ["2026-02-30", "2026-13-01", "0000-01-01", "26-01-01", "2026-01-01T00:00:00", "1767225600", "", 20260101],
    ),
    (fields.Monday, ["2026-11-24", "2026-02-30"]),
    (
        fields.Instant,
        [
            "2026-11-02T08:00:00",
            "2026-11-02",
            "2026-11-02 08:00:00+01:00",
            "2026-11-02T24:00:00Z",
            "2026-02-30T08:00:00Z",
            "2026-11-02T08:00:00+16:00",
            "1767225600",
            1767225600,
            1767225600.5,
        ],
    ),
    (fields.DayMinutes, [-1, 1441, 1.0, "5", True, None]),
    (fields.EnteredMinutes, [-1, 1501]),
    (fields.SignedAmount, [-1_000_000_001, 10**30]),
    (fields.AbsenceFraction, [0, 0.0, -0.5, 1.01, "0.5", True, float("nan"), float("inf")]),
    (fields.HolidayFraction, [-0.1, 1.1, float("nan")]),
    (fields.TimeZone, ["Europe/Kopenhagen", "localtime", "+01:00", "../etc/passwd"]),
    (
        fields.JsonObject,
        [[], "x", {"a": "\0"}, {"a": [{"\0": 1}]}, {"a": float("nan")}, {"a": [float("-inf")]}],
    ),
]


def flat(table: list[tuple[Any, list[Any]]]) -> list[Any]:
    return [pytest.param(kind, value, id=repr(value)[:40]) for kind, values in table for value in values]


@pytest.mark.parametrize(("kind", "value"), flat(TAKEN))
def test_takes(kind: Any, value: Any) -> None:
    adapter = TypeAdapter(kind, config={"strict": True})
    assert adapter.validate_json(json.dumps(value)) == adapter.validate_python(value)


@pytest.mark.parametrize(("kind", "value"), flat(REFUSED))
def test_refuses(kind: Any, value: Any) -> None:
    adapter = TypeAdapter(kind, config={"strict": True})
    for attempt in (lambda: adapter.validate_json(json.dumps(value)), lambda: adapter.validate_python(value)):
        with pytest.raises(ValidationError) as caught:
            attempt()
        assert caught.value.error_count() == 1
        assert caught.value.errors()[0]["type"] in {"expected", "dict_type"}


def test_python_values_are_taken_ready_made() -> None:
    assert TypeAdapter(fields.Day).validate_python(date(2026, 1, 1)) == date(2026, 1, 1)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert TypeAdapter(fields.Instant).validate_python(noon) == noon


@pytest.mark.parametrize("wrong", [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)])  # noqa: DTZ001
def test_a_point_in_time_is_no_day(wrong: datetime) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Day).validate_python(wrong)


def test_a_point_in_time_without_offset_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Instant).validate_python(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("value", ["half \ud800", {"a": "half \udc00"}, {"half \ud800": 1}, {"a": {1, 2}}, {"a": b"b"}])
def test_what_python_could_hold_but_the_database_not_is_refused(value: Any) -> None:
    kind: Any = fields.JsonObject if isinstance(value, dict) else fields.Text
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_an_unknown_time_zone_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="Europe/Copenhagen"):
        TypeAdapter(fields.TimeZone).validate_python("Europe/Kopenhagen")
