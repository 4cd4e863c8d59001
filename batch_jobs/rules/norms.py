"""Norms: the minutes a day is expected to have, before and after its holiday (domain 3.3)."""

from datetime import date
from fractions import Fraction
from math import floor

from batch_jobs.rules.entities import EmploymentTerms, Norm, WorkTimePolicy

FIRST_MONDAY = date(2024, 1, 1)
"""The Monday from which norms of several weeks and biweekly periods are counted, in both directions."""


def norm_in_force(terms: EmploymentTerms, policy: WorkTimePolicy | None) -> Norm:
    """The work-time policy's norm when it has one, else the terms' (domain 3.3)."""
    return policy.norm if policy and policy.norm else terms.norm


def norm_minutes(norm: Norm, first: date, days: int) -> list[int]:
    """The norm's minutes of so many days from the first on, holidays aside. Its weeks repeat from Monday 2024-01-01,
    also before it.
    """
    cycle = [minutes for week in norm for minutes in week]
    start = (first.toordinal() - FIRST_MONDAY.toordinal()) % len(cycle)
    return (cycle * ((start + days) // len(cycle) + 1))[start : start + days]


def expected_minutes(minutes: int, holiday_fraction: Fraction) -> int:
    """What a holiday of this fraction leaves of the norm's minutes, rounded down (domain 3.3)."""
    return floor(minutes * (1 - holiday_fraction))


def mean_weekly_minutes(norm: Norm) -> Fraction:
    """The norm's minutes a week, on average over its weeks."""
    return Fraction(sum(map(sum, norm)), len(norm))
