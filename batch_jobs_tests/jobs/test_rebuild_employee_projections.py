"""Drift is shown by the dry run to the row, mended by the run, and nothing else is touched, sent or recorded."""

import json
from datetime import date
from typing import Any

import pytest
from psycopg.errors import UniqueViolation

from batch_jobs import projections
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.errors import BadInputError
from batch_jobs.jobs.rebuild_employee_projections import RebuildEmployeeProjections
from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.absence_events import away, consumed, policies, requested, time_off_policy
from batch_jobs_tests.accrual_events import MONTHLY, carrying, credited, forecast
from batch_jobs_tests.builders import import_all, of
from batch_jobs_tests.engine.company import DAY, digests, engine_of, found, rows, run
from batch_jobs_tests.projections.catching_up import finish_run

JOB = RebuildEmployeeProjections.name
NONE = {"rows_added": 0, "rows_changed": 0, "rows_removed": 0}


@pytest.fixture
def company(database: Database) -> Database:
    """`acme` and `globex` with three employees each; in acme `e-2` heads the unit of `e-1` and is user `u-2`."""
    found(database, ["acme", "globex"])
    import_all(
        database,
        *of(
            "acme",
            make.unit("ou-1", head_id="e-2"),
            make.unit("ou-2", "ou-1"),
            make.employment("e-1/1", org_unit_id="ou-2"),
            make.user("u-2", "e-2"),
            make.statement("period_started", "e-1", date(2026, 11, 1), date(2026, 11, 30)),
        ),
    )
    finish_run(database, DAY)
    finish_run(database, DAY, "globex")
    engine_of(database).catch_up()
    return database


def rebuild(database: Database, *workspaces: str, **parameters: Any) -> list[JobRun]:
    engine = engine_of(database, RebuildEmployeeProjections(), chunk_rows=1)
    return run(engine, JOB, workspaces or ["acme", "globex"], parameters=parameters)


def drift(job_run: JobRun) -> dict[str, int]:
    return {name: job_run.counters[name] for name in NONE}


def corrupt(database: Database, *statements: str) -> None:
    with database.owner() as connection:
        for statement in statements:
            connection.execute(statement)


def test_nothing_differs_and_nothing_changes(company: Database) -> None:
    before = digests(company)
    for dry_run in (True, False, False):
        acme, globex = rebuild(company, dry_run=dry_run)
        assert (acme.status, drift(acme), acme.counters["employees"]) == ("completed", NONE, 3)
        assert globex.counters["events_replayed"] == 8
        assert acme.counters["rows_written"] > 10
    assert digests(company) == before


def test_an_unscoped_run_is_a_dry_run_of_all_projections(company: Database) -> None:
    corrupt(
        company,
        "UPDATE projections.employee_directory SET name = 'Wrong', is_manager = false WHERE employee_id = 'e-2' "
        "AND workspace_id = 'acme'",
        "INSERT INTO projections.employment_owners VALUES ('acme', 'nobody', 'e-9')",
        "DELETE FROM projections.timesheet_statements",
    )
    wrong = digests(company)
    acme, globex = rebuild(company)
    assert digests(company) == wrong
    assert drift(acme) == {"rows_added": 1, "rows_changed": 1, "rows_removed": 1}
    assert (drift(globex), globex.plan) == (NONE, [])
    by_table = {row["table"]: row for row in acme.plan or ()}
    assert by_table["projections.employee_directory"] == {
        "projection": "employee_directory",
        "table": "projections.employee_directory",
        "change": "changed",
        "key": {"employee_id": "e-2"},
        "before": {"name": "Wrong", "is_manager": False},
        "after": {"name": "e-2", "is_manager": True},
    }
    assert by_table["projections.employment_owners"]["before"] == {"employment_id": "nobody", "employee_id": "e-9"}
    assert by_table["projections.employment_owners"]["after"] is None
    assert by_table["projections.timesheet_statements"]["after"]["state"] == "pending"
    assert json.loads(json.dumps(acme.as_json(), default=str))["plan"] == acme.plan


def test_the_run_mends_what_the_dry_run_named(company: Database) -> None:
    before = digests(company)
    corrupt(
        company,
        "DELETE FROM projections.definitions WHERE workspace_id = 'acme' AND kind = 'org_unit'",
        "UPDATE projections.employment_periods SET terms_id = 'x' WHERE workspace_id = 'globex'",
    )
    named = [drift(job_run) for job_run in rebuild(company)]
    assert [drift(job_run) for job_run in rebuild(company, dry_run=False)] == named
    assert named == [NONE | {"rows_added": 2}, NONE | {"rows_changed": 3}]
    assert digests(company) == before


def test_what_was_made_of_mended_rows_is_named(company: Database) -> None:
    corrupt(company, "UPDATE projections.employee_directory SET name = 'Wrong' WHERE workspace_id = 'acme'")
    acme, globex = rebuild(company, projection="employee_directory", dry_run=False)
    assert acme.message == "rebuild what reads employee_directory as well: employees, projects"
    assert globex.message is None
    corrupt(company, "DELETE FROM projections.definitions WHERE workspace_id = 'acme' AND kind = 'org_unit'")
    acme, globex = rebuild(company, dry_run=False)
    # Projections that read it are rebuilt by the same run.
    assert acme.message == "rebuild what reads definitions as well: activities, employees, projects"
    assert globex.message is None


def test_more_than_a_hundred_rows_are_counted_and_the_first_hundred_shown(company: Database) -> None:
    corrupt(
        company,
        "INSERT INTO projections.employment_owners SELECT 'acme', 'x' || n, 'e-1' FROM generate_series(1, 150) n",
    )
    acme, _ = rebuild(company, projection="definitions")
    assert (acme.counters["rows_removed"], len(acme.plan or ())) == (150, 100)


def test_one_employee_and_one_unit(company: Database) -> None:
    corrupt(
        company,
        "UPDATE projections.employee_directory SET name = 'Wrong', is_manager = NOT is_manager",
        "DELETE FROM projections.timesheet_statements",
    )
    (acme,) = rebuild(company, "acme", employee_id="e-2", dry_run=False)
    assert (drift(acme), acme.counters["employees"]) == (NONE | {"rows_changed": 1}, 1)
    assert right(company) == {("acme", "e-2", True)}
    (acme,) = rebuild(company, "acme", org_unit_id="ou-1", dry_run=False)
    assert drift(acme) == NONE | {"rows_changed": 1, "rows_added": 1}
    assert right(company) == {("acme", "e-1", False), ("acme", "e-2", True)}


def test_a_scope_mends_all_rows_of_its_employees_and_no_other(company: Database) -> None:
    import_all(company, *of("acme", *policies(), *(one for who in ("e-1", "e-3") for one in life_of(who))))
    engine_of(company).catch_up()
    tables = tables_with_employees()
    everyone = {table: set(rows(company, f"SELECT t::text, employee_id FROM {table} t")) for table in tables}
    corrupt(company, *(f"DELETE FROM {table}" for table in tables))
    (acme,) = rebuild(company, "acme", org_unit_id="ou-1", dry_run=False)
    of_unit = {
        table: {(row, who) for row, who in right_rows if who == "e-1" and row.startswith("(acme,")}
        for table, right_rows in everyone.items()
    }
    assert {table: set(rows(company, f"SELECT t::text, employee_id FROM {table} t")) for table in tables} == of_unit
    assert acme.counters["rows_added"] == sum(map(len, of_unit.values()))
    # The manager of somebody is one although neither the other is in the scope nor any row of theirs is there.
    assert [table for table in tables if not of_unit[table]] == []
    rebuild(company, "acme", employee_id="e-2", dry_run=False)
    assert right(company) == {("acme", "e-1", False), ("acme", "e-2", True)}


def tables_with_employees() -> list[str]:
    """Those whose rows belong to employees; the definitions say who is meant."""
    return [
        f"{one.schema}.{table.name}"
        for one in projections.registry().values()
        for table in one.tables
        if one.name != "definitions" and "employee_id" in (*table.key, *table.columns)
    ]


def life_of(who: str) -> list[make.Event]:
    """What gives an employee a row in every table."""
    monday, friday = date(2026, 11, 16), date(2026, 11, 20)
    week = {"monday": monday, "minutes": [60] * 7, "holidays": []}
    norm = {"employee_id": who, "through_week": monday, "fingerprint": "f", "weeks": [week]}
    return [
        carrying("holiday"),
        time_off_policy("holiday", account_id="days", activity_id="free", accrual=MONTHLY),
        make.time_entered(f"te-{who}", who, date=monday),
        away(f"away-{who}", monday, friday, employee_id=who),
        requested(f"asked-{who}", monday, friday, employee_id=who),
        consumed(f"away-{who}", monday, friday, [monday], employee_id=who),
        forecast(monday, {monday: 208, friday: 208}, employee_id=who),
        credited(208, monday, employee_id=who, entry_id=f"{who}:holiday:accrual:{monday}"),
        make.statement("period_started", who, monday, friday),
        make.event("norm.published", norm),
    ]


def right(database: Database) -> set[tuple[Any, ...]]:
    return set(
        rows(
            database,
            "SELECT workspace_id, employee_id, is_manager FROM projections.employee_directory WHERE name <> 'Wrong'",
        )
    )


def test_rows_that_went_to_somebody_else_come_back(company: Database) -> None:
    before = digests(company)
    corrupt(company, "UPDATE projections.timesheet_statements SET employee_id = 'e-3'")
    (acme,) = rebuild(company, "acme", employee_id="e-1", dry_run=False)
    assert drift(acme) == NONE | {"rows_changed": 1}
    assert digests(company) == before


def test_who_is_not_folded_yet_belongs_to_the_scope(company: Database) -> None:
    late = [make.employee("e-9", name="Late"), make.employment("e-9/1", org_unit_id="ou-2")]
    import_all(company, *of("acme", *late))
    (acme,) = rebuild(company, "acme", org_unit_id="ou-2")
    assert acme.counters["employees"] == 2
    import_all(company, *of("acme", make.employee("e-10", name="Later")))
    (acme,) = rebuild(company, "acme", employee_id="e-10")
    assert (acme.status, drift(acme)) == ("completed", NONE)


def test_an_unknown_employee_is_refused(company: Database) -> None:
    with pytest.raises(BadInputError, match='employee "e-99" is not defined in workspace acme'):
        rebuild(company, "acme", employee_id="e-99")


def test_an_unknown_projection_is_refused_with_the_choices(company: Database) -> None:
    with pytest.raises(BadInputError, match=r"'all', .*'employee_directory'"):
        rebuild(company, "acme", projection="employees")


def test_rows_too_wrong_to_be_caught_up_are_mended(company: Database) -> None:
    credit = {"employee_id": "e-1", "account_id": "a-1", "date": DAY, "amount": 208, "source": "adjustment"}
    import_all(company, *of("acme", make.event("account.credited", credit)))
    engine_of(company).catch_up()
    corrupt(company, "UPDATE batch_jobs.checkpoints SET position = 0 WHERE projection = 'account_balances'")
    import_all(company, *of("acme", make.employee("e-7", name="Late")))
    with pytest.raises(UniqueViolation):
        engine_of(company).catch_up()
    assert [one.status for one in rebuild(company, employee_id="e-1", dry_run=False)] == ["failed", "completed"]
    rebuild(company, dry_run=False)
    assert [drift(job_run) for job_run in rebuild(company)] == [NONE, NONE]
    engine_of(company).catch_up()
    assert ("Late",) in rows(company, "SELECT name FROM projections.employee_directory")
    assert rows(company, "SELECT balance FROM projections.account_balances") == [(208,)]


def test_what_is_late_is_no_drift_beside_rows_that_are_too_wrong(company: Database) -> None:
    """Both workspaces are one chunk of work."""
    credit = {"employee_id": "e-1", "account_id": "a-1", "date": DAY, "amount": 208, "source": "adjustment"}
    import_all(company, *of("acme", make.event("account.credited", credit)))
    engine_of(company).catch_up()
    corrupt(company, "UPDATE batch_jobs.checkpoints SET position = 0 WHERE projection = 'account_balances'")
    import_all(company, *of("acme", make.employee("e-7")), *of("globex", make.employee("e-7")))
    engine = engine_of(company, RebuildEmployeeProjections())
    acme, globex = run(engine, JOB, ["acme", "globex"])
    assert drift(acme)["rows_added"] > 0
    assert drift(globex) == NONE


def test_dead_letters_are_a_warning_with_their_reasons(company: Database) -> None:
    import_all(company, *of("acme", make.statement("ready", "e-3", date(2026, 1, 1), date(2026, 1, 31))))
    acme, globex = rebuild(company)
    assert (acme.status, acme.counters["dead_letters"], globex.status) == ("warning", 1, "completed")
    assert (
        "timesheet_statements, event at position"
        in rows(company, "SELECT message FROM batch_jobs.job_run_errors")[0][0]
    )


def test_nothing_is_recorded_and_no_date_moves(company: Database) -> None:
    corrupt(company, "UPDATE projections.employee_directory SET name = 'Wrong'")
    state = "SELECT workspace_id, head, last_run_date FROM batch_jobs.workspaces"
    before = rows(company, state)
    engine = engine_of(company, RebuildEmployeeProjections())
    run(engine, JOB, ["acme"], day=date(2026, 11, 22), parameters={"dry_run": False})
    run(engine, JOB, ["acme"], day=date(2026, 12, 24), parameters={"dry_run": False}, allow_future=True)
    assert rows(company, state) == before


def test_it_is_never_due(company: Database) -> None:
    engine = engine_of(company, RebuildEmployeeProjections())
    assert engine.due().items == []
    assert engine.scheduled_workspaces() == ["acme", "globex"]
    with pytest.raises(BadInputError, match="by hand only"):
        engine.due([JOB])
