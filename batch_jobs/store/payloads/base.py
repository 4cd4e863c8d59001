"""What all payloads share: strict, unchangeable, quick to write as JSON. No field of any event."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from batch_jobs.store.payloads.fields import Day


class Part(BaseModel):
    """A piece of a payload: unknown fields and near-miss types ("12" for 12, true for 1) are refused."""

    # Built at first use, so that a command that reads two types does not pay for all.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


class Payload(Part):
    """What happened, as one version of one event type says it.

    Two payloads of one class are equal when they mean the same, whatever the sender left out.

    Attributes:
        type: the event type, such as `time.entered`.
        version: the version of that type's payload, counted from 1.
    """

    type: ClassVar[str]
    version: ClassVar[int] = 1

    def to_json(self) -> str:
        """Compact JSON with the defaults filled in and empty optional fields left out: what a job records."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True).decode()

    def as_given(self) -> str:
        """Compact JSON with just the fields that were given, empty ones too: what a sender wrote."""
        return self.__pydantic_serializer__.to_json(self, exclude_unset=True).decode()


class EntityDefined(Payload):
    """A payload that carries a whole entity, in force from a day on or, without one, for all days.

    Attributes:
        id_field: the name of the field that holds the entity's id.
    """

    id_field: ClassVar[str]

    effective_date: Day | None = None
