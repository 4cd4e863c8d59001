"""A job for troubleshooting in the launchpad: a form with choices, a dry run by default, no partitions, no schedule."""

import pytest
from dagster import DagsterInstance, DagsterInvalidConfigError

from batch_jobs.installation import open_engine
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.jobs.rebuild_search_indexes import RebuildSearchIndexes
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.troubleshooting import troubleshooting_config
from batch_jobs_tests.orchestration.installation import Installation

JOB = RebuildEmployeeProjections.name
OP = f"run_{JOB}"


def test_the_form_offers_the_projections_and_a_dry_run() -> None:
    fields = troubleshooting_config(RebuildEmployeeProjections).to_config_schema().as_field().config_type.fields
    assert {"workspaces", "run_date", "projection", "employee_id", "org_unit_id", "dry_run"} < set(fields)
    choices = [value.config_value for value in fields["projection"].config_type.enum_values]
    assert choices[0] == "all"
    assert "employee_directory" in choices
    assert fields["dry_run"].default_value is True
    # The launchpad writes down fields that have a default, and passes the others over in silence.
    assert all(field.default_provided for field in fields.values())
    assert all(field.description for field in fields.values())


def test_it_has_neither_partitions_nor_a_schedule(installation: Installation) -> None:
    definitions = build_definitions(settings=installation.settings)
    # Dagster asks the process's latest instance when it resolves definitions: one that is closed is an error.
    with installation.instance():
        assert definitions.resolve_job_def(JOB).partitions_def is None
        assert f"{JOB}_schedule" not in {one.name for one in definitions.get_repository_def().schedule_defs}


@pytest.mark.parametrize("dry_run", [None, False])
def test_it_runs_and_shows_what_came_of_each_workspace(installation: Installation, dry_run: bool | None) -> None:
    with open_engine(installation.settings) as engine:
        engine.catch_up()
    installation.execute("UPDATE projections.employee_directory SET name = 'Wrong' WHERE employee_id = 'e-1'")
    chosen = {"projection": "employee_directory", "workspaces": ["w-1", "w-2"]}
    chosen |= {} if dry_run is None else {"dry_run": dry_run}
    with DagsterInstance.from_config(str(installation.settings.dagster_home)) as instance:
        result = (
            build_definitions(settings=installation.settings)
            .resolve_job_def(JOB)
            .execute_in_process(instance=instance, run_config={"ops": {OP: {"config": chosen}}}, tags={"user": "anna"})
        )
        run = instance.get_run_by_id(result.run_id)
    assert result.success
    assert run
    assert run.tags["status"] == "completed"
    (output,) = [event for event in result.all_events if event.is_successful_output]
    shown = output.step_output_data.metadata
    assert shown["job_runs"].value == 2
    assert [record.data["workspace"] for record in shown["outcomes"].records] == ["w-1", "w-2"]
    assert all("rows_changed 1" in record.data["result"] for record in shown["outcomes"].records)
    plan = shown.get("plan")
    if dry_run is False:
        assert plan is None
    else:
        assert plan
        first = ["workspace", "table", "change", "key", "before", "after"]
        assert list(plan.records[0].data) == first
        assert [[record.data[name] for name in first] for record in plan.records] == [
            [name, "projections.employee_directory", "changed", "employee_id e-1", "name Wrong", "name e-1"]
            for name in ("w-1", "w-2")
        ]


def test_an_unknown_projection_or_index_is_refused_with_the_choices(installation: Installation) -> None:
    for job, choice in ((JOB, "projection"), (RebuildSearchIndexes.name, "index")):
        config = {"ops": {f"run_{job}": {"config": {choice: "employee_directories"}}}}
        with installation.instance() as instance, pytest.raises(DagsterInvalidConfigError) as caught:
            build_definitions(settings=installation.settings).resolve_job_def(job).execute_in_process(
                instance=instance, run_config=config
            )
        assert "employee_directories" in str(caught.value)
        assert f"config:{choice}" in str(caught.value)
        assert "all" in str(caught.value)
