"""Exact arithmetic: how amounts are read and rounded (domain 1). Never a float in between."""

from decimal import Decimal
from fractions import Fraction
from math import floor

HALF = Fraction(1, 2)


def exact(number: int | float | Decimal | str) -> Fraction:
    """The number as it was written: 0.1 is one tenth, not the binary float nearest to it."""
    return Fraction(str(number))


def round_half_up(value: Fraction) -> int:
    """The nearest whole number, halves towards positive infinity: 2.5 is 3 and -2.5 is -2 (domain 1).

    Domain 1 says "half up" without naming the sign; this is the mathematical reading, floor(value + 1/2), which keeps
    the distance between rounded amounts the same on both sides of zero.
    """
    return floor(value + HALF)
