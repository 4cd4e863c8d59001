"""What docs/search.md tells an application is so."""

import re

from batch_jobs import search
from batch_jobs.search.folding import fold
from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, workspace
from batch_jobs_tests.search.searching import index_events

TEXT = (PROJECT_FOLDER / "docs" / "search.md").read_text()


def test_examples_of_folding() -> None:
    table = TEXT.partition("| typed | words |")[2].partition("\n\n")[0]
    examples = [re.findall(r"`([^`]+)`", line) for line in table.splitlines()[2:]]
    assert len(examples) >= 8
    for typed, *words in examples:
        assert fold(typed) == words, typed


def test_fields_and_weights() -> None:
    for name, index in search.registry().items():
        (line,) = re.findall(rf"^\| `{name}` \| (.*) \|$", TEXT, re.MULTILINE)
        assert dict(re.findall(r"`(\w+)` (?:\([^)]*\) )?([A-D])", line)) == index.fields


def test_the_statements(database: Database) -> None:
    index_events(database, workspace(), employee("e-1", name="Søren Engel"))
    (script,) = re.findall(r"^```sql\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    begin, *statements, commit = [part.strip() for part in script.split(";") if part.strip()]
    assert (begin, commit) == ("BEGIN", "COMMIT")
    with database.owner() as connection:
        cursors = [connection.execute(statement.encode()) for statement in statements]
        assert [row[:2] for row in cursors[-1]] == [("e-1", "Søren Engel")]
        connection.execute("RESET ROLE")
        connection.execute("CREATE ROLE app_of_search")
        connection.execute("GRANT app_of_search TO CURRENT_USER")
        (grants,) = re.findall(r"`(GRANT USAGE [^`]+)`", TEXT)
        for grant in grants.replace(" app;", " app_of_search;").split(";"):
            if grant.strip():
                connection.execute(grant.encode())
        connection.execute("SET LOCAL ROLE app_of_search")
        rows = connection.execute("SELECT title FROM search.find('employees', '{engel}')").fetchall()
        assert rows == [("Søren Engel",)]
        connection.execute("RESET ROLE")
        # Roles are of the whole server, on which other tests run.
        connection.execute("DROP OWNED BY app_of_search")
        connection.execute("DROP ROLE app_of_search")
