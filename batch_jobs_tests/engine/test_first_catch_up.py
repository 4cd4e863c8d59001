"""The first catch-up of many events gives the rows, checkpoints and dead letters that any other catch-up gives."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch_jobs.engine import catch_up_all
from batch_jobs.installation import make_engine
from batch_jobs.sample.generator import generate
from batch_jobs.settings import Settings
from batch_jobs.store.database import Database
from batch_jobs.store.envelope import event_reader
from batch_jobs.store.events import append, lock_workspaces
from batch_jobs.store.transfer import import_events
from batch_jobs_tests import builders
from batch_jobs_tests.deadline import until
from batch_jobs_tests.engine.company import digests, rows
from batch_jobs_tests.jobs.nights import UNTIL

# Of the one session that waits for another's lock: how many relations it holds locks on.
_LOCKED_BY_WAITING = """
    SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'relation' AND l.granted
    WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' GROUP BY a.pid
"""


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


def test_others_write_while_it_builds(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catch_up_all, "MANY_EVENTS", 1)
    import_events(
        database,
        (json.dumps(event).encode() for event in generate(workspaces=1, employees=6, seed="first", until=UNTIL)),  # type: ignore[arg-type]
    )
    engine = make_engine(database, Settings(home=tmp_path))
    ((workspace_id, head),) = rows(database, "SELECT workspace_id, max(position) FROM batch_jobs.events GROUP BY 1")
    with ThreadPoolExecutor(1) as pool, Database(database.url) as others, others.worker([workspace_id]) as writing:
        lock_workspaces(writing, [workspace_id])
        builder = pool.submit(engine.catch_up)
        until(lambda: rows(database, _LOCKED_BY_WAITING))
        # It has built everything, into tables of its own, by the time that it asks for the lock.
        ((relations,),) = rows(database, _LOCKED_BY_WAITING)
        assert relations > 3 * len(engine.projections)
        (late,) = builders.of(workspace_id, builders.user("late"))
        append(writing, [event_reader().read(json.dumps(late).encode())])
    result = builder.result(60)
    assert {one.workspace_id for one in result.caught_up} == {workspace_id}
    checkpoints = rows(database, "SELECT DISTINCT position FROM batch_jobs.checkpoints")
    assert checkpoints == [(head + 1,)]
    assert rows(database, "SELECT entity_id FROM projections.definitions WHERE entity_id = 'late'") == [("late",)]
