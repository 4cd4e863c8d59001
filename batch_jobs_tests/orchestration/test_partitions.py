"""The window of run dates, and workspaces as partitions."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from dagster import DagsterInstance

from batch_jobs.errors import BadInputError
from batch_jobs.orchestration.partitions import (
    Target,
    job_partitions,
    known_targets,
    read_partition_key,
    sync_workspaces,
    window,
    workspace_keys,
)

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize("hour", [0, 23])
def test_the_window_ends_tomorrow(hour: int) -> None:
    with time_machine.travel(datetime(2026, 3, 10, hour, 59, tzinfo=UTC), tick=False):
        assert window(job_partitions(today=TODAY, days_back=3)) == (date(2026, 3, 7), date(2026, 3, 11))


def test_the_end_of_the_window_moves_on_while_the_code_stays_loaded() -> None:
    partitions = job_partitions(today=TODAY, days_back=3)
    with time_machine.travel(datetime(2026, 3, 12, 0, 1, tzinfo=UTC), tick=False):
        assert window(partitions) == (date(2026, 3, 7), date(2026, 3, 13))


def test_keys_name_the_date_first() -> None:
    target = Target("acme", TODAY)
    assert target.partition_key == "2026-03-10|acme"
    assert read_partition_key(target.partition_key) == target
    names = job_partitions(today=TODAY, days_back=3).partition_dimension_names
    assert list(names) == ["date", "workspace"]


def test_workspaces_come_and_go(instance: DagsterInstance) -> None:
    assert sync_workspaces(instance, ["b", "a"]) == (2, 0)
    assert sync_workspaces(instance, ["b", "c"]) == (1, 1)
    assert workspace_keys(instance) == ["b", "c"]
    assert sync_workspaces(instance, ["b", "c"]) == (0, 0)


def test_what_is_no_partition_is_refused_by_name(instance: DagsterInstance) -> None:
    sync_workspaces(instance, ["acme"])
    partitions = job_partitions(today=TODAY, days_back=3)
    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=UTC), tick=False):
        assert known_targets(["2026-03-10|acme"], partitions, instance) == [Target("acme", TODAY)]
        with pytest.raises(BadInputError, match=r'"2026-03-06\|acme" is outside .* 2026-03-07 to 2026-03-11; use run_'):
            known_targets(["2026-03-10|acme", "2026-03-06|acme"], partitions, instance)
        with pytest.raises(BadInputError, match=r'"2026-03-10\|acne" names no active workspace'):
            known_targets(["2026-03-10|acne"], partitions, instance)
