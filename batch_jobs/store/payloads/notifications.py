"""Payloads of messages to users."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Id, JsonObject, Key

Channel = Literal["in_app", "email"]
Channels = Annotated[tuple[Channel, ...], Field(min_length=1, strict=False)]


class NotificationCreated(Payload):
    """A message to one user; of those with one `dedup_key` the first counts."""

    type: ClassVar[str] = "notification.created"

    notification_id: Id
    user_id: Id
    kind: Key
    channels: Channels
    data: JsonObject
    dedup_key: Key


class NotificationRead(Payload):
    """The user has seen it."""

    type: ClassVar[str] = "notification.read"

    notification_id: Id
    user_id: Id


class NotificationDismissed(Payload):
    """The user wants it gone."""

    type: ClassVar[str] = "notification.dismissed"

    notification_id: Id
    user_id: Id


class NotificationPurged(Payload):
    """Its retention is over."""

    type: ClassVar[str] = "notification.purged"

    notification_id: Id
    user_id: Id
