"""A figure with what it is held against, and the report of all of them as a table and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number.

    Attributes:
        work: what was done, in words.
        value: the number.
        unit: of value, limit and target.
        limit: what it is held against: measured in the same run, or the target where that is absolute.
        beside: what the limit is, in words.
        target: what the value shall reach (at most, or at least where more is better); None for a figure that only
            informs.
        more_is_better: for speeds.
    """

    work: str
    value: float
    unit: str
    limit: float
    beside: str
    target: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """How many times as good as the limit: above 1 is better than it."""
        return self.value / self.limit if self.more_is_better else self.limit / self.value

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        """What `latest.json` holds of it."""
        return {
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "ratio": self.ratio,
            "target": self.target,
            "met": self.met,
        }


Figures = Mapping[str, Figure]


def write_json(figures: Figures, file: Path) -> None:
    """Write the figures by name."""
    found = {name: figure.as_json() for name, figure in figures.items()}
    file.write_text(json.dumps(found, indent=2) + "\n")


def print_table(figures: Figures) -> None:
    """Print the figures for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table("work", "figure", "value", "unit", "limit", "ratio", "target", title="batch_jobs benchmarks")
    for column in (2, 4, 5, 6):
        table.columns[column].justify = "right"
    for name, figure in figures.items():
        table.add_row(
            figure.work,
            name,
            _number(figure.value),
            figure.unit,
            f"{_number(figure.limit)} ({figure.beside})",
            _number(figure.ratio),
            _target(figure),
            style="red" if figure.met is False else None,
        )
    console = Console()
    # A pipe has no width; a table squeezed into 80 columns can not be read.
    Console(width=console.width if console.is_terminal else 200).print(table)


def _target(figure: Figure) -> str:
    if figure.target is None:
        return "–"
    word = "met" if figure.met else "MISSED"
    return f"{'≥' if figure.more_is_better else '≤'} {_number(figure.target)} {word}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
