"""The envelope of an event: JSON lines in, checked records out, and back. What events say is in `payloads`."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import Field, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, SchemaValidator, core_schema, from_json, to_json

from batch_jobs.store.bad_events import InvalidEventError, Where, not_json, shown, unknown_type, unknown_version
from batch_jobs.store.bad_fields import bad_field
from batch_jobs.store.payloads.base import Part, Payload
from batch_jobs.store.payloads.catalog import REGISTRY
from batch_jobs.store.payloads.fields import Expect, Id, Instant, Name, WorkspaceId
from batch_jobs.store.payloads.registry import Registry

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

P = TypeVar("P", bound=Payload)


class EventRecord(NamedTuple):
    """One event as the log stores it, in the order of the log's columns.

    Attributes:
        workspace_id: whose event it is.
        event_id: unique in the workspace.
        type: the event type.
        version: the version of the payload.
        occurred_at: when it happened, in UTC.
        actor: who did it, such as `user:u-7` or `job:accrual_forecast`.
        employee_id: the one employee it is about, if any.
        targets: other employees concerned.
        payload: JSON text, of an imported event as its sender wrote it: without defaults filled in.
    """

    workspace_id: str
    event_id: UUID
    type: str
    version: int
    occurred_at: datetime
    actor: str
    employee_id: str | None
    targets: list[str]
    payload: str

    @classmethod
    def of(
        cls,
        payload: Payload,
        *,
        workspace_id: str,
        event_id: UUID,
        occurred_at: datetime,
        actor: str,
        targets: Iterable[str] = (),
    ) -> "EventRecord":
        """The record of an event that a job writes. `occurred_at` has an offset; the employee is the payload's."""
        return cls(
            workspace_id,
            event_id,
            payload.type,
            payload.version,
            occurred_at.astimezone(UTC),
            actor,
            vars(payload).get("employee_id"),
            list(targets),
            payload.to_json(),
        )

    def to_line(self) -> str:
        """The event as a line of an export file, without the line break."""
        envelope: dict[str, Any] = self._asdict()
        del envelope["payload"]
        if self.employee_id is None:
            del envelope["employee_id"]
        return f'{to_json(envelope).decode()[:-1]},"payload":{self.payload}}}'


class _Envelope(Part, Generic[P]):
    """One line of a file, with the payload of one type and version."""

    workspace_id: WorkspaceId
    event_id: Annotated[UUID, Field(strict=False), Expect("a UUID, such as 9b2f6c1e-0d5a-5e57-8c1b-4a7f3e2d1c00")]
    type: str
    version: Annotated[int, Expect("a whole number")]
    occurred_at: Instant
    actor: Name
    employee_id: Id | None = None
    targets: list[Id] = Field(default_factory=list)
    payload: P


class EventReader:
    """Reads events of the types and versions that a registry knows.

    One validator for all of them takes a line in one go, in three quarters of the time of parsing it first.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        by_type: dict[str, CoreSchema] = {}
        for event_type in registry.types:
            by_version = {version: _schema(model) for version, model in registry.versions(event_type).items()}
            by_type[event_type] = core_schema.tagged_union_schema(by_version, "version")
        self._validator = SchemaValidator(core_schema.tagged_union_schema(by_type, "type"))

    def read(self, line: bytes, *, where: Where = "event") -> EventRecord:
        """Read one event.

        Args:
            line: JSON in UTF-8.
            where: the number of its line, or what else an error should call it.

        Raises:
            InvalidEventError: it is no event, or none that the registry knows.
        """
        try:
            event = self._validator.validate_json(line)
        except ValidationError as error:
            raise self._refusal(error, line, where) from None
        return _record(event, where)

    def read_lines(self, lines: Iterable[bytes], *, first_line: int = 1) -> Iterator[EventRecord]:
        """Read a file line by line, passing over empty lines and a byte order mark at its beginning.

        Args:
            lines: the file opened in binary mode, or a part of it.
            first_line: the number of the first line, for errors.

        Raises:
            InvalidEventError: at the first line that is no event; the text names its number.
        """
        for number, line in enumerate(lines, first_line):
            text = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
            try:
                event = self._validator.validate_json(text)
            except ValidationError as error:
                if text.isspace() or not text:
                    continue
                raise self._refusal(error, text, number) from None
            yield _record(event, number)

    def _refusal(self, error: ValidationError, line: bytes, where: Where) -> InvalidEventError:
        problem = error.errors(include_url=False)[0]
        if problem["type"] == "json_invalid":
            return not_json(where, line, problem["ctx"]["error"])
        event = from_json(line)
        if not isinstance(event, dict):
            return InvalidEventError(where, f"it is {shown(event)}; expected one JSON object a line")
        for name, example in (("type", self._registry.types[0]), ("version", 1)):
            if name not in event:
                return InvalidEventError(where, f"{name} is missing; expected one, such as {example}", field=name)
        versions = self._registry.versions(event["type"]) if isinstance(event["type"], str) else {}
        if not versions:
            return unknown_type(where, event["type"], self._registry.types)
        version = event["version"]
        if type(version) is not int or version not in versions:
            return unknown_version(where, event["type"], version, versions)
        return bad_field(
            where,
            event["type"],
            event,
            _without_tags(error),
            problems=self._problems,
            known={(): _Envelope.model_fields, ("payload",): versions[version].model_fields},
        )

    def _problems(self, event: Any) -> list[ErrorDetails]:
        try:
            self._validator.validate_python(event)
        except ValidationError as error:
            return _without_tags(error)
        return []


@cache
def event_reader() -> EventReader:
    """The reader of all the product's events, built at first use (some 0.1 s)."""
    return EventReader(REGISTRY)


def _schema(model: type[Payload]) -> CoreSchema:
    envelope = _Envelope[model]  # type: ignore[valid-type]
    envelope.model_rebuild()
    return envelope.__pydantic_core_schema__


def _without_tags(error: ValidationError) -> list[ErrorDetails]:
    """The errors with locations that begin at the envelope, not at the union's tags, type and version."""
    return [{**problem, "loc": problem["loc"][2:]} for problem in error.errors(include_url=False)]


def _record(event: _Envelope[Payload], where: Where) -> EventRecord:
    payload = event.payload
    employee_id = event.employee_id
    about = vars(payload).get("employee_id")
    if about != employee_id:
        if employee_id and about:
            raise InvalidEventError(
                where,
                f"{event.type}: employee_id is {shown(employee_id)}; expected {shown(about)}, "
                "the employee of the payload, or to be left out",
                field="employee_id",
            )
        employee_id = employee_id or about
    try:
        occurred_at = event.occurred_at.astimezone(UTC)
    except OverflowError:
        raise InvalidEventError(
            where,
            f"{event.type}: occurred_at is {shown(event.occurred_at.isoformat())}; expected the years 1 to 9999 in UTC",
            field="occurred_at",
        ) from None
    return EventRecord(
        event.workspace_id,
        event.event_id,
        event.type,
        event.version,
        occurred_at,
        event.actor,
        employee_id,
        event.targets,
        payload.as_given(),
    )
