"""What the statements remember beside the rule: since when their state holds, and who was told of it."""

from datetime import date
from typing import Any

import pytest

from batch_jobs.store.database import Database
from batch_jobs_tests.builders import Event, statement
from batch_jobs_tests.projections.catching_up import rows, take_in

JANUARY = date(2026, 1, 1), date(2026, 1, 31)


def _step(hour: int, what: str, *targets: str, **fields: Any) -> Event:
    said = statement(what, "e-1", *JANUARY, **fields)
    return {**said, "occurred_at": f"2026-02-01T{hour:02}:00:00+00:00", "targets": list(targets)}


STEPS = [
    (_step(1, "period_started"), "pending", 1, []),
    (_step(2, "ready", "m-1"), "ready", 2, ["m-1"]),
    (_step(3, "overdue", "m-2", "m-3"), "overdue", 3, ["m-2", "m-3"]),
    (_step(4, "submitted", "m-9", approvers=["m-1", "m-2"]), "submitted", 4, ["m-2", "m-3"]),
    (_step(5, "approved", by="m-2"), "submitted", 4, ["m-2", "m-3"]),
    (_step(6, "ready", "m-5"), "submitted", 4, ["m-2", "m-3"]),
    (_step(7, "approved", by="m-1"), "approved", 7, ["m-2", "m-3"]),
    (_step(8, "approved", by="m-1"), "approved", 7, ["m-2", "m-3"]),
    (_step(9, "reopened", by="m-1", note="Friday"), "reopened", 9, ["m-2", "m-3"]),
]


@pytest.mark.parametrize("parts", [[[step] for step in STEPS], [STEPS], [STEPS[:3], STEPS[3:]]])
def test_since_when_and_who_was_told(database: Database, parts: list[list[Any]]) -> None:
    for part in parts:
        take_in(database, *(event for event, *_ in part))
        (row,) = rows(database, "timesheet_statements")
        assert (row["state"], row["state_since"].hour, row["told"]) == part[-1][1:]
