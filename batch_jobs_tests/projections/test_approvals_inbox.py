"""Who finds what in their inbox: by examples, and against domain 3.8 written out plainly over random histories."""

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_jobs.projections.workforces import load_workforces
from batch_jobs.store.database import Database
from batch_jobs_tests import absence_events, builders
from batch_jobs_tests.builders import Event, import_all, of, statement
from batch_jobs_tests.projections.catching_up import catch_up_all, rows, take_in

JANUARY = date(2026, 1, 1), date(2026, 1, 31)
ITEM = f"e-1:{JANUARY[0]}:{JANUARY[1]}"


def _said(what: str, *targets: str, at: str = "2026-02-01T08:00:00+00:00", **fields: Any) -> Event:
    return {**statement(what, "e-1", *JANUARY, **fields), "targets": list(targets), "occurred_at": at}


def _inbox(database: Database) -> set[tuple[str, str, str]]:
    return {(row["manager_id"], row["item_kind"], row["item_id"]) for row in rows(database, "approvals_inbox")}


@pytest.mark.every_postgres
def test_a_statement_is_missed_by_who_was_told_last_then_awaits_each_approver(database: Database) -> None:
    take_in(database, _said("period_started"))
    assert _inbox(database) == set()
    take_in(database, _said("ready", "m-1"))
    assert _inbox(database) == {("m-1", "missing_submission", ITEM)}
    take_in(database, _said("overdue", "m-2", "m-2", at="2026-02-03T08:00:00+00:00"))
    (row,) = rows(database, "approvals_inbox")
    assert (row["manager_id"], row["employee_id"], row["period_start"], row["period_end"], row["since"].day) == (
        "m-2",
        "e-1",
        *JANUARY,
        3,
    )
    take_in(database, _said("submitted", approvers=["m-1", "m-3"], at="2026-02-04T08:00:00+00:00"))
    assert _inbox(database) == {("m-1", "awaiting_approval", ITEM), ("m-3", "awaiting_approval", ITEM)}
    take_in(database, _said("approved", by="m-3", at="2026-02-05T08:00:00+00:00"))
    (row,) = rows(database, "approvals_inbox")
    assert (row["manager_id"], row["item_kind"], row["since"].day) == ("m-1", "awaiting_approval", 4)
    take_in(database, _said("approved", by="m-1"))
    assert _inbox(database) == set()
    take_in(database, _said("reopened", by="m-1", note="Friday"))
    assert _inbox(database) == set()


def test_time_off_waits_for_the_manager_of_its_first_day(database: Database) -> None:
    march = date(2026, 3, 2)
    take_in(
        database,
        builders.workspace(),
        builders.terms(),
        builders.employee("e-1"),
        builders.employment("e-1/1", manager_id="m-1"),
        builders.employment("e-1/1", manager_id="m-2", since=march),
        absence_events.requested("a-1", march - timedelta(1), march, occurred_at="2026-02-07T08:00:00+00:00"),
        absence_events.requested("a-2", march),
        absence_events.away("a-3", march, march),
    )
    before, after = rows(database, "approvals_inbox")
    assert before == {
        "manager_id": "m-1",
        "item_kind": "time_off",
        "item_id": "a-1",
        "employee_id": "e-1",
        "period_start": march - timedelta(1),
        "period_end": march,
        "since": before["since"],
    }
    assert before["since"].isoformat() == "2026-02-07T08:00:00+00:00"
    assert (after["manager_id"], after["item_id"], after["period_end"]) == ("m-2", "a-2", None)
    take_in(database, absence_events.decided("rejected", "a-1"), absence_events.decided("approved", "a-2"))
    assert _inbox(database) == set()


def test_a_request_follows_its_manager(database: Database) -> None:
    def manager() -> list[str]:
        return [manager_id for manager_id, *_ in _inbox(database)]

    take_in(database, absence_events.requested("a-1", date(2026, 3, 2)))
    assert manager() == []
    take_in(database, builders.employment("e-1/1", org_unit_id="ou-1"))
    assert manager() == []
    take_in(database, builders.unit("ou-1", "ou-2"), builders.unit("ou-2", head_id="m-2"))
    assert manager() == ["m-2"]
    take_in(database, builders.unit("ou-1", "ou-2", head_id="m-1", since=date(2026, 3, 2)))
    assert manager() == ["m-1"]
    take_in(database, builders.unit("ou-1", "ou-2", head_id="e-1"))
    assert manager() == ["m-2"]
    take_in(database, builders.employment("e-1/1", employee_id="e-2"))
    assert manager() == []


DAYS = [date(2026, 1, 1) + timedelta(number) for number in range(6)]
_day, _who = st.sampled_from(DAYS), st.sampled_from(["e-1", "e-2"])
_absence, _manager = st.sampled_from(["a-1", "a-2"]), st.sampled_from(["m-1", "m-2", "e-1"])
_maybe_manager = st.none() | _manager
_statement_events = st.one_of(
    st.just(_said("period_started")),
    st.builds(_said, st.sampled_from(["ready", "overdue"]), _manager),
    st.builds(lambda who: _said("submitted", approvers=who), st.lists(_manager, max_size=2)),
    st.builds(lambda who: _said("approved", by=who), _manager),
    st.just(_said("reopened", by="m-1", note="n")),
)
_events = st.one_of(
    _statement_events,
    st.builds(lambda name, start, who: absence_events.requested(name, start, employee_id=who), _absence, _day, _who),
    st.builds(
        lambda what, name, who: absence_events.decided(what, name, employee_id=who),
        st.sampled_from(["approved", "rejected", "cancelled"]),
        _absence,
        _who,
    ),
    st.builds(
        lambda who, since, unit, manager: builders.employment(
            "x/1", employee_id=who, since=since, org_unit_id=unit, manager_id=manager
        ),
        _who,
        st.none() | _day,
        st.sampled_from(["ou-1", "ou-2"]),
        _maybe_manager,
    ),
    st.builds(
        lambda name, parent, since, head: builders.unit(name, parent, since=since, head_id=head),
        st.sampled_from(["ou-1", "ou-2"]),
        st.sampled_from([None, "ou-1", "ou-2"]),
        st.none() | _day,
        _maybe_manager,
    ),
    st.builds(builders.employee, _who),
    st.builds(builders.removed, _who),
)
_numbers = itertools.count(1)


@settings(max_examples=60)
@given(st.lists(st.tuples(_events, st.booleans()), min_size=1, max_size=14))
def test_every_split_gives_what_the_rule_says(shared: Database, happened: list[tuple[Event, bool]]) -> None:
    number = next(_numbers)
    split, whole = f"split-{number}", f"whole-{number}"
    import_all(shared, *of(split, _said("period_started")))
    for event, then in happened:
        import_all(shared, *of(split, event))
        if then:
            catch_up_all(shared, split)
    catch_up_all(shared, split)
    import_all(shared, *of(whole, _said("period_started"), *(event for event, _ in happened)))
    catch_up_all(shared, whole)
    found = rows(shared, "approvals_inbox", whole)
    assert rows(shared, "approvals_inbox", split) == found
    assert {(row["manager_id"], row["item_kind"], row["item_id"]) for row in found} == _by_the_rule(shared, whole)


def _by_the_rule(database: Database, workspace_id: str) -> set[tuple[str, str, str]]:
    items = set()
    for row in rows(database, "timesheet_statements", workspace_id):
        if row["state"] == "submitted":
            to_sign = set(row["approvers"]) - set(row["approved_by"])
            items |= {(who, "awaiting_approval", row["statement_id"]) for who in to_sign}
        if row["state"] in ("ready", "overdue"):
            items |= {(who, "missing_submission", row["statement_id"]) for who in row["told"]}
    with database.worker([workspace_id]) as connection:
        workforce, _ = load_workforces(connection, {workspace_id: None})[workspace_id]
    for row in rows(database, "absences", workspace_id):
        if row["state"] == "requested" and (who := workforce.manager(row["employee_id"], row["start_date"])):
            items.add((who, "time_off", row["absence_id"]))
    return items
