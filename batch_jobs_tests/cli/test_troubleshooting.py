"""Jobs for troubleshooting on the command line: dry by default, drift in tables and JSON, exit codes."""

import json
from datetime import date

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import import_all, of, statement
from batch_jobs_tests.cli.command_line import CommandLine

JOB = ("run", "rebuild_employee_projections")
DIRECTORY = ("--param", "projection=employee_directory")
WRONG = "UPDATE projections.employee_directory SET name = 'Wrong' WHERE employee_id = 'e-1'"
REFUSE = """
    CREATE FUNCTION projections.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'the disk of beta is full'; END $$;
    CREATE TRIGGER broken BEFORE INSERT ON projections.employee_directory FOR EACH ROW
    WHEN (NEW.workspace_id = 'beta') EXECUTE FUNCTION projections.refuse()
"""


def wrong_rows(database: Database) -> list[str]:
    with database.owner() as connection:
        found = connection.execute("SELECT workspace_id FROM projections.employee_directory WHERE name = 'Wrong'")
        return sorted(row[0] for row in found)


def test_drift_is_shown_by_default_and_mended_when_asked_for(office: CommandLine, office_database: Database) -> None:
    with office_database.owner() as connection:
        connection.execute(WRONG)
    damaged = wrong_rows(office_database)
    for choice in ((), ("--dry-run",), ("--param", "dry_run=true")):
        (acme,) = office.json(*JOB, *DIRECTORY, *choice, "--workspace", "acme")
        assert (acme["status"], acme["counters"]["rows_changed"]) == ("completed", 1)
        assert acme["plan"] == [
            {
                "projection": "employee_directory",
                "table": "projections.employee_directory",
                "change": "changed",
                "key": {"employee_id": "e-1"},
                "before": {"name": "Wrong"},
                "after": {"name": "e-1"},
            }
        ]
    table = office(*JOB, *DIRECTORY, "--workspace", "acme")
    assert (table.code, "rows_changed 1" in " ".join(table.out.split())) == (0, True), table
    assert "a dry run: nothing was changed" in table.out
    shown = office("runs", "show", acme["job_run_id"])
    for part in ("projections.employee_directory", "changed", '{"name": "Wrong"}', '{"name": "e-1"}'):
        assert part in shown.out
    assert wrong_rows(office_database) == damaged
    mended = office.json(*JOB, *DIRECTORY, "--param", "dry_run=false", "--workspace", "acme")
    assert [(run["counters"]["rows_changed"], run.get("plan")) for run in mended] == [(1, None)]
    assert wrong_rows(office_database) == [name for name in damaged if name != "acme"]


def test_without_a_workspace_it_runs_in_all_and_the_exit_code_is_the_worst(
    office: CommandLine, office_database: Database
) -> None:
    everywhere = office(*JOB, "--no-dry-run", "--json")
    assert (everywhere.code, len(json.loads(everywhere.out))) == (0, 3), everywhere
    # A statement that was never started: its event is a dead letter.
    import_all(office_database, *of("acme", statement("ready", "e-1", date(2026, 1, 1), date(2026, 1, 31))))
    assert office(*JOB, "--no-dry-run").code == 3
    recovered = office("run", "recover_failed_migration", "--json")
    (acme,) = json.loads(recovered.out)
    assert (recovered.code, acme["status"], acme["counters"]["dead_letters_left"]) == (3, "warning", 1)
    with office_database.owner() as connection:
        connection.execute(WRONG)
        connection.execute(REFUSE)
    failed = office(*JOB, "--no-dry-run", "--json")
    assert failed.code == 1
    assert {run["workspace_id"]: run["status"] for run in json.loads(failed.out)} == {
        "acme": "warning",
        "beta": "failed",
        "idle": "completed",
    }
    assert "the disk of beta is full" in failed.out
    assert wrong_rows(office_database) == ["beta", "gone"]


def test_an_unknown_choice_is_refused_with_all_there_are(office: CommandLine) -> None:
    refused = office(*JOB, "--param", "projection=employee_directories")
    assert refused.refuses('projection is "employee_directories"', "'all'", "'employee_directory'", "'approvals_inbox'")
    refused = office("run", "rebuild_search_indexes", "--param", "index=people")
    assert refused.refuses('index is "people"', "'all'", "'activities'", "'employees'", "'projects'")
