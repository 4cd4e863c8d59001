"""Dagit shows which jobs nobody started: as warnings, with the workspaces."""

from datetime import timedelta

from dagster import AssetCheckSeverity, DagsterInstance

from batch_jobs.installation import open_engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.job_checks import NOT_OVERDUE
from batch_jobs_tests.orchestration.installation import Installation


def failed(installation: Installation) -> dict[str, tuple[int, str]]:
    """What does not pass: by asset how many workspaces, and which."""
    with DagsterInstance.from_config(str(installation.settings.dagster_home)) as instance:
        definitions = build_definitions(settings=installation.settings)
        result = definitions.resolve_job_def("check_jobs").execute_in_process(instance=instance)
    evaluations = result.get_asset_check_evaluations()
    assert result.success
    assert {one.check_name for one in evaluations} == {NOT_OVERDUE}
    assert all(one.severity == AssetCheckSeverity.WARN for one in evaluations)
    return {
        one.asset_key.to_user_string(): (int(one.metadata["workspaces"].value), str(one.metadata["named"].value))
        for one in evaluations
        if not one.passed
    }


def test_it_fails_for_what_is_overdue_and_names_the_workspaces(installation: Installation) -> None:
    with open_engine(installation.settings) as engine:
        engine.catch_up()
        # Just imported.
        assert failed(installation) == {}
        with engine.database.owner() as connection:
            connection.execute(
                "INSERT INTO batch_jobs.outbox (workspace_id, user_id, notification_id, kind, next_attempt_at) "
                "VALUES ('w-2', 'u', 'n', 'x', %s)",
                [engine.clock() - timedelta(hours=2)],
            )
        assert failed(installation) == {"jobs/deliver_notifications": (1, "w-2")}
