"""When people of the sample will be away: holidays, single days, sickness. Plans only, records nothing."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from batch_jobs.sample.people import Person
from batch_jobs.sample.workplace import Workplace, monday_from, weekday_from

Outcome = Literal["approved", "rejected", "cancelled"]

_AHEAD = timedelta(days=90)
_GAP = timedelta(days=4)
_FRIDAY = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Plan:
    """One absence to come.

    Attributes:
        end: None is open-ended, and needs no approval.
        requested_on, decided_on, cancelled_on: days on which someone acts.
        back_on: the first day no longer absent, when it ends by an interruption.
    """

    policy_id: str
    start: date
    end: date | None
    requested_on: date
    decided_on: date | None = None
    fraction: float = 1.0
    outcome: Outcome = "approved"
    cancelled_on: date | None = None
    back_on: date | None = None

    @property
    def last_day(self) -> date:
        """The last day of absence, as planned."""
        if self.back_on:
            return self.back_on - timedelta(days=1)
        return self.end or date.max


def plan_absences(workplace: Workplace, person: Person, chance: Random, fixed: list[Plan]) -> list[Plan]:
    """All absences of a person from today on, none overlapping another; the fixed ones are among them."""
    first = max(workplace.today + timedelta(days=3), person.start)
    last = min(workplace.until + _AHEAD, person.leaves_on or date.max)
    plans = list(fixed)
    if last <= first:
        return plans
    for wish in (*_holidays(workplace, chance), *_single_days(workplace, person, chance, first, last)):
        plan = _bedded_in(wish, chance, first)
        if plan.start >= first and plan.last_day <= last and _fits(plan, plans):
            plans += _with_turns(workplace, plan, chance)
    for wish in _sickness(workplace, chance, first, last):
        if wish.start >= first and _fits(wish, plans):
            # Whoever leaves while sick is no longer absent afterwards.
            ends = [wish.back_on, person.leaves_on + timedelta(days=1) if person.leaves_on else None]
            plans.append(replace(wish, back_on=min(end for end in ends if end)))
    return plans


def _holidays(workplace: Workplace, chance: Random) -> list[Plan]:
    leave, wishes = workplace.company.country.leave, []
    for year in range(workplace.first.year, workplace.until.year + 1):
        summer = monday_from(date(year, *leave.summer)) + timedelta(weeks=chance.randrange(5))
        weeks = chance.randint(*leave.summer_weeks)
        winter = monday_from(date(year, *leave.winter)) + timedelta(weeks=chance.randrange(3))
        spring = monday_from(date(year, 3, 20)) + timedelta(weeks=chance.randrange(8))
        stretches = [
            (0.97, summer, summer + timedelta(weeks=weeks - 1) + _FRIDAY),
            (0.85, winter, winter + _FRIDAY),
            (0.70, date(year, 12, 27), date(year, 12, 30)),
            (0.60, spring, spring + timedelta(days=chance.randrange(1, 5))),
            (0.50, date(year, 1, 2), date(year, 1, 5)),
        ]
        left = leave.days_a_year
        for likely, start, end in stretches:
            working_days = ((end - start).days + 1) * 5 // 7
            if chance.random() < likely and working_days <= left:
                left -= working_days
                wishes.append(_wish(leave.holiday, start, end))
    return wishes


def _single_days(workplace: Workplace, person: Person, chance: Random, first: date, last: date) -> list[Plan]:
    leave = workplace.company.country.leave
    # Only who works long has hours to take off.
    spare = leave.lieu if person.style == "long" else leave.extra
    kinds = [(leave.extra, 1.0), (spare, 1.0), (leave.holiday, 1.0), (leave.extra, 1.0), (leave.care, 0.5)]
    days = (last - first).days
    wishes = []
    for policy_id, fraction in kinds[: 1 + chance.randrange(len(kinds)) + days // 200]:
        day = weekday_from(first + timedelta(days=chance.randrange(days)))
        wishes.append(replace(_wish(policy_id, day, day), fraction=fraction))
    return wishes


def _sickness(workplace: Workplace, chance: Random, first: date, last: date) -> list[Plan]:
    sick, days = workplace.company.country.leave.sick, (last - first).days
    wishes = []
    for _ in range(chance.randrange(4) if days > 60 else 1):
        start = weekday_from(first + timedelta(days=chance.randrange(days)))
        if start <= workplace.until:
            lasts = chance.randrange(20, 70) if chance.random() < 0.04 else chance.choice((1, 1, 2, 2, 3, 5))
            back_on = weekday_from(start + timedelta(days=lasts))
            wishes.append(Plan(sick, start, None, requested_on=start, back_on=back_on))
    return wishes


def _wish(policy_id: str, start: date, end: date) -> Plan:
    return Plan(policy_id, start, end, requested_on=start)


def _bedded_in(wish: Plan, chance: Random, first: date) -> Plan:
    """The wish with the days on which it is asked for and decided."""
    days = ((wish.end or wish.start) - wish.start).days
    ahead = chance.randrange(25, 80) if days > 2 else chance.randrange(2, 15)
    requested_on = weekday_from(max(wish.start - timedelta(days=ahead), first - timedelta(days=2)))
    # One in thirty is entered after the fact.
    if chance.random() < 0.03:
        requested_on = weekday_from((wish.end or wish.start) + timedelta(days=1))
    return replace(
        wish,
        requested_on=requested_on,
        decided_on=weekday_from(requested_on + timedelta(days=chance.choice((0, 1, 1, 2, 3, 6)))),
    )


def _with_turns(workplace: Workplace, plan: Plan, chance: Random) -> list[Plan]:
    """The plan as life takes it: most are approved and happen, some are refused, cancelled or cut short."""
    turn, decided_on = chance.random(), plan.decided_on or plan.start
    if turn < 0.04:
        return [replace(plan, outcome="rejected")]
    if turn < 0.08:
        late = chance.random() < 0.25
        cancelled_on = plan.start + timedelta(days=1) if late else plan.start - timedelta(days=2)
        return [replace(plan, outcome="cancelled", cancelled_on=max(cancelled_on, decided_on + timedelta(days=1)))]
    end = plan.end or plan.start
    if turn < 0.14 and (end - plan.start).days >= 3 and decided_on < plan.start:
        back_on = plan.start + timedelta(days=2)
        cut = replace(plan, back_on=back_on)
        if turn < 0.11:
            return [cut]
        sick = workplace.company.country.leave.sick
        back_from_sickness = weekday_from(back_on + timedelta(days=2))
        return [cut, Plan(sick, back_on, None, requested_on=back_on, back_on=back_from_sickness)]
    return [plan]


def _fits(plan: Plan, plans: list[Plan]) -> bool:
    return all(
        plan.start > min(other.last_day, date.max - _GAP) + _GAP
        or min(plan.last_day, date.max - _GAP) + _GAP < other.start
        for other in plans
        if other.outcome == "approved"
    )
