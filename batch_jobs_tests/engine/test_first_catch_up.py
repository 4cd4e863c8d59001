"""The first catch-up of many events gives the rows, checkpoints and dead letters that any other catch-up gives."""

import json
from collections.abc import Callable

import pytest

from batch_jobs.engine import catch_up_all
from batch_jobs.installation import make_engine
from batch_jobs.sample.generator import generate
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import import_events
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import digests
from batch_jobs_tests.jobs.nights import UNTIL


def test_it_gives_what_any_catch_up_gives(
    make_database: Callable[..., str],
    migrated: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    events = [json.dumps(event).encode() for event in generate(workspaces=3, employees=6, seed="first", until=UNTIL)]  # type: ignore[arg-type]
    letter = builders.statement("submitted", "e-unknown", UNTIL, UNTIL, approvers=[])
    lettered = [builders.workspace("lettered"), *builders.of("lettered", letter)]
    found, counted = [], []
    for many in (len(events) * 2, 1):
        monkeypatch.setattr(catch_up_all, "MANY_EVENTS", many)
        with Database(make_database(migrated)) as database:
            import_events(database, events)
            builders.import_all(database, *lettered)
            result = make_engine(database, Settings(home=tmp_path_factory.mktemp("home"))).catch_up()
            counted.append(
                (result.dead_letters, sorted((one.projection, one.workspace_id) for one in result.caught_up))
            )
            found.append(digests(database, but=("batch_jobs.dead_letters",)))
            with database.owner() as connection:
                letters = connection.execute(
                    "SELECT projection, position, reason FROM batch_jobs.dead_letters"
                ).fetchall()
            assert len(letters) == 1
    assert found[0] == found[1]
    assert counted[0] == counted[1]
