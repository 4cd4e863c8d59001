"""What the builders make is what an import accepts, on a database that has the newest schema."""

from datetime import date

import pytest

from batch_jobs.store.database import Database
from batch_jobs.store.schema import newest_version, version
from batch_jobs_tests.builders import (
    calendar,
    employee,
    employment,
    import_all,
    invitation_expired,
    of,
    policy,
    removed,
    statement,
    terms,
    time_entered,
    unit,
    user,
    workspace,
)

PERIOD = date(2026, 1, 1), date(2026, 1, 31)


@pytest.mark.every_postgres
def test_every_builder_makes_an_event(database: Database) -> None:
    assert version(database) == newest_version()
    events = [
        workspace(default_holiday_calendar_id="c-1"),
        employee("e-1", since=date(2026, 2, 1)),
        employment("e-1/1", end=date(2026, 12, 31), org_unit_id="ou-1"),
        user("u-1", "e-1", status="invited"),
        invitation_expired("u-1"),
        terms(work_time_policy_id="w-1"),
        unit("ou-2", "ou-1", head_id="e-2"),
        calendar("c-1", country="DK"),
        policy("w-1"),
        time_entered("te-1"),
        statement("period_started", "e-1", *PERIOD),
        statement("submitted", "e-1", *PERIOD, approvers=["e-2"]),
        removed("e-1"),
    ]
    assert import_all(database, *events).heads == {"acme": len(events)}
    assert import_all(database, *of("globex", *events)).heads == {"globex": len(events)}
