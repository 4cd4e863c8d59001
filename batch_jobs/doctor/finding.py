"""What a check found."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        check: what was looked at.
        state: `ok` or `problem`.
        text: what was found.
        remedy: what to do; empty when all is well, or when the text says it.
    """

    check: str
    state: Literal["ok", "problem"]
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def counted(number: int, what: str) -> str:
    """How many there are, in words: `1 workspace`, `2,000 workspaces`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def judged(check: str, well: bool, text: str, remedy: str) -> Finding:
    """A finding whose remedy matters only when it is not well."""
    return Finding(check, "ok", text) if well else Finding(check, "problem", text, remedy)
