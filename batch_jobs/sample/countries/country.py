"""The shape of a country's data: what each file of this package fills in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from batch_jobs.rules.entities import ApprovalKind

Payload = Mapping[str, Any]
CustomDays = Callable[[int], list[Payload]]


@dataclass(frozen=True)
class Department:
    """A department, its teams, and what people are called there; the first title is the head's."""

    name: str
    teams: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Trade:
    """A line of business: its name in company names, its own department, its work activities and its projects."""

    name: str
    department: Department
    work: tuple[str, ...]
    projects: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """Employment terms as a country has them.

    Attributes:
        norm: weeks of 7 minute counts.
        share: how many of a hundred employees have them, roughly.
        work_time_policy_id: may override the norm.
        approval: None leaves it to the company.
    """

    terms_id: str
    name: str
    norm: tuple[tuple[int, ...], ...]
    share: int
    work_time_policy_id: str | None = None
    approval: ApprovalKind | None = None


@dataclass(frozen=True)
class Leave:
    """The policy ids that people of the country use, and when they are away.

    Attributes:
        holiday: the yearly holiday.
        extra: further days off, by the day.
        lieu: time off in lieu, from an account of hours.
        sick: open-ended sickness.
        care: part of a day for a doctor or a child.
        unpaid: leave that is on no timesheet, since its policy has no activity.
        summer: first Monday of the main holiday is on or after this (month, day).
        summer_weeks: weeks of the main holiday, shortest and longest.
        winter: likewise for a week in the dark season.
        days_a_year: how many working days of holiday someone takes, about.
    """

    holiday: str
    extra: str
    lieu: str
    sick: str
    care: str
    unpaid: str
    summer: tuple[int, int]
    summer_weeks: tuple[int, int]
    winter: tuple[int, int]
    days_a_year: int


@dataclass(frozen=True, kw_only=True)
class Country:
    """All of one country. `code` is that of the `holidays` library, `others` are (name, preferred name)."""

    code: str
    locale: str
    given_names: tuple[str, ...]
    family_names: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    towns: tuple[str, ...]
    clients: tuple[str, ...]
    calendar_name: str
    custom_days: CustomDays
    company_day: str
    top_title: str
    senior_title: str
    departments: tuple[Department, ...]
    trades: Mapping[str, Trade]
    contracts: tuple[Contract, ...]
    top_contract: Contract
    work_time_policies: tuple[Payload, ...]
    accounts: tuple[Payload, ...]
    activities: tuple[Payload, ...]
    general_work: str
    time_off_policies: tuple[Payload, ...]
    allowance_policies: tuple[Payload, ...]
    leave: Leave
    rejections: tuple[str, ...]
    reopenings: tuple[str, ...]


def week(*minutes: int) -> tuple[int, ...]:
    """A week of the norm, its last days free where no minutes are given."""
    return minutes + (0,) * (7 - len(minutes))


def five_days(minutes: int) -> tuple[tuple[int, ...], ...]:
    """A norm of one week with the same minutes Monday to Friday."""
    return (week(*[minutes] * 5),)
