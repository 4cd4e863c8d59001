"""Payloads of what time is spent on: activities and projects."""

from typing import ClassVar, Literal

from batch_jobs.store.payloads.base import EntityDefined
from batch_jobs.store.payloads.fields import Day, Flag, Id, Name, Text


class ActivityDefined(EntityDefined):
    """A kind of work, absence or allowance, in a tree."""

    type: ClassVar[str] = "activity.defined"
    id_field: ClassVar[str] = "activity_id"

    activity_id: Id
    name: Name
    kind: Literal["work", "time_off", "non_work", "allowance"]
    parent_id: Id | None = None


class ProjectDefined(EntityDefined):
    """A project that time entries can name."""

    type: ClassVar[str] = "project.defined"
    id_field: ClassVar[str] = "project_id"

    project_id: Id
    name: Name
    description: Text | None = None
    status: Literal["planned", "active", "on_hold", "closed"]
    manager_id: Id | None = None
    requires_approval: Flag = False
    start_date: Day | None = None
    end_date: Day | None = None
