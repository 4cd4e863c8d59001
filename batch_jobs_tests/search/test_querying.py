"""Which documents a query finds, in which order, and in whose workspace."""

import pytest
from psycopg import errors

from batch_jobs import search
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, employment, of, unit, user, workspace
from batch_jobs_tests.search.searching import activity, ids, index_events, project

PEOPLE = [
    workspace(),
    unit("ou-1", name="Nordic Engineering"),
    unit("ou-2", "ou-1", name="Platform"),
    employee("e-1", name="Anna Berg"),
    employee("e-2", name="Hanna Engel", preferred_name="Anna"),
    employee("e-3", name="Bo Holm", email="anna@acme.example"),
    employee("e-4", name="Annabel Aas"),
    employee("e-5", name="Lis Anna Dahl"),
    employee("e-6", name="Carl Engel"),
    employment("e-3/1", job_title="Engineer", org_unit_id="ou-2"),
    employment("e-4/1", job_title="Nurse", org_unit_id="ou-1"),
]


@pytest.mark.every_postgres
def test_the_best_match_comes_first_and_equal_ones_by_name(database: Database) -> None:
    index_events(database, *PEOPLE)
    # The name begins with it, it is in the name, in the preferred name, in the e-mail address.
    assert ids(database, "anna") == ["e-1", "e-4", "e-5", "e-2", "e-3"]
    # In the name, the job title, the name of an org unit above.
    assert ids(database, "eng") == ["e-6", "e-2", "e-3", "e-4"]
    with database.worker(["acme"]) as connection:
        found = search.query(connection, "employees", "eng")
        assert [one.rank for one in found] == [2, 2, 4, 5]
        assert found[2].title == "Bo Holm"
        assert found[2].shown == {
            "preferred_name": None,
            "email": "anna@acme.example",
            "job_title": "Engineer",
            "org_units": ["Nordic Engineering", "Platform"],
        }


def test_all_words_must_match_the_last_one_as_a_prefix(database: Database) -> None:
    index_events(database, *PEOPLE)
    assert ids(database, "engel ann") == ["e-2"]
    assert ids(database, "ann engel") == []
    assert ids(database, "nurse nordic a") == ["e-4"]
    assert ids(database, "platform bo anna") == ["e-3"]
    assert ids(database, "anna engineer surgeon") == []
    assert ids(database, "anna anna") == ["e-1", "e-5", "e-2", "e-3"]


def test_beginnings_of_one_and_two_letters(database: Database) -> None:
    index_events(database, *PEOPLE)
    assert ids(database, "d") == ["e-5"]
    assert ids(database, "da") == ["e-5"]
    assert ids(database, "dx") == []
    assert ids(database, "anna d") == ["e-5"]
    assert ids(database, "d anna") == []


def test_a_limit_keeps_the_best(database: Database) -> None:
    index_events(database, *PEOPLE)
    assert [ids(database, "anna", limit=most) for most in (1, 3, 4)] == [
        ["e-1"],
        ["e-1", "e-4", "e-5"],
        ["e-1", "e-4", "e-5", "e-2"],
    ]


def test_many_of_each_rank_are_found_in_order(database: Database) -> None:
    """More documents than are looked through first, frequent words and rare ones."""
    people = [employee(f"e-{number:04}", name=f"Zoe {number:04}") for number in range(700)]
    named = [employee(f"n-{number:04}", name=f"Max {number:04}", preferred_name="Zoe") for number in range(700)]
    jobs = [employment(f"{kind}-{number:04}/1", job_title="Chief") for number in range(700) for kind in "en"]
    index_events(
        database, workspace(), *people, *named, *jobs, employee("late", name="Ĺate Zoe", preferred_name="Chief")
    )
    for limit in (5, 699, 700, 702, 1000):
        expected = [f"e-{number:04}" for number in range(700)] + ["late"] + [f"n-{number:04}" for number in range(700)]
        assert ids(database, "zoe", limit=limit) == expected[:limit]
    chiefs = ids(database, "chief", limit=1000)
    assert chiefs == ["late", *(f"n-{number:04}" for number in range(700)), *(f"e-{n:04}" for n in range(299))]
    assert ids(database, "chief 0699") == ["n-0699", "e-0699"]
    assert ids(database, "chief z", limit=2) == ["late", "n-0000"]


def test_ties_by_name_do_not_mind_case_and_accents(database: Database) -> None:
    names = ["Ann Ödberg", "ann oberg", "Ann Zorn", "Ánn Aas"]
    index_events(database, workspace(), *(employee(name, name=name) for name in names))
    assert ids(database, "ann") == ["Ánn Aas", "ann oberg", "Ann Ödberg", "Ann Zorn"]


def test_projects_and_activities(database: Database) -> None:
    index_events(
        database,
        workspace(),
        employee("e-1", name="Søren Holm"),
        project("p-1", name="Bridge", description="A tunnel beside it", manager_id="e-1"),
        project("p-2", name="Tunnel", manager_id="nobody", status="closed"),
        activity("a-1", name="Travel"),
        activity("a-2", "a-1", name="By train"),
        activity("a-3", "a-2", name="Night train"),
        activity("a-4", "a-5", name="Loop one"),
        activity("a-5", "a-4", name="Loop two"),
        activity("a-6", "missing", name="Alone"),
    )
    assert ids(database, "tunn", "projects") == ["p-2", "p-1"]
    assert ids(database, "soren bridge", "projects") == ["p-1"]
    assert ids(database, "train", "activities") == ["a-2", "a-3"]
    assert ids(database, "travel", "activities") == ["a-1", "a-2", "a-3"]
    assert ids(database, "two", "activities") == ["a-5", "a-4"]
    assert ids(database, "alone", "activities") == ["a-6"]


@pytest.mark.every_postgres
def test_nobody_finds_what_is_in_another_workspace(database: Database) -> None:
    index_events(database, *of("acme", *PEOPLE), *of("globex", *PEOPLE[:4]))
    assert ids(database, "anna", workspace_id="globex") == ["e-1"]
    assert len(ids(database, "anna")) == 5
    # Its words begin alike only if both had the same key.
    with database.worker(["globex"]) as connection:
        assert connection.execute("SELECT count(*) FROM search.employees").fetchone() == (1,)


@pytest.mark.parametrize("scope", [[], ["acme", "globex"]])
def test_the_function_searches_in_one_workspace(database: Database, scope: list[str]) -> None:
    index_events(database, *of("acme", *PEOPLE), *of("globex", *PEOPLE))
    with (
        database.worker(scope) as connection,
        pytest.raises(errors.InvalidParameterValue, match=f"names {len(scope)} workspaces; expected the one"),
    ):
        search.query(connection, "employees", "anna")


def test_words_may_be_counted_from_any_number(database: Database) -> None:
    index_events(database, *of("acme", *PEOPLE))
    found = "SELECT entity_id FROM search.find('employees', %s::text[])"
    with database.worker(["acme"]) as connection:
        asked = [connection.execute(found, [words]).fetchall() for words in ("[0:1]={engel,ann}", "{engel,ann}")]
    assert asked[0] == asked[1] != []


@pytest.mark.parametrize(
    ("index", "words", "said"),
    [
        ("nowhere", ["a"], "there is no index"),
        ("employees; DROP TABLE x", ["a"], "there is no index"),
        ("employees", [], "no word"),
        ("employees", None, "no word"),
        ("employees", ["a", ""], "no word"),
        ("employees", [None], "no word"),
    ],
)
def test_what_the_function_refuses(database: Database, index: str, words: list[str] | None, said: str) -> None:
    with database.worker(["acme"]) as connection, pytest.raises(errors.InvalidParameterValue, match=said):
        connection.execute("SELECT * FROM search.find(%s, %s::text[])", [index, words])


@pytest.mark.parametrize("word", ["'", "\\", "%s %L", "a'b", "a | b", "!a", "a:*", "$$", "\\'"])
def test_any_text_is_a_word(database: Database, word: str) -> None:
    index_events(database, *PEOPLE)
    with database.worker(["acme"]) as connection:
        for words in ([word], ["anna", word], [word, "anna"]):
            assert connection.execute("SELECT * FROM search.find('employees', %s)", [words]).fetchall() == []


def test_who_may_call_the_function(database: Database) -> None:
    with database.reader() as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM search.find('employees', '{a}')")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"index": "employes"}, 'search index "employes" is not known; did you mean employees?'),
        ({"index": "xyz"}, "there are activities, employees, projects"),
        ({"limit": 0}, "limit 0: expected 1 to 1000"),
        ({"limit": 1001}, "limit 1001: expected 1 to 1000"),
        ({"words": "a " * 31}, "31 words to search for; expected 30 at the most"),
    ],
)
def test_what_a_query_refuses(database: Database, wish: dict[str, object], said: str) -> None:
    asked = {"index": "employees", "words": "anna", **wish}
    with pytest.raises(BadInputError) as refused:
        ids(database, **asked)  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_users_are_not_searched(database: Database) -> None:
    index_events(database, workspace(), employee("e-1", name="Ada"), user("secret", "e-1"))
    assert ids(database, "secret") == []
