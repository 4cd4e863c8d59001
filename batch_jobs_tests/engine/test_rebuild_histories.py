"""Whatever happened in whichever order: a rebuild gives, to the byte, the rows that catching up has given."""

import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from batch_jobs.engine import rebuild
from batch_jobs.engine.catch_up import catch_up
from batch_jobs.engine.rebuild import Rebuild
from batch_jobs.installation import all_projections
from batch_jobs.store.database import Database
from batch_jobs.store.events import lock_workspaces
from batch_jobs_tests.builders import Event
from batch_jobs_tests.engine.company import digests
from batch_jobs_tests.projections.test_every_split import _step_by_step, happenings

numbers = itertools.count(1)


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])
@given(happenings, st.sampled_from([1, 3, rebuild.STEP_EVENTS]))
def test_catching_up_and_rebuilding_give_the_same_rows(
    shared: Database, happened: list[tuple[Event, str]], step: int
) -> None:
    workspace_id = f"random-{next(numbers)}"
    _step_by_step(shared, workspace_id, happened)
    projections = all_projections()
    with shared.worker([workspace_id]) as connection:
        catch_up(connection, list(projections.values()), [workspace_id])
    before = digests(shared)
    with pytest.MonkeyPatch.context() as patch, shared.worker([workspace_id]) as connection:
        patch.setattr(rebuild, "STEP_EVENTS", step)
        built = Rebuild(connection, projections, projections.keys(), [workspace_id])
        built.build()
        lock_workspaces(connection, [workspace_id])
        built.catch_up()
        for projection in built.wanted:
            found = built.compare(projection, samples=3)
            assert [drift.samples for drift in found.drifts if drift.changes] == []
            built.swap(found)
    assert digests(shared) == before
