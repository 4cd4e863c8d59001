"""A person who doubts the rows asks for a check, and learns where they differ from what the events give."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from dagster import AssetCheckEvaluation, AssetCheckKey, AssetCheckSeverity, AssetKey, DagsterInstance

from batch_jobs.installation import all_projections, open_engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.drift_checks import AS_RECORDED
from batch_jobs_tests.orchestration.installation import Installation

STOP_AT_ONCE = """
    CREATE FUNCTION batch_jobs.stop_at_once() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.stop_requested_at := clock_timestamp(); RETURN NEW; END $$;
    CREATE TRIGGER stop_at_once BEFORE INSERT ON batch_jobs.job_runs FOR EACH ROW
    WHEN (NEW.workspace_id = 'w-1') EXECUTE FUNCTION batch_jobs.stop_at_once()
"""
LET_GO = "DROP TRIGGER stop_at_once ON batch_jobs.job_runs; DROP FUNCTION batch_jobs.stop_at_once"
DIRECTORY, SEARCHED = AssetKey(["projections", "employee_directory"]), AssetKey(["search", "employees"])


@pytest.fixture
def stopped(installation: Installation) -> Iterator[None]:
    """Runs of the first workspace are stopped as soon as they begin."""
    installation.execute(STOP_AT_ONCE)
    yield
    installation.execute(LET_GO)


def checked(installation: Installation) -> dict[AssetKey, AssetCheckEvaluation]:
    """What the check finds for a projection and a search index."""
    keys = [AssetCheckKey(key, AS_RECORDED) for key in (DIRECTORY, SEARCHED)]
    with DagsterInstance.from_config(str(installation.settings.dagster_home)) as instance:
        definitions = build_definitions(settings=installation.settings)
        job = definitions.get_repository_def().get_implicit_global_asset_job_def()
        result = job.get_subset(asset_check_selection=set(keys), asset_selection=set()).execute_in_process(
            instance=instance
        )
        run = instance.get_run_by_id(result.run_id)
    assert result.success
    assert run
    # A check that finds something has done its work.
    assert run.tags["status"] == "completed"
    return {one.asset_key: one for one in result.get_asset_check_evaluations()}


def test_rows_that_were_damaged_are_noticed_until_they_are_mended(installation: Installation) -> None:
    with open_engine(installation.settings) as engine:
        engine.catch_up()
    assert {key: one.passed for key, one in checked(installation).items()} == {DIRECTORY: True, SEARCHED: True}
    installation.execute("UPDATE projections.employee_directory SET name = 'Wrong' WHERE workspace_id = 'w-1'")
    installation.execute("DELETE FROM search.employees WHERE workspace_id = 'w-2' AND entity_id = 'e-1'")
    found = checked(installation)
    assert all(one.severity == AssetCheckSeverity.WARN and not one.passed for one in found.values())
    assert found[DIRECTORY].metadata["named"].value == "w-1"
    assert "0 are missing, 2 are wrong, 0 should not be there" in str(found[DIRECTORY].description)
    # Documents are held against the projections as these are.
    assert found[SEARCHED].metadata["named"].value == "w-1, w-2"
    assert "1 are missing, 2 are wrong, 0 should not be there" in str(found[SEARCHED].description)
    rows = installation.select("SELECT count(*) FROM projections.employee_directory WHERE name = 'Wrong'")
    assert rows == [(2,)]


def test_no_schedule_asks_for_it(installation: Installation) -> None:
    definitions = build_definitions(settings=installation.settings)
    with installation.instance():
        graph = definitions.resolve_asset_graph()
        every = {key for key in graph.asset_check_keys if key.name == AS_RECORDED}
        assert len(every) == len(all_projections())
        scheduled = definitions.resolve_job_def("check_projections").asset_layer.asset_graph.asset_check_keys
        assert not every & set(scheduled)


def test_beside_a_materialization_it_looks_at_that_workspace_alone(installation: Installation) -> None:
    with open_engine(installation.settings) as engine:
        engine.catch_up()
    installation.execute("UPDATE projections.employee_directory SET name = 'Wrong'")
    check = AssetCheckKey(DIRECTORY, AS_RECORDED)
    with installation.instance() as instance:
        job = build_definitions(settings=installation.settings).get_repository_def().get_implicit_global_asset_job_def()
        result = job.get_subset(asset_check_selection={check}, asset_selection={DIRECTORY}).execute_in_process(
            instance=instance, partition_key=f"{datetime.now(UTC).date()}|w-2"
        )
    (found,) = [one for one in result.get_asset_check_evaluations() if one.asset_check_key == check]
    assert (found.passed, found.metadata["workspaces"].value, found.metadata["named"].value) == (False, 1, "w-2")


@pytest.mark.usefixtures("stopped")
def test_workspaces_that_could_not_be_compared_are_named_and_prove_nothing(installation: Installation) -> None:
    found = checked(installation)[DIRECTORY]
    assert not found.passed
    assert "w-1" in str(found.metadata["named"].value).split(", ")
    assert "1 workspaces could not be compared, the first one since: stopped" in str(found.description)


def test_a_partition_that_is_no_more_is_refused_by_name(installation: Installation) -> None:
    gone = f"{datetime.now(UTC).date()}|gone"
    with installation.instance() as instance:
        job = build_definitions(settings=installation.settings).get_repository_def().get_implicit_global_asset_job_def()
        check = job.get_subset(asset_check_selection={AssetCheckKey(DIRECTORY, AS_RECORDED)}, asset_selection=set())
        result = check.execute_in_process(instance=instance, tags={"dagster/partition": gone}, raise_on_error=False)
        run = instance.get_run_by_id(result.run_id)
    assert not result.success
    assert run
    assert run.tags["status"] == "failed"
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert f'partition "{gone}" names no active workspace' in str(failure.step_failure_data.user_failure_data)
