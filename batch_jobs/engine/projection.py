"""The contract of a projection: a table and the one fold that keeps it in step with the event log."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, TypeVar

from batch_jobs.engine.tables import RowChanges, Table
from batch_jobs.store.database import Transaction

T = TypeVar("T")

_loaded: ContextVar[dict[Hashable, Any] | None] = ContextVar("loaded", default=None)


@dataclass(frozen=True, slots=True)
class Window:
    """What a fold is asked to take in: for each workspace the events after a position, up to another.

    Attributes:
        workspace_id: whose events.
        after: position of the last event taken in before, 0 for none.
        head: position of the last event to take in.
        as_of_before: the as-of date (domain 4) of the rows as they stand, None for none.
        as_of: the as-of date that the rows shall have.
    """

    workspace_id: str
    after: int
    head: int
    as_of_before: date | None
    as_of: date


def passed_days(windows: Iterable[Window]) -> list[tuple[str, date, date]]:
    """Workspace, as-of date before and now, where rows that stand show another as-of date than they shall have."""
    return [
        (window.workspace_id, window.as_of_before, window.as_of)
        for window in windows
        if window.as_of_before is not None and window.as_of_before != window.as_of
    ]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be applied, and why."""

    workspace_id: str
    position: int
    reason: str


@dataclass(slots=True)
class Folded:
    """What a fold did."""

    changes: RowChanges = field(default_factory=RowChanges)
    dead_letters: list[DeadLetter] = field(default_factory=list)


class Projection(ABC):
    """A table derived from events.

    A subclass names its table and events and writes `fold`. Fold reads the events to take in from the relation
    `pending_events` (the columns of `batch_jobs.events`), which holds those of all windows, of every type, and writes
    its table by its plain name: whoever calls it chooses by the search path which table that is.

    Attributes:
        name: the table's name, and the projection's.
        description: one sentence for people.
        schema: where its tables are; those of `projections` are found by their plain names as well.
        version: raised whenever the same events would give other rows.
        event_types: what it reads; others are not worth a fold.
        after: projections whose tables the fold reads.
        follows_as_of: whether the rows change with the as-of date.
        table: the table it writes, named like it.
        further_tables: others that it writes, and nobody else: what it has to remember to keep its table in step.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    schema: ClassVar[str] = "projections"
    version: ClassVar[int] = 1
    event_types: ClassVar[frozenset[str]]
    after: ClassVar[tuple[str, ...]] = ()
    follows_as_of: ClassVar[bool] = False
    table: ClassVar[Table]
    further_tables: ClassVar[tuple[Table, ...]] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that it writes."""
        return (self.table, *self.further_tables)

    @abstractmethod
    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Take the pending events of these windows in. Set-based: all workspaces at once."""


class DerivedProjection(Projection):
    """One whose rows follow from those of the projections that it reads. Events only tell which of its rows may have
    changed, so that a rebuild needs none: it makes all rows from the projections as they are.
    """

    @abstractmethod
    def derive(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterator[float]:
        """Fill the table, which is empty and beside the one that serves.

        Args:
            connection: a transaction whose search path finds the tables.
            as_of: as-of date by workspace.

        Yields:
            Now and then which share is done.
        """


@contextmanager
def one_load() -> Iterator[None]:
    """Let the folds within share what they load from projections that were folded before them; dropped at the end."""
    token = _loaded.set({})
    try:
        yield
    finally:
        _loaded.reset(token)


def load_once(key: Hashable, load: Callable[[], T]) -> T:
    """What another fold of the same `one_load` has loaded under this key, else what `load` gives."""
    loaded = _loaded.get()
    if loaded is None:
        return load()
    if key not in loaded:
        loaded[key] = load()
    found: T = loaded[key]
    return found
