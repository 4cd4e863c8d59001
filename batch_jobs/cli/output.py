"""What commands print: tables for people, JSON for scripts. Knows no command."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_OF_FILES = 120
# A name that is longer is folded, in a table that is too wide.
NAME_WIDTH = 19
SENTENCE_WIDTH = 30

STATUS_STYLES = {
    "pending": "cyan",
    "started": "cyan",
    "completed": "green",
    "warning": "yellow",
    "failed": "bold red",
    "stopped": "magenta",
    "due": "green",
    "waiting": "yellow",
    "ok": "green",
    "problem": "bold red",
}


def print_json(value: Any) -> None:
    """Print a value as JSON, readable and complete."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """Print a line for people, on stdout."""
    print(text, flush=True)


def note(text: str) -> None:
    """Tell people what goes on, on stderr, so that stdout holds results alone."""
    print(text, file=sys.stderr, flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, folding: Sequence[str] = ()) -> None:
    """Print a table that fits the terminal, or 120 columns where there is none.

    Args:
        headings: of the columns; numbers are aligned to the right.
        rows: cells, None for an empty one; a cell that is a status gets its colour.
        folding: the columns that are folded when the table would be too wide.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(map(_least_width, column)) for column in zip(headings, *cells, strict=True)]
    if sum(widths) + len(widths) > out.width:
        foldable = [heading in folding for heading in headings]
        cells = [[_folded(cell) if may else cell for cell, may in zip(row, foldable, strict=True)] for row in cells]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    for place, heading in enumerate(headings):
        numeric = all(row[place].replace(",", "").isdigit() for row in cells)
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=heading not in folding, overflow="fold"
        )
    for row in cells:
        table.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
    out.print(table)


def console() -> "Console":
    """Standard output as rich sees it: coloured in a terminal only."""
    from rich.console import Console

    found = Console(highlight=False, soft_wrap=False)
    return found if found.is_terminal else Console(highlight=False, width=WIDTH_OF_FILES)


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _least_width(cell: str) -> int:
    """What a cell needs; a sentence is folded between its words."""
    return min(len(cell), SENTENCE_WIDTH) if " " in cell else len(cell)


def _folded(name: str) -> str:
    """A long name on several lines, broken before a hyphen or underscore."""
    lines = [""]
    for part in re.split(r"(?=[-_])", name):
        if " " not in name and len(lines[-1]) + len(part) > NAME_WIDTH and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
