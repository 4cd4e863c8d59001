"""What one person has in one account, by policy year: what is left when a year's credits expire (domain 3.5)."""

from dataclasses import dataclass
from datetime import date


@dataclass(slots=True)
class _Credit:
    day: date
    amount: int
    year_start: date
    expires_on: date | None


class Ledger:
    """Credits and usage of one account, in its unit."""

    __slots__ = ("_credits", "_usage")

    def __init__(self) -> None:
        self._credits: list[_Credit] = []
        self._usage: list[tuple[date, int]] = []

    def credit(self, day: date, amount: int, year_start: date, expires_on: date | None) -> None:
        """Put an amount in, earned in the policy year that began on `year_start`."""
        self._credits.append(_Credit(day, amount, year_start, expires_on))

    def use(self, day: date, amount: int) -> None:
        """Take an amount out, or give it back when negative."""
        self._usage.append((day, amount))

    def expire(self, year_start: date) -> int:
        """Take out what is left of a policy year, and return it.

        Usage takes first what expires first, then what is oldest; what never expires comes last.
        """
        of_year = [credit for credit in self._credits if credit.year_start == year_start and credit.expires_on]
        if not of_year:
            return 0
        expires_on = max(credit.expires_on for credit in of_year if credit.expires_on)
        used = sum(amount for day, amount in self._usage if day <= expires_on)
        left = 0
        for credit in sorted(self._credits, key=lambda credit: (credit.expires_on or date.max, credit.day)):
            taken = min(used, credit.amount)
            used -= taken
            if credit.year_start == year_start:
                left += credit.amount - taken
                credit.amount = taken
        return left
