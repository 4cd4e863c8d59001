"""A hang is ended wherever it is, and says of which input."""

import threading

import pytest

from batch_jobs_tests.fuzz import limit
from batch_jobs_tests.fuzz.limit import HangError, limited
from batch_jobs_tests.fuzz.place import Place, place_of
from batch_jobs_tests.postgres import EMBEDDED, Servers


@limited
def wait(given: str) -> None:
    try:
        threading.Event().wait()
    except Exception:
        raise AssertionError("taken for an error of its own") from None


@limited
def wait_in_the_database(place: Place, given: str) -> None:
    with place.database.owner() as connection:
        connection.execute("SELECT pg_sleep(600)")


def test_a_hang_ends_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "MOST_SECONDS", 0.2)
    with pytest.raises(HangError, match=r"wait took more than 0.2 s for: 'anything'"):
        wait("anything")


def test_a_hang_in_the_database_ends(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place_of(servers.of(EMBEDDED).make_database(), tmp_path_factory.mktemp("limit")) as place:
        monkeypatch.setattr(limit, "MOST_SECONDS", 0.2)
        with pytest.raises(HangError, match=r"wait_in_the_database took more than 0.2 s for: 'anything'"):
            wait_in_the_database(place, "anything")
        # What hung is left in order.
        assert place.state()
