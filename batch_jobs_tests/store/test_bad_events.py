"""Errors of events say what is wrong and what to do, in one line that a person can read."""

import gzip
import json
from typing import Any

import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.store.bad_events import InvalidEventError
from batch_jobs.store.envelope import event_reader
from batch_jobs_tests.store.examples import example

ENTERED = json.dumps(example("time.entered"), ensure_ascii=False).encode()
NAMED = json.dumps(example("employee.defined"), ensure_ascii=False)


def refusal(line: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        event_reader().read(line, where=3)
    assert type(caught.value) is InvalidEventError
    assert caught.value.__cause__ is None
    return str(caught.value)


CUT = "the file may have been cut in the middle of a line, or an object written over several lines"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (ENTERED[:-30], f"line 3: not valid JSON: EOF while parsing an object at column 327; {CUT}"),
        (b"{", f"line 3: not valid JSON: EOF while parsing an object at column 1; {CUT}"),
        (b'{"name": "S\xc3', f"line 3: not valid JSON: its last character is incomplete; {CUT}"),
        (ENTERED + b",", "line 3: not valid JSON: trailing characters at column 358; expected one JSON object a line"),
        (b"{'a': 1}", "line 3: not valid JSON: key must be a string at column 2; expected one JSON object a line"),
        (NAMED.encode("cp1252", "replace"), "line 3: not valid UTF-8: byte 277 is 0xf8; save the file as UTF-8"),
        (NAMED.encode("utf-16"), "line 3: not valid JSON: it is UTF-16 text; save it as UTF-8"),
        (
            NAMED.encode("utf-16-le")[:40],
            "line 3: not valid JSON: it holds NUL bytes; if it is UTF-16 text, save it as UTF-8",
        ),
        (gzip.compress(ENTERED), "line 3: not valid JSON: it is compressed by gzip; unpack it first"),
        (
            rb'{"name": "\ud83d"}',
            "line 3: not valid JSON: unexpected end of hex escape at column 17; "
            r"a \u escape of half a character can not be stored; expected one JSON object a line",
        ),
        (b"[1, 2]", "line 3: it is [1, 2]; expected one JSON object a line"),
        (b'"event"', 'line 3: it is "event"; expected one JSON object a line'),
        (b"null", "line 3: it is null; expected one JSON object a line"),
    ],
)
def test_a_line_that_is_no_event_says_why(line: bytes, text: str) -> None:
    assert refusal(line) == text


def entered(**fields: Any) -> bytes:
    return json.dumps({**example("time.entered"), **fields}).encode()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (entered(type="time.enterd"), "did you mean time.entered, "),
        (entered(type="norm.foo"), "did you mean norm.published?"),
        (entered(type="x"), "expected absence.registered, account.credited, "),
        (entered(type=None), "line 3: type is null; expected text, such as absence.registered"),
        (entered(type=["time.entered"]), 'line 3: type is ["time.entered"]; expected text, such as '),
        (b"{}", "line 3: type is missing; expected one, such as workspace.created"),
        (b'{"type": "time.entered"}', "line 3: version is missing; expected one, such as 1"),
        (entered(version=2), "version is 2; expected 1; a later release wrote this: install that to read it"),
        (entered(version=0), "line 3: time.entered: version is 0; expected 1"),
        (entered(version="1"), 'line 3: time.entered: version is "1"; expected 1'),
        (entered(version=True), "line 3: time.entered: version is true; expected 1"),
        (entered(version=1.0), "line 3: time.entered: version is 1.0; expected 1"),
    ],
)
def test_an_unknown_type_or_version_is_named_with_what_comes_close(line: bytes, text: str) -> None:
    assert text in refusal(line)


def changed(event_type: str, **fields: Any) -> bytes:
    return json.dumps(example(event_type, **fields)).encode()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            changed("time.entered", minute=5),
            "time.entered: payload.minute is 5, which is no field here; did you mean minutes?",
        ),
        (
            changed("time.entered", foo=5),
            "time.entered: payload.foo is 5, which is no field here; "
            "expected entry_id, employee_id, date, activity_id, project_id or minutes",
        ),
        (
            changed("time.entered", minutes=-1, date="x", project_id=""),
            'time.entered: payload.date is "x"; expected a date of the calendar, YYYY-MM-DD (and 2 more in this event)',
        ),
        (
            changed("employment_terms.defined", norm=[[0, 0, 0, 0, 0, 0, 1441]]),
            "employment_terms.defined: payload.norm[0][6] is 1441; expected a whole number of minutes, 0 to 1440",
        ),
        (
            changed("employment_terms.defined", norm=[[0, 0, 0]]),
            "employment_terms.defined: payload.norm[0] is [0, 0, 0]; expected a list of 7 or more; it has 3",
        ),
        (
            changed("employment_terms.defined", norm=[[0] * 7] * 9),
            "employment_terms.defined: payload.norm is "
            "[[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0,…; expected a list of 8 or fewer; it has 9",
        ),
        (
            changed("holiday_calendar.defined", custom_days=[{"date": "2026-12-24"}]),
            "holiday_calendar.defined: payload.custom_days[0].name is missing; "
            "expected text of 1 to 500 characters without control characters",
        ),
        (
            changed("time_off_policy.defined", accrual={"plugin": "yearly"}),
            "time_off_policy.defined: payload.accrual.annual is missing; expected a whole number, 0 to 1000000000",
        ),
        (
            changed("time_off_policy.defined", accrual={"plugin": "danish_vacation", "annual": 3}),
            "time_off_policy.defined: payload.accrual.annual is 3, which is no field here; leave it out",
        ),
        (
            changed("notification.created", channels=["sms"]),
            "notification.created: payload.channels[0] is \"sms\"; expected 'in_app' or 'email'",
        ),
        (
            changed("employee.defined", name="\x1b[31m" + "x" * 500),
            'employee.defined: payload.name is "\\u001b[31m' + "x" * 48 + "…; "
            "expected text of 1 to 500 characters without control characters",
        ),
    ],
)
def test_a_field_is_named_where_it_is(line: bytes, text: str) -> None:
    assert refusal(line) == f"line 3: {text}"


def test_nothing_that_a_terminal_would_obey_is_repeated() -> None:
    text = refusal(changed("employee.defined", **{"\x1b]0;\x9b\u202e": "\x9b\u2028"}))
    assert all(character.isprintable() for character in text)
