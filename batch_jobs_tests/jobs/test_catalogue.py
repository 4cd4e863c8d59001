"""Scheduled jobs are as in the catalogue (domain 6.1, 6.2): names, order, counters and parameters, and say so."""

import pytest

from batch_jobs.jobs import registry

ENTITIES = (
    "employees",
    "org_units",
    "employment_terms",
    "timeoff_policies",
    "allowance_policies",
    "work_time_policies",
)
KINDS = ("notifications", "mail", "job_runs", "orchestrator", "invitations", "workspaces")

# Job, after, counters with ! for those that warn, parameters beside dry_run.
CATALOGUE = {
    "apply_scheduled_changes": (
        "",
        " ".join(f"{entity}_applied {entity}_failed!" for entity in ENTITIES),
        "",
    ),
    "accrual_forecast": (
        "apply_scheduled_changes",
        "processed computed skipped errors!",
        "employee_id org_unit_id force_recompute",
    ),
    "accrual_materialize": (
        "accrual_forecast",
        "entries_materialized employees_processed errors!",
        "employee_id org_unit_id",
    ),
    "timeoff_consumption": ("apply_scheduled_changes", "periods_consumed consumption_errs!", "employee_id org_unit_id"),
    "absence_registration": (
        "apply_scheduled_changes",
        "entries_registered no_activity! errors!",
        "employee_id org_unit_id",
    ),
    "timeoff_reminder": (
        "apply_scheduled_changes",
        "reminders_sent reminders_no_user! reminders_duplicates reminder_errors!",
        "employee_id org_unit_id",
    ),
    "timesheet_statement_generate": ("apply_scheduled_changes", "created errors!", "employee_id org_unit_id"),
    "timesheet_statement_reminder": (
        "timesheet_statement_generate",
        "processed ready_emitted overdue_emitted skipped errors!",
        "employee_id org_unit_id",
    ),
    "timesheet_statement_manager_digest": (
        "timesheet_statement_reminder",
        "sent skipped! duplicates errors!",
        "employee_id org_unit_id",
    ),
    "publish_timesheet_norms": (
        "apply_scheduled_changes",
        "candidates processed emitted skipped! force",
        "employee_id org_unit_id force",
    ),
    "purge_expired_data": (
        "",
        f"{' '.join(f'{kind}_deleted' for kind in KINDS)} errors!",
        " ".join(f"{kind}_days" for kind in KINDS),
    ),
    "deliver_notifications": ("", "sent deferred failed! skipped_stale skipped_preference no_address!", ""),
    "sync_projections": ("", "events_applied rows_changed documents_changed dead_letters!", ""),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_job_is_as_the_catalogue_says(name: str) -> None:
    after, counters, parameters = CATALOGUE[name]
    job = registry()[name]
    assert " ".join(job.after) == after
    assert {f"{one.name}{'!' * one.warns}" for one in job.counters} == set(counters.split())
    assert set(job.parameters.model_fields) == {"dry_run", *parameters.split()}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_job_explains_itself(name: str) -> None:
    job = registry()[name]
    assert job.description.endswith(".")
    for field, info in job.parameters.model_fields.items():
        assert (info.description or "").endswith("."), field
    for counter in job.counters:
        assert counter.description, counter.name


def test_what_deletes_is_a_dry_run_by_hand_and_writes_by_schedule() -> None:
    job = registry()["purge_expired_data"]
    assert job.parameters().dry_run is True
    assert job.scheduled["dry_run"] is False
