"""Versions of entities: what an expired invitation changes of a user, and what a time account keeps for good."""

from datetime import date

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import Event, employee, event, invitation_expired, user
from batch_jobs_tests.projections.catching_up import column, everything, finish_run, rows, take_in
from batch_jobs_tests.projections.two_ways import two_ways

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


def account(name: str, *, kind: str = "time_off", unit: str = "days", since: date | None = None) -> Event:
    payload = {"account_id": "a-1", "name": name, "kind": kind, "unit": unit, "effective_date": since}
    return event("time_account.defined", payload)


def test_an_account_keeps_the_kind_and_unit_of_its_first_definition_however_the_events_come_in(
    database: Database,
) -> None:
    happened = [
        account("first"),
        account("hours", unit="hours"),
        account("planned hours", unit="hours", since=DECEMBER),
        account("an allowance", kind="allowance", unit="hours"),
        account("renamed"),
        account("renamed for December", since=DECEMBER),
        account("hours again", unit="hours"),
        event("time_account.defined", {"account_id": "a-2", "name": "other", "kind": "allowance", "unit": "hours"}),
    ]
    every, none, some = ([["definitions"]] * 8, [[]] * 8, [["definitions"], [], [], ["definitions"], *[[]] * 4])
    for then in (every, none, some):
        split, whole = two_ways(database, list(zip(happened, then, strict=True)), ["policy_activities"])
        found = everything(database, split)
        assert found == everything(database, whole)
        assert [(row["values"]["name"], row["values"]["unit"]) for row in found["definitions"]] == [
            ("renamed", "days"),
            ("renamed for December", "days"),
            ("other", "hours"),
        ]
        letters = [row["letter"] for row in found["dead_letters"]]
        assert [letter[:3] for letter in letters] == [
            ("definitions", position, "time_account.defined") for position in (2, 3, 4, 7)
        ]
        assert 'time account "a-1": unit "hours" can not replace "days", since' in letters[0][3]
        assert 'kind "allowance" can not replace "time_off" and unit "hours" can not replace "days"' in letters[2][3]
        assert "define an account of another id" in letters[0][3]
