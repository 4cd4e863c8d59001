"""Payloads of time-off and allowance policies, with the plans by which days accrue and expire."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from batch_jobs.store.payloads.base import EntityDefined, Part
from batch_jobs.store.payloads.fields import Amount, Expect, Flag, Id, Name, PositiveWeekMinutes

MonthOfYear = Annotated[int, Field(ge=1, le=12), Expect("a month, 1 to 12")]
# A hundred years on is as good as never; more would run out of the calendar.
MonthsAfter = Annotated[int, Field(ge=0, le=1200), Expect("a whole number of months, 0 to 1200")]


class MonthlyAccrual(Part):
    """A twelfth of `annual` (centidays or minutes) each month."""

    plugin: Literal["monthly"] = "monthly"
    annual: Amount
    year_start_month: MonthOfYear = 1
    rounding: Literal["difference_to_target", "difference_on_last"] = "difference_on_last"
    prorate_employment: Flag = False
    prorate_hours: Flag = False
    full_time_weekly_minutes: PositiveWeekMinutes = 2220


class YearlyAccrual(Part):
    """All of `annual` (centidays or minutes) on the first or last day of the policy year."""

    plugin: Literal["yearly"] = "yearly"
    annual: Amount
    year_start_month: MonthOfYear = 1
    timing: Literal["year_start", "year_end"] = "year_end"
    prorate_employment: Flag = False
    prorate_hours: Flag = False
    full_time_weekly_minutes: PositiveWeekMinutes = 2220


class DanishVacation(Part):
    """The Danish holiday year, which leaves nothing to choose."""

    plugin: Literal["danish_vacation"] = "danish_vacation"


Accrual = Annotated[MonthlyAccrual | YearlyAccrual | DanishVacation, Field(discriminator="plugin")]


class Expiration(Part):
    """What a policy year earned ends with the n-th month after the year."""

    months_after_year_end: MonthsAfter


class TimeOffPolicyDefined(EntityDefined):
    """A kind of absence: which account pays for it, what it is on the timesheet, how days are earned."""

    type: ClassVar[str] = "time_off_policy.defined"
    id_field: ClassVar[str] = "policy_id"

    policy_id: Id
    name: Name
    account_id: Id | None = None
    activity_id: Id | None = None
    accrual: Accrual | None = None
    expiration: Expiration | None = None


class AllowancePolicyDefined(EntityDefined):
    """A kind of allowance, with its account and activity."""

    type: ClassVar[str] = "allowance_policy.defined"
    id_field: ClassVar[str] = "policy_id"

    policy_id: Id
    name: Name
    account_id: Id | None = None
    activity_id: Id | None = None
