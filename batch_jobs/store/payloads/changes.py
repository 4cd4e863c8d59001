"""Payloads of changes that are planned for a day."""

from typing import ClassVar, Literal

from batch_jobs.store.payloads.base import Payload
from batch_jobs.store.payloads.fields import Day, Id, JsonObject


class ChangeScheduled(Payload):
    """Fields of an entity to overwrite on a day; null clears one. Judged when applied, not before."""

    type: ClassVar[str] = "change.scheduled"

    change_id: Id
    entity: Literal[
        "employee",
        "employment",
        "org_unit",
        "employment_terms",
        "time_off_policy",
        "allowance_policy",
        "work_time_policy",
    ]
    entity_id: Id
    effective_date: Day
    values: JsonObject


class ChangeCancelled(Payload):
    """The change will not happen."""

    type: ClassVar[str] = "change.cancelled"

    change_id: Id


class ChangeApplied(Payload):
    """The change has happened."""

    type: ClassVar[str] = "change.applied"

    change_id: Id
