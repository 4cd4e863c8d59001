"""Reads the data of a notification, which an application may have written, as templates may rely on it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from batch_jobs.errors import BatchJobsError
from batch_jobs.mail import kinds
from batch_jobs.mail.shown import one_line


class UnreadableNotificationError(BatchJobsError):
    """No message can be made of a notification: its kind is unknown, or its data is not what the kind has."""


def read_data(kind: str, data: object) -> Mapping[str, Any]:
    """The fields of the kind, checked; texts are on one line. Further fields are left out.

    Raises:
        UnreadableNotificationError: the kind has no messages, or a field is missing or of the wrong shape; the text
            names it.
    """
    expected = kinds.DATA.get(kind)
    if expected is None:
        raise UnreadableNotificationError(
            f'notification kind "{one_line(kind)}" has no message; expected one of {", ".join(sorted(kinds.DATA))}: '
            "leave the channel email out for other kinds"
        )
    try:
        found: Mapping[str, Any] = _reader(expected).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        given = "" if first["type"] == "missing" else f" is {one_line(repr(first['input']))[:80]}"
        raise UnreadableNotificationError(
            f"notification of kind {kind}: {f'field {place}' if place else 'its data'}{given}: {first['msg']}; "
            "correct the data of its notification.created"
        ) from None
    return found


def addressee(data: Mapping[str, Any]) -> str:
    """The name of whom a notification is for; empty when its data has none."""
    return str(data.get("employee_name") or data.get("manager_name") or "")


@cache
def _reader(shape: type) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
