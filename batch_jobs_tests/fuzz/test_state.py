"""Whatever is written shows in the state, and what is half written is refused."""

from collections.abc import Iterator

import pytest

from batch_jobs_tests.fuzz.place import Place, place_of
from batch_jobs_tests.fuzz.state import differing
from batch_jobs_tests.postgres import EMBEDDED, Servers


@pytest.fixture(scope="module")
def place(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_of(servers.of(EMBEDDED).make_database(), tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("projections.employee_directory", "UPDATE projections.employee_directory SET name = name || '?'"),
        ("search.employees", "DELETE FROM search.employees WHERE workspace_id = 'globex'"),
        ("batch_jobs.checkpoints", "UPDATE batch_jobs.checkpoints SET position = position - 1"),
        ("batch_jobs.events", "UPDATE batch_jobs.events SET actor = 'user:u-2'"),
        ("batch_jobs.workspaces", "UPDATE batch_jobs.workspaces SET name = 'Other'"),
    ],
)
def test_a_change_shows(place: Place, table: str, statement: str) -> None:
    before = place.state()
    with place.database.owner() as connection:
        assert connection.execute(statement).rowcount
    assert [*differing(before, place.state())] == [table]
    with pytest.raises(AssertionError, match=table):
        place.still_holds(before)


@pytest.mark.parametrize(
    ("said", "statement"),
    [
        ("events more than the heads say", "UPDATE batch_jobs.workspaces SET head = head {} 1"),
        ("checkpoints ahead of the log", "UPDATE batch_jobs.checkpoints SET position = position - 1000 * (0 {} 1)"),
    ],
)
def test_what_is_half_written_is_no_state(place: Place, said: str, statement: str) -> None:
    with place.database.owner() as connection:
        connection.execute(statement.format("-"))
    with pytest.raises(AssertionError, match=said):
        place.state()
    with place.database.owner() as connection:
        connection.execute(statement.format("+"))
    assert place.state()
