"""Payloads of time entries."""

from typing import ClassVar

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Day, EnteredMinutes, Id


class TimeEntered(Payload):
    """Time spent. The same `entry_id` again replaces it: that, and no negative entry, is how it is corrected."""

    type: ClassVar[str] = "time.entered"

    entry_id: Id
    employee_id: Id
    date: Day
    activity_id: Id
    project_id: Id | None = None
    minutes: EnteredMinutes


class TimeRemoved(Payload):
    """The entry was a mistake."""

    type: ClassVar[str] = "time.removed"

    entry_id: Id
    employee_id: Id
