"""Settings and people as their `*.defined` events carry them (domain 2.1): fields only, no rules.

Payloads were validated on import, so `from_payload` converts and does not check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from batch_jobs.rules.fractions import exact

ApprovalKind: TypeAlias = Literal["none", "weekly", "biweekly", "monthly"]
Norm: TypeAlias = tuple[tuple[int, ...], ...]
"""Weeks of 7 minute counts, Monday first."""
Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Workspace:
    """`workspace.created`. `timezone` is an IANA name."""

    name: str
    timezone: str
    default_holiday_calendar_id: str | None = None
    locale: str = "en"

    @classmethod
    def from_payload(cls, payload: Payload) -> "Workspace":
        return cls(
            name=payload["name"],
            timezone=payload["timezone"],
            default_holiday_calendar_id=payload.get("default_holiday_calendar_id"),
            locale=payload.get("locale") or "en",
        )


@dataclass(frozen=True, slots=True)
class User:
    """`user.defined`. `status` may also be `expired`, which `user.invitation_expired` makes it."""

    user_id: str
    email: str
    employee_id: str | None
    status: str
    invited_at: datetime | None = None
    email_notifications: bool = True
    locale: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "User":
        invited_at = payload.get("invited_at")
        return cls(
            user_id=payload["user_id"],
            email=payload["email"],
            employee_id=payload.get("employee_id"),
            status=payload["status"],
            invited_at=datetime.fromisoformat(invited_at) if invited_at else None,
            email_notifications=payload.get("email_notifications", True),
            locale=payload.get("locale"),
        )


@dataclass(frozen=True, slots=True)
class Employee:
    """`employee.defined`."""

    employee_id: str
    name: str
    preferred_name: str | None = None
    email: str | None = None

    @property
    def called(self) -> str:
        """What people call them."""
        return self.preferred_name or self.name

    @classmethod
    def from_payload(cls, payload: Payload) -> "Employee":
        return cls(
            employee_id=payload["employee_id"],
            name=payload["name"],
            preferred_name=payload.get("preferred_name"),
            email=payload.get("email"),
        )


@dataclass(frozen=True, slots=True)
class Employment:
    """`employment.defined`. `end_date` is the last day; None: without end."""

    employment_id: str
    employee_id: str
    start_date: date
    end_date: date | None
    terms_id: str
    job_title: str | None = None
    org_unit_id: str | None = None
    manager_id: str | None = None
    holiday_calendar_id: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "Employment":
        end_date = payload.get("end_date")
        return cls(
            employment_id=payload["employment_id"],
            employee_id=payload["employee_id"],
            start_date=date.fromisoformat(payload["start_date"]),
            end_date=date.fromisoformat(end_date) if end_date else None,
            terms_id=payload["terms_id"],
            job_title=payload.get("job_title"),
            org_unit_id=payload.get("org_unit_id"),
            manager_id=payload.get("manager_id"),
            holiday_calendar_id=payload.get("holiday_calendar_id"),
        )

    def covers(self, day: date) -> bool:
        """Whether the day lies between start and end, both included (domain 3.1)."""
        return self.start_date <= day and (self.end_date is None or day <= self.end_date)


@dataclass(frozen=True, slots=True)
class OrgUnit:
    """`org_unit.defined`."""

    org_unit_id: str
    name: str
    parent_id: str | None = None
    head_id: str | None = None
    holiday_calendar_id: str | None = None
    gl_code: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "OrgUnit":
        return cls(
            org_unit_id=payload["org_unit_id"],
            name=payload["name"],
            parent_id=payload.get("parent_id"),
            head_id=payload.get("head_id"),
            holiday_calendar_id=payload.get("holiday_calendar_id"),
            gl_code=payload.get("gl_code"),
        )


@dataclass(frozen=True, slots=True)
class EmploymentTerms:
    """`employment_terms.defined`. `norm` in minutes."""

    terms_id: str
    name: str
    approval_period: ApprovalKind
    norm: Norm
    time_off_policy_ids: tuple[str, ...] = ()
    allowance_policy_ids: tuple[str, ...] = ()
    work_time_policy_id: str | None = None
    holiday_calendar_id: str | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> "EmploymentTerms":
        return cls(
            terms_id=payload["terms_id"],
            name=payload["name"],
            approval_period=payload["approval_period"],
            norm=tuple(map(tuple, payload["norm"])),
            time_off_policy_ids=tuple(payload.get("time_off_policy_ids") or ()),
            allowance_policy_ids=tuple(payload.get("allowance_policy_ids") or ()),
            work_time_policy_id=payload.get("work_time_policy_id"),
            holiday_calendar_id=payload.get("holiday_calendar_id"),
        )


@dataclass(frozen=True, slots=True)
class WorkTimePolicy:
    """`work_time_policy.defined`. `norm` and the limits in minutes."""

    policy_id: str
    name: str
    norm: Norm | None = None
    max_daily_minutes: int | None = None
    max_weekly_minutes: int | None = None
    flex_tracking: bool = False

    @classmethod
    def from_payload(cls, payload: Payload) -> "WorkTimePolicy":
        norm = payload.get("norm")
        return cls(
            policy_id=payload["policy_id"],
            name=payload["name"],
            norm=tuple(map(tuple, norm)) if norm else None,
            max_daily_minutes=payload.get("max_daily_minutes"),
            max_weekly_minutes=payload.get("max_weekly_minutes"),
            flex_tracking=payload.get("flex_tracking", False),
        )


@dataclass(frozen=True, slots=True)
class CustomDay:
    """One of a calendar's `custom_days`. `fraction` is the part of the day that is free, 0 to 1."""

    date: date
    name: str
    fraction: Fraction = Fraction(1)

    @classmethod
    def from_payload(cls, payload: Payload) -> "CustomDay":
        return cls(
            date=date.fromisoformat(payload["date"]),
            name=payload["name"],
            fraction=exact(payload.get("fraction", 1)),
        )


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """`holiday_calendar.defined`. `country` is a code of the `holidays` library; None: only the custom days."""

    calendar_id: str
    name: str
    country: str | None = None
    subdivision: str | None = None
    custom_days: tuple[CustomDay, ...] = ()

    @classmethod
    def from_payload(cls, payload: Payload) -> "HolidayCalendar":
        return cls(
            calendar_id=payload["calendar_id"],
            name=payload["name"],
            country=payload.get("country"),
            subdivision=payload.get("subdivision"),
            custom_days=tuple(map(CustomDay.from_payload, payload.get("custom_days") or ())),
        )
