"""The types of payload fields: what a value must look like, and the words that say so. No event, no model."""

from collections.abc import Iterator
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Expect:
    """Says in words what a field expects; the words replace whatever its validators would have said."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), custom_error_type="expected", custom_error_message=self.text
        )


def unexpected(text: str) -> PydanticCustomError:
    """The error that a validator of ours raises: `text` goes on from "expected"."""
    return PydanticCustomError("expected", "{text}", {"text": text})


class _FromText:
    """A value that JSON writes as text of one exact shape, and Python also gives ready-made."""

    def __init__(self, shape: str, parsed: CoreSchema, ready: CoreSchema) -> None:
        # The lax parsers also read Unix times and datetimes as dates; the shape lets none of those through.
        text = core_schema.chain_schema([core_schema.str_schema(pattern=shape), parsed])
        self.schema = core_schema.json_or_python_schema(text, core_schema.union_schema([ready, text]))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return self.schema


# Rust regular expressions: $ matches at the very end only, so that a trailing newline does not slip through.
WORKSPACE_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
_NO_CONTROL_CHARACTERS = r"^[\x20-\x7e\u00a0-\U0010ffff]*$"
_ID_CHARACTERS = r"^[\x20-\x7b\x7d\x7e\u00a0-\U0010ffff]*$"
_NO_NUL = r"^[^\x00]*$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# PostgreSQL reads offsets under 16 hours only; the widest in use is 14.
_OFFSET = r"(Z|[+-](0[0-9]|1[0-5]):?[0-5][0-9])"
_INSTANT = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?{_OFFSET}$"

WorkspaceId = Annotated[
    str,
    StringConstraints(pattern=WORKSPACE_ID_PATTERN),
    Expect("1 to 63 characters a-z, 0-9 and -, beginning with a letter or digit"),
]
Id = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=_ID_CHARACTERS),
    Expect("an id: text of 1 to 100 characters without | and control characters"),
]
# Ids that jobs put together from other ids. With 300 characters the longest still fits into an index of PostgreSQL.
MadeId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, pattern=_ID_CHARACTERS),
    Expect("an id: text of 1 to 300 characters without | and control characters"),
]
Key = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=_NO_CONTROL_CHARACTERS),
    Expect("text of 1 to 500 characters without control characters"),
]
# Names go into e-mail subjects and sort keys, where a line break or a tab would do harm.
Name = Key
# A word list of PostgreSQL's full-text search ends at one megabyte; free text must stay far below.
Text = Annotated[
    str,
    StringConstraints(max_length=10_000, pattern=_NO_NUL),
    Expect("text of at most 10,000 characters without the character NUL"),
]
Email = Annotated[
    str,
    StringConstraints(max_length=320, pattern=r"^([^\s@\x00-\x1f\x7f-\x9f]+@[^\s@\x00-\x1f\x7f-\x9f]+)?$"),
    Expect('an e-mail address, or "" when there is none'),
]

Day = Annotated[
    date,
    _FromText(_DAY, core_schema.date_schema(strict=False), core_schema.date_schema(strict=True)),
    Expect("a date of the calendar, YYYY-MM-DD"),
]
Instant = Annotated[
    datetime,
    _FromText(
        _INSTANT,
        core_schema.datetime_schema(strict=False),
        core_schema.datetime_schema(strict=True, tz_constraint="aware"),
    ),
    Expect("a point in time with its offset from UTC, such as 2026-11-02T08:00:00+01:00"),
]

Flag = Annotated[bool, Expect("true or false")]
DayMinutes = Annotated[int, Field(ge=0, le=1440), Expect("a whole number of minutes, 0 to 1440")]
# The day on which summer time ends has 25 hours, and there are people on duty for all of them.
EnteredMinutes = Annotated[int, Field(ge=0, le=1500), Expect("a whole number of minutes, 0 to 1500")]
WeekMinutes = Annotated[int, Field(ge=0, le=10_080), Expect("a whole number of minutes, 0 to 10080")]
PositiveWeekMinutes = Annotated[int, Field(ge=1, le=10_080), Expect("a whole number of minutes, 1 to 10080")]
# Bounded so that neither a cast to a 4-byte integer nor a sum over years can overflow.
Amount = Annotated[int, Field(ge=0, le=1_000_000_000), Expect("a whole number, 0 to 1000000000")]
SignedAmount = Annotated[
    int, Field(ge=-1_000_000_000, le=1_000_000_000), Expect("a whole number, -1000000000 to 1000000000")
]
AbsenceFraction = Annotated[
    float, Field(gt=0, le=1, allow_inf_nan=False), Expect("a number above 0 and at most 1, such as 0.5")
]
HolidayFraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Expect("a number from 0 to 1, such as 0.5")]


def _monday(day: date) -> date:
    if day.weekday() != 0:
        raise unexpected("the date of a Monday, YYYY-MM-DD")
    return day


Monday = Annotated[Day, AfterValidator(_monday)]


@cache
def _time_zones() -> frozenset[str]:
    from zoneinfo import available_timezones

    # What these two mean depends on the machine, or is nothing at all.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        close = get_close_matches(name[:100], _time_zones(), n=1)
        raise unexpected("an IANA time zone, such as " + (close[0] if close else "Europe/Copenhagen"))
    return name


TimeZone = Annotated[Name, AfterValidator(_time_zone)]


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what PostgreSQL's jsonb has no place for, at any depth."""
    for part in _parts(value):
        if isinstance(part, str):
            if "\0" in part:
                raise unexpected(r"text without the character NUL (\u0000), which the database can not hold")
            if not part.isascii() and any("\ud800" <= character <= "\udfff" for character in part):
                raise unexpected("text without lone surrogates (half characters)")
        elif isinstance(part, float):
            if not isfinite(part):
                raise unexpected("finite numbers only")
        elif part is not None and not isinstance(part, int):
            raise unexpected(f"JSON values only, not {type(part).__name__}")
    return value


def _parts(value: Any) -> Iterator[Any]:
    """All keys and plain values inside, whatever the depth (so no recursion)."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield from part
            left.extend(part.values())
        elif isinstance(part, list | tuple):
            left.extend(part)
        else:
            yield part


JsonObject = Annotated[dict[str, Any], AfterValidator(_storable)]
