"""Why a line or an event as a whole was refused, said to the person who has to mend it. Fields are in `bad_fields`."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from batch_jobs.errors import BadInputError

# The number of a line, or a name for another place.
Where = int | str

_LONGEST_VALUE = 60

# What files of other encodings and formats begin with.
_SIGNATURES = {
    b"\xff\xfe": "it is UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "it is UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "it is compressed by gzip; unpack it first",
    b"PK\x03\x04": "it is a zip archive; unpack it first",
}

_CUT = "the file may have been cut in the middle of a line, or an object written over several lines"


class InvalidEventError(BadInputError):
    """An event that can not be taken: the text names the place, the field, its value and what was expected.

    Attributes:
        where: `line 12` of a file, or what else the reader was told to call the place.
        field: the path of the field, such as `payload.norm[0][6]`; empty when the whole line is at fault.
    """

    def __init__(self, where: Where, problem: str, *, field: str = "") -> None:
        self.where = f"line {where}" if isinstance(where, int) else where
        self.field = field
        super().__init__(f"{self.where}: {problem}")


def not_json(where: Where, line: bytes, reason: str) -> InvalidEventError:
    """A line that is no JSON, or no text at all; `reason` is the parser's."""
    for signature, remedy in _SIGNATURES.items():
        if line.startswith(signature):
            return InvalidEventError(where, f"not valid JSON: {remedy}")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return InvalidEventError(where, f"not valid JSON: its last character is incomplete; {_CUT}")
        return InvalidEventError(
            where, f"not valid UTF-8: byte {error.start + 1} is 0x{line[error.start]:02x}; save the file as UTF-8"
        )
    if b"\0" in line:
        return InvalidEventError(where, "not valid JSON: it holds NUL bytes; if it is UTF-16 text, save it as UTF-8")
    reason = reason.replace(" at line 1 column ", " at column ")
    if reason.startswith("EOF"):
        return InvalidEventError(where, f"not valid JSON: {reason}; {_CUT}")
    if "surrogate" in reason or "hex escape" in reason:
        reason += r"; a \u escape of half a character can not be stored"
    return InvalidEventError(where, f"not valid JSON: {reason}; expected one JSON object a line")


def unknown_type(where: Where, event_type: object, types: Iterable[str]) -> InvalidEventError:
    """A type that is no text or not in the catalogue."""
    known = sorted(types)
    if not isinstance(event_type, str):
        return InvalidEventError(where, f"type is {shown(event_type)}; expected text, such as {known[0]}", field="type")
    close = get_close_matches(event_type[:100], known, n=3)
    if not close:
        close = [name for name in known if name.partition(".")[0] == event_type.partition(".")[0]]
    remedy = f"did you mean {either(close)}?" if close else f"expected {either(known)}"
    return InvalidEventError(where, f"type is {shown(event_type)}, which is no event type; {remedy}", field="type")


def unknown_version(where: Where, event_type: str, version: object, versions: Iterable[int]) -> InvalidEventError:
    """A version that no model reads."""
    known = sorted(versions)
    remedy = f"expected {either([str(number) for number in known])}"
    if type(version) is int and version > known[-1]:
        remedy += "; a later release wrote this: install that to read it"
    return InvalidEventError(where, f"{event_type}: version is {shown(version)}; {remedy}", field="version")


def shown(value: Any) -> str:
    """A value as JSON, cut to a length that fits a line, with nothing in it that a terminal would obey."""
    return printable(json.dumps(value, ensure_ascii=False, default=str))


def printable(text: str) -> str:
    """Text cut to a length that fits a line, its control characters as escapes."""
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 1] + "…"
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def either(names: list[str]) -> str:
    """`a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
