"""Versions of entities: what an expired invitation changes of a user."""

from datetime import date

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import employee, invitation_expired, user
from batch_jobs_tests.projections.catching_up import column, finish_run, rows, take_in

DECEMBER = date(2026, 12, 1)


def statuses(database: Database) -> list[tuple[str, str]]:
    return [
        (str(row["valid_from"]), row["values"]["status"])
        for row in rows(database, "definitions")
        if row["kind"] == "user"
    ]


def test_an_invitation_expires_for_versions_that_are_invited_not_for_those_planned_to_be_active(
    database: Database,
) -> None:
    take_in(
        database,
        employee("e-1"),
        user("u-1", "e-1", status="invited"),
        user("u-1", "e-1", since=date(2026, 11, 1), status="invited"),
        user("u-1", "e-1", since=DECEMBER),
        # Another user of theirs, suspended, whose id would do as well where nobody is active.
        user("u-0", "e-1", status="suspended"),
    )
    take_in(database, invitation_expired("u-1"))
    assert statuses(database) == [
        ("0001-01-01", "suspended"),
        ("0001-01-01", "expired"),
        ("2026-11-01", "expired"),
        ("2026-12-01", "active"),
    ]
    finish_run(database, DECEMBER)
    take_in(database, employee("e-2"))
    assert column(database, "employee_directory", "user_id")["e-1"] == "u-1"
