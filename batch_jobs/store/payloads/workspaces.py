"""Payloads of a workspace's own life."""

from typing import ClassVar, Literal

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Id, Name, TimeZone

Locale = Literal["en", "da", "fr"]


class WorkspaceCreated(Payload):
    """A company begins to use the product."""

    type: ClassVar[str] = "workspace.created"

    name: Name
    timezone: TimeZone
    default_holiday_calendar_id: Id | None = None
    locale: Locale = "en"


class WorkspaceSuspended(Payload):
    """Jobs pass the workspace over from here on."""

    type: ClassVar[str] = "workspace.suspended"


class WorkspaceResumed(Payload):
    """The end of a suspension."""

    type: ClassVar[str] = "workspace.resumed"


class WorkspaceDeleted(Payload):
    """The workspace is gone for its people; its rows are purged after their retention."""

    type: ClassVar[str] = "workspace.deleted"
