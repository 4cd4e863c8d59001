"""An event type with three versions, which the product does not have: what tests show upcasting with."""

from typing import Any, ClassVar

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Id


class Moved1(Payload):
    type: ClassVar[str] = "chair.moved"
    chair: Id


class Moved2(Payload):
    type: ClassVar[str] = "chair.moved"
    version: ClassVar[int] = 2
    chair_id: Id


class Moved3(Payload):
    type: ClassVar[str] = "chair.moved"
    version: ClassVar[int] = 3
    chair_id: Id
    room_id: Id


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    fields["chair_id"] = fields.pop("chair")
    return fields


def in_the_hall(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "room_id": "hall"}


STEPS = {("chair.moved", 1): renamed, ("chair.moved", 2): in_the_hall}
