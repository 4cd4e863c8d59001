"""What a search index is: a projection with one document a row, and the fields that its words come from."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import md5, sha256
from typing import Any, ClassVar, NamedTuple

from pydantic_core import to_json

from batch_jobs.engine.projection import DerivedProjection, Folded, Window
from batch_jobs.engine.tables import Table, copy_rows, filling, replace_rows
from batch_jobs.search import folding
from batch_jobs.store.database import Transaction
from batch_jobs.store.temporary import temporary_table

# Longer sort keys would not fit into a B-tree.
SORT_KEY = 200
# A document stands on a shelf with those whose titles begin with the same letters: so many of them.
SHELVES = (1, 3)
# Stands for the key of the workspace in words that are kept for all of them. Folding leaves it in no word.
_KEY = "\0"
# Texts that others may have as well, and that are worth keeping.
SHORT = 60
# Documents that are made at once: what that holds in memory is bounded, and progress is seen.
SLICE = 25_000

_AFFECTED = """
    CREATE TEMPORARY TABLE affected_documents (
        workspace_id text COLLATE "C", entity_id text COLLATE "C", PRIMARY KEY (workspace_id, entity_id)
    ) ON COMMIT DELETE ROWS
"""
_NEXT = """
    INSERT INTO affected_documents
    SELECT * FROM ({entities}) AS e(workspace_id, entity_id)
    WHERE (workspace_id, entity_id) > (%(workspace)s, %(entity)s) ORDER BY workspace_id, entity_id LIMIT %(size)s
"""
_LAST = "SELECT workspace_id, entity_id FROM affected_documents ORDER BY workspace_id DESC, entity_id DESC LIMIT 1"


class Document(NamedTuple):
    """What is found: an entity of a workspace, with texts for the fields of its index in their order."""

    workspace_id: str
    entity_id: str
    texts: Sequence[str | Sequence[str] | None]


class Index(DerivedProjection):
    """A search index. A subclass says which documents there are, which ones events affect, and gives them as of the
    as-of dates.

    A word stands in the tsvector behind a key of its workspace and the weight of its field. So a GIN index finds the
    words of one workspace without going through those of the others, and the best matches without reading the rest.
    The shelves of a document are words too, by which `search.find` goes through a huge workspace in order of titles.

    Attributes:
        revision: raised whenever the same events would give other documents.
        fields: each with its weight, A (best) to D; the first one is the title.
        entities: query of the documents that there are (workspace_id, entity_id) in `%(workspaces)s`, each once.
        configuration: hash of all that decides which words a document is found by. `version` follows from it, so that
            an index of another configuration is stale (see `engine.stale`) until it is rebuilt.
    """

    schema: ClassVar[str] = "search"
    revision: ClassVar[int] = 1
    fields: ClassVar[Mapping[str, str]]
    entities: ClassVar[str]
    configuration: ClassVar[str]
    _shown: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        parts = [cls.revision, list(cls.fields.items()), folding.VERSION, SHELVES]
        cls._shown = tuple(cls.fields)[1:]
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
        rows = map(self.row, self.documents(connection, as_of))
        return Folded(replace_rows(connection, self.table, rows, of="affected_documents"))

    def derive(self, connection: Transaction, as_of: Mapping[str, date]) -> Iterator[float]:
        """Write all documents, slice by slice. See `DerivedProjection.derive`."""
        among: dict[str, Any] = {"workspaces": list(as_of)}
        row = connection.execute(f"SELECT count(*) FROM ({self.entities}) e", among).fetchone()
        total, done, last = row[0] if row else 0, 0, ("", "")
        with filling(connection, self.table):
            # To the last one, however many are added while this goes on.
            while done % SLICE == 0:
                temporary_table(connection, "affected_documents", _AFFECTED)
                after = {"workspace": last[0], "entity": last[1], "size": SLICE}
                number = connection.execute(_NEXT.format(entities=self.entities), among | after).rowcount
                if not number:
                    break
                last = connection.execute(_LAST).fetchone() or last
                rows = map(self.row, self.documents(connection, as_of))
                copy_rows(connection, self.table.name, (*self.table.key, *self.table.columns), rows)
                done += number
                yield min(done / max(total, 1), 1.0)

    def row(self, document: Document) -> tuple[str, ...]:
        """The document as a row of the table: the values of key and columns in their order."""
        title = str(document.texts[0])
        sort_key = " ".join(folding.fold(title))[:SORT_KEY]
        shown = dict(zip(self._shown, document.texts[1:], strict=True))
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


def _words(document: Document, sort_key: str, weights: Iterable[str]) -> str:
    """The document as PostgreSQL reads a tsvector, in which words may come twice."""
    found = [f"'{_KEY}#{sort_key[:letters]:<{letters}}'" for letters in SHELVES]
    for weight, text in zip(weights, document.texts, strict=True):
        if isinstance(text, str):
            found.append(_lexemes(weight, text))
        elif text:
            found += [_lexemes(weight, part) for part in text]
    return " ".join(found).replace(_KEY, workspace_key(document.workspace_id))


def _lexemes(weight: str, text: str) -> str:
    return _lexemes_of_short(weight, text) if len(text) <= SHORT else _lexemes_of_pieces(weight, text)


# People of a workspace share titles and units, those of all workspaces share names.
@lru_cache(maxsize=50_000)
def _lexemes_of_short(weight: str, text: str) -> str:
    return _lexemes_of_pieces(weight, text)


def _lexemes_of_pieces(weight: str, text: str) -> str:
    return " ".join([_lexemes_of_piece(weight, piece) for piece in folding.pieces(text)])


@lru_cache(maxsize=50_000)
def _lexemes_of_piece(weight: str, piece: str) -> str:
    """The words of a piece and their beginnings. Folding leaves no quote and no backslash in a word."""
    words = set(folding.spellings(piece))
    findable = sorted(words | {f"^{word[:length]}" for word in words for length in (1, 2)})
    return " ".join([f"'{_KEY}{weight}{word}'" for word in findable])
