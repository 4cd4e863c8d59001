"""Exact arithmetic (domain 1)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_jobs.rules.fractions import exact, round_half_up


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Fraction(5, 2), 3),
        (Fraction(7, 2), 4),
        (Fraction(249, 100), 2),
        (Fraction(-5, 2), -2),
        (Fraction(-251, 100), -3),
        (Fraction(2500, 12), 208),
    ],
)
def test_halves_go_up(value, rounded):
    assert round_half_up(value) == rounded


def test_a_json_number_is_what_was_written():
    assert exact(0.1) == Fraction(1, 10)
    assert exact(0.29) * 100 == 29
    assert exact(1) == exact(1.0) == exact(Decimal("1.00")) == exact("1") == 1
    assert exact(1e-7) == Fraction(1, 10_000_000)


@given(st.fractions())
def test_rounding_moves_by_at_most_a_half(value):
    distance = round_half_up(value) - value
    assert Fraction(-1, 2) < distance <= Fraction(1, 2)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000))
def test_a_float_reads_back_as_its_decimal(number):
    assert exact(float(number)) == Fraction(number)
