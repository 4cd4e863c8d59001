"""Unusual names are found as people type them."""

from collections.abc import Callable, Iterator

import pytest

from batch_jobs.errors import BadInputError
from batch_jobs.search.folding import fold
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, workspace
from batch_jobs_tests.postgres import Databases
from batch_jobs_tests.search.searching import ids, index_events

LONG = (
    "Wolfeschlegelsteinhausenbergerdorff"
    + "welchevoralternwarengewissenhaftschaferswessenschafewarenwohlgepflegeundsorgfaltigkeit"
)

# A name, and what finds it.
NAMES = {
    "Søren Kierkegård": ["soren", "SØREN", "søren kierk", "kierkegard soren", "kierkegaard", "soeren"],
    "İpek Işık": ["ipek", "İPEK", "IPEK", "isik", "ışık"],
    "Łukasz Żółć": ["lukasz", "łuk", "zolc"],
    "Zoë Núñez": ["zoe", "nunez", "Zoe\u0308"],
    "Jürgen Müller-Großmann": ["muller", "mueller", "Müller", "grossmann", "müller-gr", "mullergrossmann"],
    "李雷": ["李雷", "李", "雷"],
    "김철수": ["김철수", "김", "기"],
    "やまだ太郎": ["やまだ", "太郎"],
    "Conan O'Brien": ["obrien", "brien", "o'brien", "O’Bri", "o'b"],
    "D’Artagnan": ["dartagnan", "artagnan", "d'art"],
    "Anne-Marie Þórsdóttir": ["anne-m", "marie", "annemarie", "thorsdottir"],
    LONG: [LONG, LONG[:20], LONG.upper()],
    "محمد عليّ": ["محمد", "علي", "على"],
    "\u200fמֹשֶׁה כהן": ["משה", "כהן", "מֹשֶׁה"],
    "Zed 👩‍💻": ["👩‍💻", "zed 💻"],
    "Nguyễn Văn Đức": ["nguyen", "duc", "nguyễn v"],
    "Ólafur Ægir Œuvrard": ["olafur", "aegir", "ægir", "oeuvrard"],
    "Ευάγγελος Ωμέγας": ["ευαγγελος", "ΩΜΕΓΑΣ", "ωμεγας"],
    "Фёдор Йович": ["федор", "ФЁДОР", "йович"],
    "ﬁona Ｓｍｉｔｈ": ["fiona", "smith"],
    "\\Robert'); DROP": ["robert", "'drop", "rob"],
    "अनुष्का": ["अनुष्का", "अनु"],
    "Malcolm X": ["x", "malcolm x"],
    "Agent 007": ["007", "agent 0", "٠٠٧"],
}


def _fill(url: str) -> None:
    from batch_jobs.store.schema import migrate

    with Database(url) as database:
        migrate(database)
        index_events(database, workspace(), *(employee(f"e {name}"[:100], name=name) for name in NAMES))


@pytest.fixture
def people(make_database: Callable[..., str], databases: Databases) -> Iterator[Database]:
    with Database(make_database(databases.template("unusual_names", _fill))) as database:
        yield database


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20].encode("ascii", "namereplace").decode())
def test_found_as_typed(people: Database, name: str) -> None:
    for typed in NAMES[name]:
        assert ids(people, typed) == [f"e {name}"[:100]], typed


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:20].encode("ascii", "namereplace").decode())
def test_found_at_every_letter(people: Database, name: str) -> None:
    beginnings = [name[:length] for length in range(1, len(name) + 1)]
    missing = [typed for typed in beginnings if fold(typed) and f"e {name}"[:100] not in ids(people, typed)]
    assert missing == []


@pytest.mark.parametrize("typed", ["", " ", "'", "!?*:&|", "-", "\u200b"])
def test_what_holds_no_word_is_refused(people: Database, typed: str) -> None:
    with pytest.raises(BadInputError, match="holds no word to search for"):
        ids(people, typed)


@pytest.mark.parametrize("typed", ["soren & !ipek", "soren | lukasz", "soren:A", "'soren' \\", "soren <-> x"])
def test_operators_are_no_words(people: Database, typed: str) -> None:
    assert ids(people, typed) in ([], ["e Søren Kierkegård"])
