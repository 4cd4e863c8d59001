"""What is behind is brought in step, and counted as what really changed, workspace by workspace."""

from datetime import timedelta
from typing import Any

import pytest

from batch_jobs import projections, search
from batch_jobs.engine.due import RETRY_DELAYS
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.projection import Projection
from batch_jobs.jobs.sync_projections import SyncProjections
from batch_jobs.store.database import Database
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import DAY, Clock, digests, engine_of, found, rows, run

JOB = SyncProjections.name
NAMES = ["acme", "globex", "initech"]
BREAK = """
    CREATE FUNCTION projections.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the table refuses %', NEW.workspace_id; END $$;
    CREATE TRIGGER broken BEFORE INSERT ON projections.employee_directory FOR EACH ROW
    WHEN (NEW.workspace_id = 'globex') EXECUTE FUNCTION projections.refuse()
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database: Database, clock: Clock) -> Engine:
    found(database, NAMES)
    return engine_of(database, SyncProjections(), clock=clock)


def due(engine: Engine) -> list[str]:
    return [item.workspace_id for item in engine.due([JOB]).due]


def sync(engine: Engine, *workspaces: str, **wishes: Any) -> list[JobRun]:
    return run(engine, JOB, workspaces or NAMES, trigger="sensor", only_due=True, **wishes)


def stored(database: Database, kind: str, workspace_id: str) -> set[str]:
    """The rows of a workspace in all projections, or in all search indexes, as text."""
    registry: dict[str, Projection] = {**(projections if kind == "projections" else search).registry()}
    return {
        f"{table} {line}"
        for table in registry
        for (line,) in rows(
            database, f"SELECT to_jsonb(t)::text FROM {kind}.{table} t WHERE workspace_id = %s", workspace_id
        )
    }


def test_what_was_recorded_makes_it_due_and_one_run_brings_all_in_step(engine: Engine) -> None:
    assert due(engine) == NAMES
    runs = sync(engine)
    assert [(one.status, one.trigger) for one in runs] == [("completed", "sensor")] * 3
    (head,) = rows(engine.database, "SELECT head FROM batch_jobs.workspaces WHERE workspace_id = 'acme'")[0]
    for one in runs:
        assert one.counters == {
            "events_applied": head,
            "rows_changed": len(stored(engine.database, "projections", one.workspace_id)),
            "documents_changed": len(stored(engine.database, "search", one.workspace_id)),
            "dead_letters": 0,
        }
    assert due(engine) == []
    assert sync(engine) == []
    before = digests(engine.database)
    again = run(engine, JOB, NAMES)
    assert [one.counters["skipped_reason"] for one in again] == ["nothing is due"] * 3
    assert digests(engine.database) == before


def test_it_is_due_again_as_often_as_something_is_recorded(engine: Engine) -> None:
    sync(engine)
    for number in range(12):
        builders.import_all(engine.database, *builders.of("globex", builders.employee("e-1", name=f"Name {number}")))
        assert due(engine) == ["globex"]
        before = stored(engine.database, "projections", "globex"), stored(engine.database, "search", "globex")
        (one,) = sync(engine)
        after = stored(engine.database, "projections", "globex"), stored(engine.database, "search", "globex")
        changed = [len(new - old) for old, new in zip(before, after, strict=True)]
        assert (one.counters["events_applied"], one.attempt) == (1, number + 2)
        assert [one.counters["rows_changed"], one.counters["documents_changed"]] == changed
        assert min(changed) > 0


def test_a_dead_letter_is_a_warning_that_names_it(engine: Engine) -> None:
    letter = builders.statement("submitted", "e-1", DAY, DAY, approvers=[])
    builders.import_all(engine.database, *builders.of("acme", letter))
    acme, globex, _ = sync(engine)
    assert (acme.status, acme.counters["dead_letters"], globex.status) == ("warning", 1, "completed")
    ((entity, message),) = rows(
        engine.database,
        "SELECT entity, message FROM batch_jobs.job_run_errors WHERE job_run_id = %s",
        acme.job_run_id,
    )
    assert entity == "event"
    assert message.startswith("timesheet_statements, event at position ")
    assert due(engine) == []


def test_a_dry_run_counts_the_same_and_changes_nothing(engine: Engine) -> None:
    before = digests(engine.database)
    dry = run(engine, JOB, NAMES, parameters={"dry_run": True})
    assert digests(engine.database) == before
    assert due(engine) == NAMES
    assert [one.counters for one in dry] == [one.counters for one in sync(engine)]


def test_a_workspace_that_can_not_be_folded_fails_alone_and_is_tried_for_ever(engine: Engine, clock: Clock) -> None:
    with engine.database.owner() as connection:
        connection.execute(BREAK)
    acme, globex, initech = sync(engine)
    assert (acme.status, globex.status, initech.status) == ("completed", "failed", "completed")
    assert "the table refuses globex" in (globex.message or "")
    for delay in (*RETRY_DELAYS, *RETRY_DELAYS[-1:] * 8):
        with engine.database.owner() as connection:
            connection.execute("UPDATE batch_jobs.job_runs SET ended_at = %s WHERE status = 'failed'", [clock.now])
        assert sync(engine) == []
        clock.now += delay
        assert due(engine) == ["globex"]
        assert [one.status for one in sync(engine)] == ["failed"]
    with engine.database.owner() as connection:
        connection.execute("DROP TRIGGER broken ON projections.employee_directory; DROP FUNCTION projections.refuse")
        connection.execute("UPDATE batch_jobs.job_runs SET ended_at = %s WHERE status = 'failed'", [clock.now])
    clock.now += RETRY_DELAYS[-1]
    assert [one.status for one in sync(engine)] == ["completed"]
    # What failed before it ended well does not count any more.
    builders.import_all(engine.database, *builders.of("globex", builders.employee("e-1", name="Another")))
    (item,) = engine.due([JOB]).due
    assert item.failures == 0


def test_the_rows_are_those_of_the_workspaces_own_today(engine: Engine) -> None:
    leaver = builders.employment("e-9/1", DAY, DAY)
    builders.import_all(engine.database, *builders.of("acme", builders.employee("e-9"), leaver))
    sync(engine)
    assert rows(
        engine.database,
        "SELECT status FROM projections.employee_directory WHERE (workspace_id, employee_id) = ('acme', 'e-9')",
    ) == [("active",)]
    assert {day for (day,) in rows(engine.database, "SELECT DISTINCT last_run_date FROM batch_jobs.workspaces")} == {
        DAY
    }


def test_what_the_new_day_changes_is_counted_too(engine: Engine, clock: Clock) -> None:
    joins = builders.employment("e-9/1", DAY + timedelta(days=1))
    builders.import_all(engine.database, *builders.of("acme", builders.employee("e-9"), joins))
    sync(engine)
    clock.now += timedelta(days=1)
    builders.import_all(engine.database, *builders.of("acme", builders.employee("e-1", name="Another")))
    before = stored(engine.database, "projections", "acme")
    (one,) = run(engine, JOB, ["acme"], DAY + timedelta(days=1), trigger="sensor", only_due=True)
    changed = stored(engine.database, "projections", "acme") - before
    assert any('"e-9"' in line and '"active"' in line for line in changed)
    assert one.counters["rows_changed"] == len(changed)
