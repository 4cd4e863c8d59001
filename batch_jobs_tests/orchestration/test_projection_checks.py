"""Dagit shows which projections are behind, of other code, or hold dead letters: as warnings, with the workspaces."""

from dagster import AssetCheckSeverity, AssetKey, DagsterInstance

from batch_jobs.installation import all_projections, open_engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.projection_checks import CHECKS, IN_STEP, NO_DEAD_LETTERS, THIS_VERSION
from batch_jobs_tests.builders import employee, import_all, of
from batch_jobs_tests.orchestration.installation import Installation


def failed(installation: Installation) -> dict[tuple[str, str], str]:
    """What does not pass, by asset and check."""
    with DagsterInstance.from_config(str(installation.settings.dagster_home)) as instance:
        result = (
            build_definitions(settings=installation.settings)
            .resolve_job_def("check_projections")
            .execute_in_process(instance=instance)
        )
    evaluations = result.get_asset_check_evaluations()
    assert result.success
    assert len(evaluations) == len(CHECKS) * len(all_projections())
    assert all(one.severity == AssetCheckSeverity.WARN for one in evaluations)
    return {
        (one.asset_key.to_user_string(), one.check_name): str(one.metadata["named"].value)
        for one in evaluations
        if not one.passed
    }


def test_each_check_fails_for_its_reason_and_names_the_workspaces(installation: Installation) -> None:
    with open_engine(installation.settings) as engine:
        engine.catch_up()
        assert failed(installation) == {}
        with engine.database.owner() as connection:
            connection.execute(
                "UPDATE batch_jobs.checkpoints SET version = 99 WHERE projection = 'projects' AND workspace_id = 'w-2'"
            )
            connection.execute(
                "INSERT INTO batch_jobs.dead_letters SELECT workspace_id, 'absences', position, event_id, type, 'bad' "
                "FROM batch_jobs.events WHERE workspace_id = 'w-3' AND position = 1"
            )
        assert failed(installation) == {
            ("search/projects", THIS_VERSION): "w-2",
            ("projections/absences", NO_DEAD_LETTERS): "w-3",
        }
        with engine.database.owner() as connection:
            # What only waits to be purged is nobody's concern.
            connection.execute(
                "UPDATE batch_jobs.workspaces SET status = 'deleted' WHERE workspace_id IN ('w-2', 'w-3')"
            )
        assert failed(installation) == {}
        import_all(engine.database, *of("w-1", employee("e-77", name="New")))
        found = failed(installation)
        assert {key for key in found if key[1] == IN_STEP} == {
            (AssetKey([one.schema, one.name]).to_user_string(), IN_STEP) for one in all_projections().values()
        }
        assert found["projections/absences", IN_STEP] == "w-1"
