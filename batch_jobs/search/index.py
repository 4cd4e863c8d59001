"""What a search index is: a projection with one document a row, and the fields that its words come from."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import md5, sha256
from typing import Any, ClassVar, NamedTuple

from pydantic_core import to_json

from batch_jobs.engine.projection import Folded, Projection, Window
from batch_jobs.engine.tables import Table, replace_rows
from batch_jobs.search import folding
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

# Longer sort keys would not fit into a B-tree.
SORT_KEY = 200
# A document stands on a shelf with those whose titles begin with the same letters: so many of them.
SHELVES = (1, 3)

_AFFECTED = """
    CREATE TEMPORARY TABLE affected_documents (
        workspace_id text COLLATE "C", entity_id text COLLATE "C", PRIMARY KEY (workspace_id, entity_id)
    ) ON COMMIT DELETE ROWS
"""


class Document(NamedTuple):
    """What is found: an entity of a workspace, with texts for the fields of its index in their order."""

    workspace_id: str
    entity_id: str
    texts: Sequence[str | Sequence[str] | None]


class Index(Projection):
    """A search index. A subclass says which documents events affect, and gives them as of the as-of dates.

    A word stands in the tsvector behind a key of its workspace and the weight of its field. So a GIN index finds the
    words of one workspace without going through those of the others, and the best matches without reading the rest.
    The shelves of a document are words too, by which `search.find` goes through a huge workspace in order of titles.

    Attributes:
        revision: raised whenever the same events would give other documents.
        fields: each with its weight, A (best) to D; the first one is the title.
        configuration: hash of all that decides which words a document is found by. `version` follows from it, so that
            an index of another configuration is stale (see `engine.stale`) until it is rebuilt.
    """

    schema: ClassVar[str] = "search"
    revision: ClassVar[int] = 1
    fields: ClassVar[Mapping[str, str]]
    configuration: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        parts = [cls.revision, list(cls.fields.items()), folding.VERSION, SHELVES]
        cls.configuration = sha256(json.dumps(parts).encode()).hexdigest()
        cls.version = int(cls.configuration[:7], 16)
        cls.table = Table(
            cls.name,
            ("workspace_id", "entity_id"),
            ("title", "shown", "sort_key", "document"),
            written_by=("workspace_id", "sort_key"),
        )

    @abstractmethod
    def find_affected(self, connection: Transaction, windows: Sequence[Window]) -> None:
        """Fill the temporary relation `affected_documents` (workspace_id, entity_id)."""

    @abstractmethod
    def documents(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterable[Document]:
        """Those of the affected documents that exist.

        Args:
            connection: the transaction of the fold.
            as_of: as-of date by workspace.
        """

    def fold(self, connection: Transaction, windows: Sequence[Window]) -> Folded:
        """Write the affected documents anew. See `Projection.fold`."""
        temporary_table(connection, "affected_documents", _AFFECTED)
        self.find_affected(connection, windows)
        as_of = {window.workspace_id: window.as_of for window in windows}
        # All of them first: the connection can not be asked while it copies.
        rows = list(map(self.row, self.documents(connection, as_of)))
        return Folded(replace_rows(connection, self.table, rows, of="affected_documents"))

    def row(self, document: Document) -> tuple[str, ...]:
        title = str(document.texts[0])
        sort_key = " ".join(folding.fold(title))[:SORT_KEY]
        shown = dict(zip(list(self.fields)[1:], document.texts[1:], strict=True))
        return (
            document.workspace_id,
            document.entity_id,
            title,
            to_json(shown).decode(),
            sort_key,
            _words(document, sort_key, self.fields.values()),
        )


@lru_cache(maxsize=1_000)
def workspace_key(workspace_id: str) -> str:
    """What a workspace's words begin with; `search.find` computes the same. Two workspaces may share one."""
    return md5(workspace_id.encode(), usedforsecurity=False).hexdigest()[:6]


def moved(windows: Sequence[Window]) -> list[tuple[str, date, date]]:
    """The workspaces whose as-of date moves, with the date before and now."""
    return [
        (window.workspace_id, window.as_of_before, window.as_of)
        for window in windows
        if window.as_of_before is not None and window.as_of_before != window.as_of
    ]


def _words(document: Document, sort_key: str, weights: Iterable[str]) -> str:
    """The document as PostgreSQL reads a tsvector, in which words may come twice."""
    key = workspace_key(document.workspace_id)
    found = [f"'{key}#{sort_key[:letters]:<{letters}}'" for letters in SHELVES]
    for weight, text in zip(weights, document.texts, strict=True):
        beginning = key + weight
        for part in (text,) if isinstance(text, str) else text or ():
            found += [_lexemes(beginning, piece) for piece in folding.pieces(part)]
    return " ".join(found)


# People of a workspace share titles, units and the domain of their address; those of all workspaces share names.
@lru_cache(maxsize=50_000)
def _lexemes(beginning: str, piece: str) -> str:
    """The words of a piece and their beginnings. Folding leaves no quote and no backslash in a word."""
    return " ".join([f"'{beginning}{word}'" for word in _findable(piece)])


@lru_cache(maxsize=50_000)
def _findable(piece: str) -> tuple[str, ...]:
    words = set(folding.spellings(piece))
    return tuple(sorted(words | {f"^{word[:length]}" for word in words for length in (1, 2)}))
