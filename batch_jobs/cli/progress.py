"""Progress bars on stderr, for people at a terminal; elsewhere they are silent."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Advance: TypeAlias = Callable[[int, int | None], None]
"""Called with how much is done, and of how much (None: not known)."""


@contextmanager
def progress_bar(title: str, *, unit: str = "") -> Iterator[Advance]:
    """A bar for the length of a `with` block, gone after it.

    Args:
        title: what goes on.
        unit: what is counted, such as `events`; `bytes` are shown as KB or MB.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    counted = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        counted,
        TextColumn("" if unit == "bytes" else unit),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def progress_text(title: str) -> Iterator[Callable[[str], None]]:
    """A line that says what goes on, for the length of a `with` block, gone after it; called with what is next."""
    if not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.console import Console

    with Console(file=sys.stderr).status(title) as status:
        yield status.update
