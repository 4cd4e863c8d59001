"""Whatever happened in whichever order: a rebuild gives, to the byte, the rows that catching up has given."""

import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from batch_jobs import search
from batch_jobs.engine import folding, rebuild
from batch_jobs.engine.catch_up import catch_up
from batch_jobs.engine.rebuild import Rebuild
from batch_jobs.installation import all_projections
from batch_jobs.search import index
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs.store.payloads.catalog import REGISTRY
from batch_jobs_tests.builders import Event, import_all, of
from batch_jobs_tests.engine.company import LEDGER, digest, digests
from batch_jobs_tests.projections.catching_up import finish_run
from batch_jobs_tests.random_events import DAYS, EVENTS, histories

# A checkpoint may show an older as-of date where the rows do not depend on it.
NOT_ROWS = (*LEDGER, "batch_jobs.checkpoints")
numbers = itertools.count(1)
# After so many events all is caught up, or a day's run ends first.
breaks = st.dictionaries(st.integers(1, 60), st.booleans(), max_size=4)


def test_histories_have_events_of_every_type() -> None:
    assert set(EVENTS) == set(REGISTRY.types)


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(histories(), breaks, st.sampled_from([7, rebuild.STEP_EVENTS]), st.sampled_from([1, folding.MANY_EVENTS]))
def test_catching_up_and_rebuilding_give_the_same_rows(
    shared: Database, happened: list[Event], then: dict[int, bool], step: int, many: int
) -> None:
    workspace_id = f"random-{next(numbers)}"
    _take_in(shared, workspace_id, happened, then)
    before = digests(shared, but=NOT_ROWS)
    with pytest.MonkeyPatch.context() as patch, shared.worker([workspace_id]) as connection:
        patch.setattr(rebuild, "STEP_EVENTS", step)
        patch.setattr(folding, "MANY_EVENTS", many)
        built = Rebuild(connection, all_projections(), all_projections().keys(), [workspace_id])
        built.build()
        lock_workspaces(connection, [workspace_id])
        built.catch_up()
        for projection in built.wanted:
            found = built.compare(projection, samples=3)
            assert [drift.samples for drift in found.drifts if drift.changes] == []
            for table in projection.tables:
                assert digest(connection, f"pg_temp.{table.name}") == digest(
                    connection, f"{projection.schema}.{table.name}"
                )
            built.swap(found)
    assert digests(shared, but=NOT_ROWS) == before
    with pytest.MonkeyPatch.context() as patch, shared.worker([workspace_id]) as connection:
        patch.setattr(index, "SLICE", step)
        derived = Rebuild(connection, all_projections(), search.registry(), [workspace_id])
        assert derived.sources
        derived.build()
        for projection in derived.wanted:
            assert digest(connection, f"pg_temp.{projection.name}") == digest(connection, f"search.{projection.name}")


def _take_in(database: Database, workspace_id: str, happened: list[Event], then: dict[int, bool]) -> None:
    days = iter(DAYS[1::2])
    first = 0
    for last in sorted({*then, len(happened)}):
        import_all(database, *of(workspace_id, *happened[first:last]))
        first = last
        if then.get(last):
            finish_run(database, next(days), workspace_id)
        _catch_up(database, workspace_id)
    # Days pass without an event.
    finish_run(database, DAYS[-1], workspace_id)
    _catch_up(database, workspace_id)


def _catch_up(database: Database, workspace_id: str) -> None:
    with database.worker([workspace_id]) as connection:
        lock_workspaces(connection, [workspace_id])
        catch_up(connection, list(all_projections().values()), [workspace_id])
