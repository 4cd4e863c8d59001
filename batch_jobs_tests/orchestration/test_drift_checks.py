"""A person who doubts the rows asks for a check, and learns where they differ from what the events give."""

from datetime import UTC, datetime

from dagster import AssetCheckEvaluation, AssetCheckKey, AssetCheckSeverity, AssetKey, DagsterInstance

from batch_jobs.installation import all_projections, open_engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.drift_checks import AS_RECORDED
from batch_jobs_tests.orchestration.installation import Installation

DIRECTORY, SEARCHED = AssetKey(["projections", "employee_directory"]), AssetKey(["search", "employees"])


def checked(installation: Installation) -> dict[AssetKey, AssetCheckEvaluation]:
    """What the check finds for a projection and a search index."""
    keys = [AssetCheckKey(key, AS_RECORDED) for key in (DIRECTORY, SEARCHED)]
    with DagsterInstance.from_config(str(installation.settings.dagster_home)) as instance:
        definitions = build_definitions(settings=installation.settings)
        job = definitions.get_repository_def().get_implicit_global_asset_job_def()
        result = job.get_subset(asset_check_selection=set(keys), asset_selection=set()).execute_in_process(
            instance=instance
        )
    assert result.success
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
    assert found[SEARCHED].metadata["named"].value == "w-2"
    assert "1 are missing" in str(found[SEARCHED].description)
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
