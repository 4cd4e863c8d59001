"""The policies of the terms that an employee is shown on, with activity, account and unit, as of the day."""

from datetime import date
from typing import Any

from batch_jobs.store.database import Database
from batch_jobs_tests import builders as make
from batch_jobs_tests.builders import Event
from batch_jobs_tests.projections.catching_up import catch_up_all, finish_run, rows, take_in

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


def policy(kind: str, policy_id: str, *, since: date | None = None, **fields: Any) -> Event:
    payload = {"policy_id": policy_id, "name": policy_id, "effective_date": since, **fields}
    return make.event(f"{kind}_policy.defined", payload)


def account(account_id: str, unit: str) -> Event:
    payload = {"account_id": account_id, "name": account_id, "kind": "time_off", "unit": unit}
    return make.event("time_account.defined", payload)


def found(database: Database) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows(database, "policy_activities")]


VACATION = policy("time_off", "vacation", account_id="days", activity_id="off")
STAFF = [make.workspace(), make.employee("e-1"), make.employment("e-1/1", date(2025, 1, 1)), account("days", "days")]


def test_each_policy_of_the_terms(database: Database) -> None:
    take_in(
        database,
        *STAFF,
        make.terms(
            time_off_policy_ids=["vacation", "unpaid", "undefined", "vacation"],
            allowance_policy_ids=["vacation", "lost"],
        ),
        VACATION,
        policy("time_off", "unpaid"),
        policy("allowance", "vacation", account_id="days"),
        policy("allowance", "lost", account_id="nowhere", activity_id="bonus"),
        make.employee("free"),
        make.employee("lost"),
        make.employment("lost/1", terms_id="t-9"),
        make.employment("stranger/1"),
    )
    assert found(database) == [
        ("e-1", "allowance", "lost", "bonus", "nowhere", None),
        ("e-1", "allowance", "vacation", None, "days", "days"),
        ("e-1", "time_off", "unpaid", None, None, None),
        ("e-1", "time_off", "vacation", "off", "days", "days"),
    ]
    take_in(database, policy("time_off", "undefined", activity_id="new"), account("nowhere", "hours"))
    assert ("e-1", "time_off", "undefined", "new", None, None) in found(database)
    assert ("e-1", "allowance", "lost", "bonus", "nowhere", "hours") in found(database)
    take_in(database, make.removed("e-1"))
    assert found(database) == []


def test_who_has_left_shows_the_last_terms_and_who_is_to_come_the_next(database: Database) -> None:
    take_in(
        database,
        make.workspace(),
        VACATION,
        make.terms("old", time_off_policy_ids=["vacation"]),
        make.terms("new", time_off_policy_ids=["vacation"]),
        *map(make.employee, ("left", "to-come")),
        make.employment("left/1", date(2020, 1, 1), date(2021, 1, 1), terms_id="old"),
        make.employment("to-come/1", date(2030, 1, 1), terms_id="new"),
    )
    assert [row[0] for row in found(database)] == ["left", "to-come"]


def test_rows_follow_the_as_of_date_through_versions_of_everything(database: Database) -> None:
    take_in(
        database,
        *STAFF,
        account("hours", "hours"),
        make.terms(time_off_policy_ids=["vacation"]),
        VACATION,
        policy("time_off", "vacation", since=FEBRUARY, account_id="hours", activity_id="off"),
        policy("time_off", "sabbatical"),
        make.terms(time_off_policy_ids=["sabbatical"], since=MARCH),
    )
    finish_run(database, date(2026, 1, 31))
    catch_up_all(database)
    assert found(database) == [("e-1", "time_off", "vacation", "off", "days", "days")]
    finish_run(database, FEBRUARY)
    catch_up_all(database)
    assert found(database) == [("e-1", "time_off", "vacation", "off", "hours", "hours")]
    finish_run(database, MARCH)
    catch_up_all(database)
    assert found(database) == [("e-1", "time_off", "sabbatical", None, None, None)]
