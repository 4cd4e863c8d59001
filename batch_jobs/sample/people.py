"""A person and a unit of a sample company, as the story knows them on its present day."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from batch_jobs.rules.entities import ApprovalKind
from batch_jobs.rules.versions import Versions
from batch_jobs.rules.work_schedules import WorkSchedule, available_days

UserPlan = Literal["active", "none", "invited", "suspended"]
Style = Literal["exact", "flexible", "long"]


@dataclass(slots=True, eq=False, repr=False)
class Unit:
    """A department or team. `calendar_id` when its site has holidays of its own."""

    unit_id: str
    name: str
    parent: "Unit | None"
    calendar_id: str | None = None
    head: "Person | None" = None


@dataclass(slots=True, eq=False, repr=False)
class Person:
    """Someone of the company: what is planned for them, and how they stand today.

    Attributes:
        hired_on: when their data is entered; on `start` or before, as a rule.
        leaves_on: their planned last day; `end` is set when they give notice on `notice_on`.
        manager: whom their employment names, None to leave it to the unit's head.
        user: what becomes of their account; it is `signed_in` once active.
        style: how their hours relate to the norm.
        punctual: how likely they hand in their statement in time.
        schedules: what they are expected to work from which day on; None when their terms are not defined.
        employment: the payload that stands; with `versions`, the one that stands today.
        away: planned absence by day, as the free part of it; sickness is in `sick`.
        spans: first and last day of approved full-day absences, the last one None while open-ended.
        turn: grows whenever their working or available days may have changed.
    """

    number: int
    employee_id: str
    name: str
    preferred_name: str | None
    email: str
    title: str
    unit: Unit
    manager: "Person | None"
    terms_id: str
    start: date
    hired_on: date
    user: UserPlan = "active"
    style: Style = "flexible"
    punctual: float = 0.9
    leaves_on: date | None = None
    notice_on: date | None = None
    # Today.
    known: bool = False
    signed_in: bool = False
    end: date | None = None
    approval: ApprovalKind = "none"
    schedules: Versions[WorkSchedule] | None = None
    employment: dict[str, Any] = field(default_factory=dict)
    versions: bool = False
    away: dict[date, float] = field(default_factory=dict)
    sick: bool = False
    spans: list[tuple[date, date | None]] = field(default_factory=list)
    turn: int = 0

    @property
    def called(self) -> str:
        """What messages call them."""
        return self.preferred_name or self.name

    @property
    def user_id(self) -> str:
        """The id of their user, if they have one."""
        return f"u-{self.number}"

    def work_by(self, schedule: WorkSchedule | None, since: date | None) -> None:
        """Follow a schedule from a day on, or always; None when nobody knows which."""
        if schedule is None:
            self.schedules = None
        elif since is None or self.schedules is None:
            self.schedules = Versions.always(schedule)
        elif self.schedules.on(since) is not schedule:
            standing = zip(self.schedules.starts(), self.schedules.values(), strict=True)
            self.schedules = Versions([*standing, (since, schedule)])

    def employed(self, day: date) -> bool:
        """Whether the company knows them as employed on the day."""
        return self.known and self.start <= day and (self.end is None or day <= self.end)

    def minutes(self, day: date) -> int:
        """The expected minutes of the day."""
        return self.schedules.on(day).minutes(day) if self.schedules and self.employed(day) else 0

    def working_days(self, start: date, end: date) -> list[date]:
        """The days from start to end with expected minutes."""
        if self.schedules is None:
            return []
        first, last = max(start, self.start), min(end, self.end or end)
        stretches = self.schedules.between(first, last)
        return [day for begin, until, schedule in stretches for day in schedule.working_days(begin, until or last)]

    def available_days(self, start: date, end: date) -> list[date]:
        """The working days from start to end that no approved full-day absence covers."""
        return available_days(self.working_days(start, end), self.spans)

    def chief(self) -> "Person | None":
        """Who manages them: the manager their employment names, else the nearest head above (domain 3.1)."""
        if self.manager and self.manager is not self:
            return self.manager
        unit: Unit | None = self.unit
        while unit:
            if unit.head and unit.head is not self:
                return unit.head
            unit = unit.parent
        return None
