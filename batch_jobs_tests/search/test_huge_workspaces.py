"""Searches where words are frequent: what the function finds is what going through all documents finds."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import psycopg
import pytest

from batch_jobs import search
from batch_jobs.search.folding import fold, spellings
from batch_jobs.search.index import Document
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import import_all, workspace
from batch_jobs_tests.search.searching import ids

GIVEN = ("Aage", "Al", "Ålborg Bo", "李", "Ka", "Karl", "Mary", "Zoë", "A", "???")
FAMILY = ("Karlsen", "O'Brien", "Müller", "von Ka", "Holm", "Abe", "雷", "Zorn-Berg")
TITLES = ("Engineer", "Nurse", "Karting coach", None)
# One in so many is an auditor: more than are found at once, and too few for the first titles to be looked at.
AUDITORS = 17
NUMBER = 27_000
# Of the fields of the index: name, preferred name, e-mail, job title, org units.
RANKS = (2, 3, 4, 4, 5)


def people() -> Iterator[Document]:
    """Titles of a few beginnings, so that shelves are full, and words that stand in several fields."""
    chance = random.Random(5)
    for number in range(NUMBER):
        name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY) if chance.random() < 0.9 else ''}".strip()
        preferred = chance.choice(FAMILY) if chance.random() < 0.05 else None
        units = ["Unit 1", f"Unit {chance.randrange(1, 30)}"]
        title = "Auditor" if number % AUDITORS == 0 else chance.choice(TITLES)
        yield Document("acme", f"e-{number:05}", (name, preferred, None, title, units))


@dataclass(frozen=True)
class Read:
    """A document as somebody reads it: its title, and the words of each field with its rank."""

    entity_id: str
    title: str
    words: Sequence[tuple[int, frozenset[str]]]

    @classmethod
    def of(cls, document: Document) -> "Read":
        """Read a document."""
        texts = [[text] if isinstance(text, str) else text or () for text in document.texts]
        words = [frozenset(word for part in parts for word in spellings(part)) for parts in texts]
        return cls(document.entity_id, " ".join(fold(str(document.texts[0]))), list(zip(RANKS, words, strict=True)))

    def rank(self, asked: list[str]) -> int | None:
        """By docs/search.md: the title begins with it, else the rank of the least of the fields that are needed."""
        if self.title.startswith(" ".join(asked)):
            return 1
        needed = [min((rank for rank, words in self.words if word in words), default=6) for word in asked[:-1]]
        last = [rank for rank, words in self.words if any(word.startswith(asked[-1]) for word in words)]
        worst = max([*needed, min(last, default=6)])
        return worst if worst < 6 else None


def expected(documents: list[Read], asked: list[str], *, of_rank: int | None = None) -> list[str]:
    """All that is found, or what is found of one rank, going through one document after the other."""
    found = sorted((rank, one.title, one.entity_id) for one in documents if (rank := one.rank(asked)))
    return [entity_id for rank, _, entity_id in found if of_rank in (None, rank)]


def drawn() -> list[str]:
    """What somebody may type: a few words of the documents, the last one perhaps only begun."""
    chance = random.Random(7)
    texts = [*GIVEN[:-1], *FAMILY, *filter(None, TITLES), "Auditor", "Unit 1", "Unit 17"]
    words = sorted({word for text in texts for word in fold(text)})
    found = []
    for _ in range(60):
        chosen = chance.choices(words, k=chance.randrange(1, 4))
        found.append(" ".join([*chosen[:-1], chosen[-1][: chance.randrange(1, 8)]]))
    return found


@pytest.fixture
def read(database: Database) -> list[Read]:
    """The people, in the index."""
    import_all(database, workspace())
    documents = list(people())
    index = search.registry()["employees"]
    with database.owner() as connection, connection.cursor() as cursor:
        columns = "workspace_id, entity_id, title, shown, sort_key, document"
        with cursor.copy(f"COPY search.employees ({columns}) FROM STDIN") as copy:
            for document in documents:
                copy.write_row(index.row(document))
        on_shelves = "document @@ quote_literal(search.shelf(workspace_id, sort_key, letters))::tsquery"
        astray = f"SELECT count(*) FROM search.employees, unnest(ARRAY[1, 3]) AS letters WHERE NOT {on_shelves}"
        assert cursor.execute(astray).fetchone() == (0,), "SQL and Python name shelves differently"
    return list(map(Read.of, documents))


@pytest.mark.every_postgres
def test_all_ways_of_searching_find_what_going_through_all_documents_finds(
    database: Database, read: list[Read]
) -> None:
    """With statistics what is frequent is found among the first titles or shelf by shelf; without, all at once."""
    queries = ["ka", "kar", "k", "unit ka", "unit k", "nurse karl", "unit 1", "unit 12", "engineer unit", "abe", "雷"]
    queries += ["auditor", "aud", "auditor ka", "auditor karl", "unit aud", "karl auditor nur"]
    queries += ["obrien", "mueller", "nurse zo", "von ka", "aage unit", "al nurse", "zz", "unit zz", "karting a", "a"]
    queries += drawn()
    wanted = {query: expected(read, fold(query)) for query in queries}
    for analyzed in (False, True):
        if analyzed:
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute("ANALYZE search.employees")
                frequent = "SELECT documents FROM search.expected('employees', 'acme', '{auditor}') WHERE of_rank = 4"
                (auditors,) = connection.execute(frequent).fetchone() or (0,)
                assert 1_500 < auditors < 0.75 * 20 / 250 * NUMBER
        for query in queries:
            for at_most in (3, 20, 300):
                found = ids(database, query, limit=at_most)
                assert found == wanted[query][:at_most], (query, at_most, analyzed)
    # Far more words than the command line lets through: as frequent as they are, next to nothing is expected.
    with database.worker(["acme"]) as connection:
        many = "SELECT entity_id FROM search.find('employees', array_fill('holm'::text, ARRAY[400]), 20)"
        assert [row[0] for row in connection.execute(many)] == expected(read, ["holm"] * 400)[:20]


def test_shelves_give_the_same_by_whichever_words_the_index_is_asked(database: Database, read: list[Read]) -> None:
    """The rarest word alone, or several where each is very frequent; a long beginning, or two letters of it."""
    by_shelves = "SELECT entity_id FROM search.by_shelves('employees', 'acme', %s, %s, %s, %s, %s, 20)"
    for query in ("karl", "unit karl", "nurse al", "nurse zor", "karting a", "engineer unit muel", "unit ab"):
        words = fold(query)
        places = list(range(1, len(words) + 1))
        for rank in range(2, 6):
            wanted = expected(read, words, of_rank=rank)[:20]
            for frequency, begun in product((0, 1_000_000), (0, 1_000_000)):
                for known in range(1, len(words) + 1):
                    for rarest in permutations(places, known):
                        # As `search.expected` has it: those that are far more frequent are not named.
                        padded = [[*rarest, *[None] * (len(words) - known)]]
                        with database.owner() as connection:
                            rows = connection.execute(by_shelves, [words, frequency, begun, padded, rank]).fetchall()
                        assert [row[0] for row in rows] == wanted, (query, rank, frequency, begun, rarest)
