"""What each plan credits in one policy year: monthly, yearly, and the Danish holiday year (domain 3.5).

A plan that changes within a year counts for the days on which it is in force: each entry is earned by the plan in force
on its due date, so that a new version leaves alone what was due before.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from math import floor
from typing import NamedTuple, TypeAlias

from batch_jobs.rules.accrual.coverage import Covered, WeeklyMinutes, hours_factor
from batch_jobs.rules.accrual.policy_years import months, year_end
from batch_jobs.rules.fractions import round_half_up
from batch_jobs.rules.policies import AccrualPlan, DanishVacationPlan, MonthlyPlan, YearlyPlan
from batch_jobs.rules.versions import Versions

Plans: TypeAlias = Versions[AccrualPlan | None]

HOLIDAY_YEAR_MONTH = 9
"""The Danish holiday year begins on 1 September (ferieloven, section 4)."""
# Ferieloven, section 5: 2.08 days for each month of employment, 0.07 a day of a part of one, 25 days a year in all.
_DANISH_MONTH, _DANISH_DAY, _DANISH_LAST_OF_WHOLE_YEAR = 208, 7, 212


class Credit(NamedTuple):
    """What becomes due on a day, in the account's unit."""

    due_date: date
    amount: int


def first_month(plan: AccrualPlan) -> int:
    """The month with which the plan's policy years begin."""
    return HOLIDAY_YEAR_MONTH if isinstance(plan, DanishVacationPlan) else plan.year_start_month


def credits_of_year(
    kind: type[AccrualPlan], year_start: date, plans: Plans, covered: Covered, weekly_minutes: WeeklyMinutes
) -> list[Credit]:
    """What the plans of one kind credit in the policy year, in order of the due dates.

    Args:
        kind: of plan; those of other kinds, or with other policy years, credit nothing here.
        year_start: the first day of the policy year.
        plans: the policy's plan of every day.
        covered: the employee's covered days.
        weekly_minutes: asked only for plans with `prorate_hours`.
    """
    return list(_CREDITS[kind](year_start, plans, covered, weekly_minutes))


def _monthly(year_start: date, plans: Plans, covered: Covered, weekly_minutes: WeeklyMinutes) -> Iterator[Credit]:
    target, so_far = Fraction(0), 0
    for number, month in enumerate(months(year_start), 1):
        plan, of_month = plans.on(month.end), covered.within(*month)
        if not isinstance(plan, MonthlyPlan) or plan.year_start_month != year_start.month or not of_month.stretches:
            continue
        earned = Fraction(plan.annual, 12)
        if plan.prorate_employment:
            earned *= Fraction(of_month.days(), month.end.day)
        if plan.prorate_hours:
            last_covered = of_month.stretches[-1].end
            earned *= hours_factor(weekly_minutes(last_covered), plan.full_time_weekly_minutes)
        target += earned
        floors = plan.rounding == "difference_on_last" and number < 12
        amount = floor(earned) if floors else round_half_up(target) - so_far
        so_far += amount
        yield Credit(month.end, amount)


def _yearly(year_start: date, plans: Plans, covered: Covered, weekly_minutes: WeeklyMinutes) -> Iterator[Credit]:
    last_day = year_end(year_start)
    of_year = covered.within(year_start, last_day)
    at_start, at_end = (_yearly_plan(plans, day, year_start.month) for day in (year_start, last_day))
    # A change of the timing within the year must not credit it twice, and not leave it out either.
    if at_start is not None and at_start.timing == "year_start":
        plan, due_date = at_start, year_start
    elif at_end is not None and (at_end.timing == "year_end" or at_start is not None):
        plan, due_date = at_end, last_day
    else:
        return
    if of_year.stretches:
        amount = Fraction(plan.annual)
        if plan.prorate_employment:
            amount *= Fraction(of_year.days(), (last_day - year_start).days + 1)
        if plan.prorate_hours:
            amount *= hours_factor(weekly_minutes(of_year.nearest(due_date)), plan.full_time_weekly_minutes)
        yield Credit(due_date, round_half_up(amount))


def _yearly_plan(plans: Plans, day: date, first_month: int) -> YearlyPlan | None:
    plan = plans.on(day)
    return plan if isinstance(plan, YearlyPlan) and plan.year_start_month == first_month else None


def _danish_vacation(year_start: date, plans: Plans, covered: Covered, _: WeeklyMinutes) -> Iterator[Credit]:
    whole_months = 0
    if year_start.month != HOLIDAY_YEAR_MONTH:
        return
    for month in months(year_start):
        days = covered.within(*month).days()
        if not days or not isinstance(plans.on(month.end), DanishVacationPlan):
            continue
        whole_months += days == month.end.day
        amount = _DANISH_MONTH if days == month.end.day else min(_DANISH_MONTH, _DANISH_DAY * days)
        yield Credit(month.end, _DANISH_LAST_OF_WHOLE_YEAR if whole_months == 12 else amount)


_CREDITS = {MonthlyPlan: _monthly, YearlyPlan: _yearly, DanishVacationPlan: _danish_vacation}
