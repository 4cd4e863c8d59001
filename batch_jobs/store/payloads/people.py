"""Payloads about people and where they belong: users, employees, employments, org units."""

from typing import ClassVar, Literal

from batch_jobs.store.payloads.base import EntityDefined, Payload
from batch_jobs.store.payloads.fields import Day, Email, Flag, Id, Instant, Name
from batch_jobs.store.payloads.workspaces import Locale


class UserDefined(EntityDefined):
    """Someone who signs in, and whom notifications reach."""

    type: ClassVar[str] = "user.defined"
    id_field: ClassVar[str] = "user_id"

    user_id: Id
    email: Email
    employee_id: Id | None = None
    status: Literal["invited", "active", "suspended"]
    invited_at: Instant | None = None
    email_notifications: Flag = True
    locale: Locale | None = None


class UserInvitationExpired(Payload):
    """An invitation was not taken up in time."""

    type: ClassVar[str] = "user.invitation_expired"

    user_id: Id


class EmployeeDefined(EntityDefined):
    """A person, apart from any contract."""

    type: ClassVar[str] = "employee.defined"
    id_field: ClassVar[str] = "employee_id"

    employee_id: Id
    name: Name
    preferred_name: Name | None = None
    email: Email | None = None


class EmployeeRemoved(Payload):
    """A person leaves directory and periods and gets nothing new; what happened stays."""

    type: ClassVar[str] = "employee.removed"

    employee_id: Id


class EmploymentDefined(EntityDefined):
    """One contract of one person. An end before the start is a contract that never began."""

    type: ClassVar[str] = "employment.defined"
    id_field: ClassVar[str] = "employment_id"

    employment_id: Id
    employee_id: Id
    start_date: Day
    end_date: Day | None = None
    job_title: Name | None = None
    org_unit_id: Id | None = None
    manager_id: Id | None = None
    terms_id: Id
    holiday_calendar_id: Id | None = None


class OrgUnitDefined(EntityDefined):
    """A department or team, in a tree."""

    type: ClassVar[str] = "org_unit.defined"
    id_field: ClassVar[str] = "org_unit_id"

    org_unit_id: Id
    name: Name
    parent_id: Id | None = None
    head_id: Id | None = None
    holiday_calendar_id: Id | None = None
    gl_code: Name | None = None
