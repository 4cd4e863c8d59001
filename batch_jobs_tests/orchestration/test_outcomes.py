"""What a Dagster run tells of its job runs together."""

from dagster import TableMetadataValue

from batch_jobs.engine.requests import RunRequest
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.outcomes import outcomes
from batch_jobs_tests.orchestration.installation import JOB, Installation, weeks_ago

OTHER = "apply_scheduled_changes"


def columns(shown: object) -> list[str]:
    assert isinstance(shown, TableMetadataValue)
    return [column.name for column in shown.schema.columns]


def test_the_parameters_of_several_jobs_are_told_together_and_columns_that_differ_alone(
    installation: Installation,
) -> None:
    targets = [("w-1", weeks_ago(3)), ("w-2", weeks_ago(3))]
    with open_engine(installation.settings) as engine:
        one = engine.run(
            RunRequest(job=JOB, targets=targets, parameters={"employee_id": "e-1", "dry_run": True}, trigger="manual")
        )
        other = engine.run(RunRequest(job=OTHER, targets=targets[:1], parameters={"dry_run": True}, trigger="manual"))
        alone, together = outcomes(engine, one), outcomes(engine, [*one, *other])
    # The second job has no employee.
    assert alone["parameters"] == together["parameters"] == "dry_run true, employee_id e-1"
    assert columns(alone["outcomes"]) == ["workspace", "status", "result"]
    assert columns(together["outcomes"]) == ["job", "workspace", "status", "result"]
    assert together["job_runs"] == 3
