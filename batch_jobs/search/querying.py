"""Asking an index, from Python: folds the words and calls the SQL function that every application calls."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from batch_jobs.errors import BadInputError
from batch_jobs.search.folding import fold
from batch_jobs.search.index import Index
from batch_jobs.store.database import Transaction

MOST_WORDS = 30
MOST_FOUND = 1_000


class Found(NamedTuple):
    """A document that was found.

    Attributes:
        entity_id: id of the employee, project or activity.
        title: its name.
        shown: the other fields of the index, by name.
        rank: 1 (the title begins with what was typed), 2 (the title holds all words), or 3, 4, 5 (a word was found only
            in a field of weight B, C, D).
    """

    entity_id: str
    title: str
    shown: dict[str, Any]
    rank: int


def query(connection: Transaction, index: str, words: str, *, limit: int = 20) -> list[Found]:
    """The documents that hold all words, the last one as a prefix; best match first, equal ones by title.

    Args:
        connection: a transaction whose scope is the one workspace to search in.
        index: `employees`, `projects` or `activities`.
        words: as somebody types them.
        limit: how many documents at the most, 1 to 1,000.

    Raises:
        BadInputError: no such index, no word in `words` or too many, or the limit is out of range.
    """
    fields = list(find_index(index).fields)[1:]
    if not 1 <= limit <= MOST_FOUND:
        raise BadInputError(f"limit {limit}: expected 1 to {MOST_FOUND}")
    rows = connection.execute(
        "SELECT entity_id, title, shown, rank FROM search.find(%s, %s, %s)", [index, _folded(words), limit]
    )
    # PostgreSQL keeps no order of fields; an index that is stale may lack one.
    return [Found(row[0], row[1], {name: row[2].get(name) for name in fields}, row[3]) for row in rows]


def find_index(name: str) -> Index:
    """The index of this name.

    Raises:
        BadInputError: there is none; the text names those that there are.
    """
    from batch_jobs import search

    known = search.registry()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? There are" if close else "there are"
        raise BadInputError(f'search index "{name}" is not known; {hint} {", ".join(known)}')
    return known[name]


def _folded(text: str) -> Sequence[str]:
    words = fold(text)
    if not words:
        raise BadInputError(f'"{text}" holds no word to search for; give at least a letter or a digit of a name')
    if len(words) > MOST_WORDS:
        raise BadInputError(f"{len(words)} words to search for; expected {MOST_WORDS} at the most")
    return words
