"""Payloads that settle when people work: employment terms, work-time policies, published norms."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from batch_jobs.store.payloads.base import EntityDefined, Part, Payload
from batch_jobs.store.payloads.fields import Day, DayMinutes, Flag, Id, Key, Monday, Name, WeekMinutes

# Tuples are lax about lists only: what is inside stays strict.
Week = Annotated[tuple[DayMinutes, ...], Field(min_length=7, max_length=7, strict=False)]
Norm = Annotated[tuple[Week, ...], Field(min_length=1, max_length=8, strict=False)]


class EmploymentTermsDefined(EntityDefined):
    """What a group of contracts has in common. The norm's weeks run Monday to Sunday, in minutes."""

    type: ClassVar[str] = "employment_terms.defined"
    id_field: ClassVar[str] = "terms_id"

    terms_id: Id
    name: Name
    approval_period: Literal["none", "weekly", "biweekly", "monthly"]
    norm: Norm
    time_off_policy_ids: tuple[Id, ...] = Field(default=(), strict=False)
    allowance_policy_ids: tuple[Id, ...] = Field(default=(), strict=False)
    work_time_policy_id: Id | None = None
    holiday_calendar_id: Id | None = None


class WorkTimePolicyDefined(EntityDefined):
    """Limits of working time, and a norm that goes before the terms' own."""

    type: ClassVar[str] = "work_time_policy.defined"
    id_field: ClassVar[str] = "policy_id"

    policy_id: Id
    name: Name
    norm: Norm | None = None
    max_daily_minutes: DayMinutes | None = None
    max_weekly_minutes: WeekMinutes | None = None
    flex_tracking: Flag = False


class PublishedHoliday(Part):
    """A holiday that the published minutes already take into account."""

    date: Day
    name: Name


class PublishedWeek(Part):
    """The expected minutes of one week, Monday first."""

    monday: Monday
    minutes: Week
    holidays: tuple[PublishedHoliday, ...] = Field(strict=False)


class NormPublished(Payload):
    """The weeks that changed since they were published last; `through_week` moves on even when none did."""

    type: ClassVar[str] = "norm.published"

    employee_id: Id
    through_week: Monday
    fingerprint: Key
    weeks: tuple[PublishedWeek, ...] = Field(strict=False)
