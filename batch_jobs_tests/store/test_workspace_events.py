"""What a workspace says about itself stands in `batch_jobs.workspaces`, however its events come in."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import Event, employee, event, import_all, of, workspace

numbers = count(1)

changes = st.sampled_from(["workspace.suspended", "workspace.resumed", "workspace.deleted"])
instants = st.integers(1, 9).map(lambda day: f"2026-01-0{day}T00:00:00+00:00")
happenings = st.lists(
    st.tuples(
        st.builds(
            lambda one, at: {**one, "occurred_at": at},
            st.one_of(
                st.builds(event, changes),
                st.builds(
                    workspace,
                    timezone=st.sampled_from(["UTC", "Asia/Tokyo"]),
                    name=st.sampled_from(["One", "Two"]),
                    locale=st.sampled_from(["en", "da"]),
                    default_holiday_calendar_id=st.sampled_from([None, "c-1"]),
                ),
                st.builds(workspace),
                st.builds(employee, st.just("e-1")),
            ),
            instants,
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def state(database: Database, workspace_id: str = "acme") -> dict[str, Any]:
    with database.worker([workspace_id]) as connection:
        cursor = connection.execute(
            "SELECT head, status, name, timezone, locale, default_holiday_calendar_id, first_event_at, deleted_at"
            " FROM batch_jobs.workspaces"
        )
        names = [column.name for column in cursor.description or ()]
        row = cursor.fetchone()
        assert row
        return dict(zip(names, row, strict=True))


def told(events: list[Event]) -> dict[str, Any]:
    """The state after the events, one by one."""
    known: dict[str, Any] = dict.fromkeys(
        ("name", "timezone", "locale", "default_holiday_calendar_id", "deleted_at", "first_event_at")
    )
    suspended = False
    for one in events:
        at = datetime.fromisoformat(one["occurred_at"]).astimezone(UTC)
        known["first_event_at"] = known["first_event_at"] or at
        payload = one["payload"]
        match one["type"]:
            case "workspace.created":
                known |= {"default_holiday_calendar_id": None, "locale": "en", **payload}
            case "workspace.suspended":
                suspended = True
            case "workspace.resumed":
                suspended = False
            case "workspace.deleted":
                known["deleted_at"] = known["deleted_at"] or at
    status = "suspended" if suspended else "active" if known["timezone"] else "undefined"
    return {**known, "head": len(events), "status": "deleted" if known["deleted_at"] else status}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happenings)
def test_any_order_and_any_split(database: Database, happened: list[tuple[Event, bool]]) -> None:
    name = f"w-{next(numbers)}"
    events = of(name, *(one for one, _ in happened))
    waiting: list[Event] = []
    for one, (_, import_now) in zip(events, happened, strict=True):
        waiting.append(one)
        if import_now:
            import_all(database, *waiting)
            waiting = []
    import_all(database, *waiting)
    assert state(database, name) == told(events)


@pytest.mark.every_postgres
def test_a_life(database: Database) -> None:
    import_all(database, employee("e-1"))
    assert state(database)["status"] == "undefined"
    import_all(database, workspace(timezone="Europe/Copenhagen", locale="da"))
    assert state(database)["status"] == "active"
    assert state(database)["locale"] == "da"
    import_all(database, event("workspace.suspended"))
    assert state(database)["status"] == "suspended"
    import_all(database, event("workspace.resumed"))
    assert state(database)["status"] == "active"
    import_all(database, event("workspace.deleted"), event("workspace.resumed"))
    assert state(database)["status"] == "deleted"


def test_a_repeat_does_not_happen_twice(database: Database) -> None:
    suspended = event("workspace.suspended")
    import_all(database, workspace(), suspended)
    import_all(database, event("workspace.resumed"))
    import_all(database, suspended)
    assert state(database)["status"] == "active"
