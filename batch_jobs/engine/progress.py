"""How far a run is, while several of its chunks may be under way at once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: workspaces (of several run dates, each counts) and due rows, or other units, done, of how
    many. `trouble`: what of the database the run waits for the end of, None while it goes on.
    """

    job: str
    workspaces_done: int
    workspaces: int
    rows_done: int
    rows: int
    unit: str = "rows"
    trouble: str | None = None


class ProgressReport:
    """Adds up what the threads of a run report, each on the one chunk that it works on.

    Args:
        on_progress: told how far the run is, by one thread at a time.
    """

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._ended = Progress("", 0, 0, 0, 0)
        self._under_way: dict[int, int] = {}
        self._lock = threading.Lock()

    @property
    def job(self) -> str:
        """Whose progress it is."""
        return self._ended.job

    def begin(self, job: str, *, workspaces: int, rows: int, unit: str) -> None:
        """Begin, with so much to do."""
        self._ended = Progress(job, 0, workspaces, 0, rows, unit)

    def reach(self, rows: int) -> None:
        """So many rows of this thread's chunk are done."""
        with self._lock:
            self._under_way[threading.get_ident()] = rows
            self._tell()

    def end(self, *, workspaces: int, rows: int) -> None:
        """This thread's chunk is done, which had so many."""
        with self._lock:
            self._under_way.pop(threading.get_ident(), None)
            self._ended = replace(
                self._ended,
                workspaces_done=self._ended.workspaces_done + workspaces,
                rows_done=self._ended.rows_done + rows,
            )
            self._tell()

    def wait(self, trouble: str | None) -> None:
        """The run waits for this trouble of the database to end; None when it goes on."""
        with self._lock:
            self._tell(trouble)

    def _tell(self, trouble: str | None = None) -> None:
        done = self._ended.rows_done + sum(self._under_way.values())
        self._on_progress(replace(self._ended, rows_done=done, trouble=trouble))
