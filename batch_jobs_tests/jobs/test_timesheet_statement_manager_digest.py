"""Which managers get a digest of what, by examples and over random inboxes."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.jobs import registry
from batch_jobs.jobs.timesheet_statement_manager_digest import TimesheetStatementManagerDigest
from batch_jobs.store.database import Database
from batch_jobs.store.event_ids import deterministic_event_id
from batch_jobs_tests import builders
from batch_jobs_tests.engine.company import digests, engine_of, rows, run
from batch_jobs_tests.jobs.time_off import off

JOB = TimesheetStatementManagerDigest.name
DAY = date(2026, 6, 15)
MAY = date(2026, 5, 1), date(2026, 5, 31)
APRIL = date(2026, 4, 1), date(2026, 4, 30)

_SENT = """
    SELECT payload ->> 'user_id', payload ->> 'dedup_key', payload -> 'channels', payload -> 'data', event_id
    FROM batch_jobs.events WHERE workspace_id = %s AND type = 'notification.created' ORDER BY 1, 2
"""


@pytest.fixture
def engine(database):
    return engine_of(database, *registry().values())


def _people(*events, workspace_id="acme"):
    """Bo and Cy lead Ada and Dan."""
    names = {"bo": "Bo", "cy": "Cy", "e-1": "Ada", "e-2": "Dan"}
    return [
        builders.workspace(workspace_id),
        *builders.of(
            workspace_id,
            builders.terms(),
            *(builders.employee(who, name=name) for who, name in names.items()),
            *(builders.employment(f"{who}/1", manager_id="bo") for who in ("e-1", "e-2")),
            builders.user("u-bo", "bo"),
            builders.user("u-cy", "cy"),
            *events,
        ),
    ]


def _missing(who, bounds, *managers):
    ready = builders.statement("ready", who, *bounds)
    return builders.statement("period_started", who, *bounds), {**ready, "targets": list(managers)}


def _awaiting(who, bounds, *approvers):
    return *_missing(who, bounds), builders.statement("submitted", who, *bounds, approvers=list(approvers))


def _item(who, name, bounds):
    start, end = map(str, bounds)
    return {
        "statement_id": f"{who}:{start}:{end}",
        "employee_id": who,
        "employee_name": name,
        "period_start": start,
        "period_end": end,
    }


def _send(engine, day=DAY, workspace_id="acme", **wishes):
    (one,) = run(engine, JOB, [workspace_id], day, allow_future=True, **wishes)
    return one


def _counts(one):
    return tuple(one.counters[name] for name in ("sent", "skipped", "duplicates", "errors"))


def test_a_digest_lists_what_awaits_and_what_is_missing_by_name_and_period(engine):
    builders.import_all(
        engine.database,
        *_people(
            *_missing("e-2", MAY, "bo"),
            *_missing("e-1", MAY, "bo"),
            *_awaiting("e-2", APRIL, "bo", "cy"),
            *_missing("e-1", APRIL, "bo"),
        ),
    )
    one = _send(engine)
    assert (one.status, _counts(one)) == ("completed", (2, 0, 0, 0))
    awaiting = [_item("e-2", "Dan", APRIL)]
    missing = [_item("e-1", "Ada", APRIL), _item("e-1", "Ada", MAY), _item("e-2", "Dan", MAY)]
    key = "manager_digest:bo:2026-06-15"
    sent = rows(engine.database, _SENT, "acme")
    assert sent[0] == (
        "u-bo",
        key,
        ["email"],
        {"manager_name": "Bo", "awaiting": awaiting, "missing": missing},
        deterministic_event_id("acme", JOB, "notification", key),
    )
    assert sent[1][:2] == ("u-cy", "manager_digest:cy:2026-06-15")
    assert sent[1][3] == {"manager_name": "Cy", "awaiting": awaiting, "missing": []}
    assert rows(engine.database, "SELECT FROM projections.notification_feed") == []


def test_one_a_night_however_often_it_runs(engine):
    builders.import_all(engine.database, *_people(*_missing("e-1", MAY, "bo")))
    assert _counts(_send(engine)) == (1, 0, 0, 0)
    before = digests(engine.database)
    builders.import_all(engine.database)
    assert _counts(_send(engine)) == (0, 0, 1, 0)
    assert digests(engine.database) == before
    # More in the inbox, or another user, makes no second digest of the night.
    builders.import_all(
        engine.database,
        *_missing("e-2", MAY, "bo"),
        builders.user("u-bo", "bo", status="suspended"),
        builders.user("u-new", "bo"),
    )
    assert _counts(_send(engine)) == (0, 0, 1, 0)
    assert _counts(_send(engine, DAY + timedelta(1))) == (1, 0, 0, 0)
    assert [user_id for user_id, *_ in rows(engine.database, _SENT, "acme")] == ["u-bo", "u-new"]


@pytest.mark.parametrize(
    "event",
    [builders.user("u-bo", "bo", status="suspended"), builders.user("u-bo", "cy"), builders.removed("bo")],
    ids=["suspended", "somebody else's", "removed"],
)
def test_a_manager_without_an_active_user_is_skipped(engine, event):
    builders.import_all(engine.database, *_people(*_missing("e-1", MAY, "bo"), *_missing("e-2", MAY, "cy"), event))
    one = _send(engine)
    assert (one.status, _counts(one)) == ("warning", (1, 1, 0, 0))


def test_the_smallest_of_two_users_gets_it(engine):
    builders.import_all(engine.database, *_people(*_missing("e-1", MAY, "bo"), builders.user("u-a", "bo")))
    _send(engine)
    assert [user_id for user_id, *_ in rows(engine.database, _SENT, "acme")] == ["u-a"]


def test_time_off_alone_makes_none(engine):
    builders.import_all(
        engine.database, *_people(off("a-1", date(2026, 7, 1), date(2026, 7, 2), approval_required=True))
    )
    engine.catch_up(workspaces=["acme"])
    assert rows(engine.database, "SELECT manager_id, item_kind FROM projections.approvals_inbox") == [
        ("bo", "time_off")
    ]
    one = _send(engine)
    assert (_counts(one), one.counters["skipped_reason"]) == ((0, 0, 0, 0), "nothing is due")


def test_of_someone_who_is_gone_the_id_is_given(engine):
    builders.import_all(engine.database, *_people(*_missing("e-1", MAY, "bo"), builders.removed("e-1")))
    _send(engine)
    ((_, _, _, data, _),) = rows(engine.database, _SENT, "acme")
    assert [item["employee_name"] for item in data["missing"]] == ["e-1"]


_bounds = st.sampled_from([APRIL, MAY])
_led = st.sampled_from(["e-1", "e-2"])
_managers = st.lists(st.sampled_from(["bo", "cy", "nobody"]), max_size=3, unique=True)
_inboxes = st.lists(
    st.builds(lambda make, *what: (make, *what), st.sampled_from([_missing, _awaiting]), _led, _bounds, _managers),
    max_size=4,
    unique_by=lambda one: one[1:3],
)
_workspace_ids = st.text(string.ascii_lowercase, min_size=12, max_size=12)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_workspace_ids, _inboxes)
def test_random_inboxes_give_each_manager_their_items(engine, name, inboxes):
    """Everybody gets what names them; a dry run counts the same; the second run finds duplicates only."""
    if rows(engine.database, "SELECT FROM batch_jobs.workspaces WHERE workspace_id = %s", name):
        return
    events = [event for make, who, bounds, managers in inboxes for event in make(who, bounds, *managers)]
    builders.import_all(engine.database, *_people(*events, workspace_id=name))
    wanted = {}
    for make, who, bounds, managers in inboxes:
        for manager in managers:
            kind = "missing" if make is _missing else "awaiting"
            wanted.setdefault(manager, {"missing": set(), "awaiting": set()})[kind].add((who, str(bounds[0])))
    skipped = int("nobody" in wanted)
    dry, real = _send(engine, DAY, name, parameters={"dry_run": True}), _send(engine, DAY, name)
    assert _counts(real) == _counts(dry) == (len(wanted) - skipped, skipped, 0, 0)
    assert _counts(_send(engine, DAY, name)) == (0, skipped, len(wanted) - skipped, 0)
    found = {
        dedup_key.split(":")[1]: {
            kind: {(item["employee_id"], item["period_start"]) for item in data[kind]}
            for kind in ("missing", "awaiting")
        }
        for _, dedup_key, _, data, _ in rows(engine.database, _SENT, name)
    }
    assert found == {manager: items for manager, items in wanted.items() if manager != "nobody"}


def test_neither_chunks_nor_the_order_of_workspaces_matter(database, make_database, migrated):
    def state(opened, order, chunk_rows):
        for name in ("one", "two"):
            events = [*_missing("e-1", MAY, "bo"), *_awaiting("e-2", MAY, "bo", "cy")]
            builders.import_all(opened, *_people(*events, workspace_id=name))
        run(engine_of(opened, *registry().values(), chunk_rows=chunk_rows), JOB, order, DAY, allow_future=True)
        return [rows(opened, _SENT, name) for name in ("one", "two")]

    with Database(make_database(migrated)) as other:
        assert state(database, ["one", "two"], 10_000) == state(other, ["two", "one"], 1)


def test_only_those_in_scope_get_one(engine):
    events = [*_missing("e-1", MAY, "bo"), *_missing("e-2", MAY, "cy")]
    builders.import_all(engine.database, *_people(*events), *_people(*events, workspace_id="bell"))
    assert _counts(_send(engine, parameters={"employee_id": "cy"})) == (1, 0, 0, 0)
    assert [user_id for user_id, *_ in rows(engine.database, _SENT, "acme")] == ["u-cy"]
    assert rows(engine.database, _SENT, "bell") == []
