"""What job runs are partitioned by: run date and workspace."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dagster import (
    DagsterInstance,
    DailyPartitionsDefinition,
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
    TimeWindowPartitionsDefinition,
)

from batch_jobs.errors import BadInputError

DATE = "date"
WORKSPACE = "workspace"
WORKSPACES_NAME = "workspaces"
WORKSPACES = DynamicPartitionsDefinition(name=WORKSPACES_NAME)
# Dagster counts from yesterday: today and tomorrow too, so that workspaces ahead of UTC have their today.
DAYS_AFTER_YESTERDAY = 2


class Target(NamedTuple):
    """One workspace on one run date: what a partition stands for."""

    workspace_id: str
    run_date: date

    @property
    def partition_key(self) -> str:
        """Dagster joins the dimensions in the alphabetical order of their names."""
        return f"{self.run_date.isoformat()}|{self.workspace_id}"


def job_partitions(*, today: date, days_back: int) -> MultiPartitionsDefinition:
    """Partitions by run date and workspace.

    The first run date is fixed when the code is loaded; the last one, tomorrow in UTC, moves on with the clock.

    Args:
        today: the date in UTC.
        days_back: days before it that are still in the window.
    """
    first = today - timedelta(days=days_back)
    dates = DailyPartitionsDefinition(start_date=first.isoformat(), end_offset=DAYS_AFTER_YESTERDAY)
    return MultiPartitionsDefinition({DATE: dates, WORKSPACE: WORKSPACES})


def read_partition_key(key: str) -> Target:
    """The workspace and run date that a partition key names."""
    run_date, _, workspace_id = key.partition("|")
    return Target(workspace_id, date.fromisoformat(run_date))


def workspace_keys(instance: DagsterInstance) -> Sequence[str]:
    """The workspaces that are partitions, in the order that makes them neighbours: that in which they were added."""
    return instance.get_dynamic_partitions(WORKSPACES_NAME)


def workspace_changes(instance: DagsterInstance, active: Collection[str]) -> tuple[list[str], list[str]]:
    """The workspaces to add to the partitions and those to remove, given the active ones."""
    present = set(workspace_keys(instance))
    return sorted(set(active) - present), sorted(present - set(active))


def sync_workspaces(instance: DagsterInstance, active: Collection[str]) -> tuple[int, int]:
    """Make the partitions equal to the active workspaces now, as the sensor does where it runs.

    Returns:
        How many were added and removed.
    """
    new, gone = workspace_changes(instance, active)
    instance.add_dynamic_partitions(WORKSPACES_NAME, new)
    for workspace_id in gone:
        instance.delete_dynamic_partition(WORKSPACES_NAME, workspace_id)
    return len(new), len(gone)


def window(partitions: MultiPartitionsDefinition) -> tuple[date, date]:
    """The first and the last run date that have partitions now."""
    dates = partitions.get_partitions_def_for_dimension(DATE)
    assert isinstance(dates, TimeWindowPartitionsDefinition)
    first, last = dates.get_first_partition_key(), dates.get_last_partition_key()
    assert first is not None
    assert last is not None
    return date.fromisoformat(first), date.fromisoformat(last)


def no_partitions(
    targets: Sequence[Target], partitions: MultiPartitionsDefinition, instance: DagsterInstance
) -> dict[tuple[str, date], str]:
    """Those that are outside of the window or name no active workspace, and which of both."""
    first, last = window(partitions)
    workspaces = set(workspace_keys(instance))
    found: dict[tuple[str, date], str] = {}
    for target in targets:
        if not first <= target.run_date <= last:
            found[target] = (
                f'partition "{target.partition_key}" is outside of the window of run dates, {first} to {last}; use '
                "run_batch_jobs or `batch-jobs run` for other days, or widen it by BATCH_JOBS_PARTITION_DAYS_BACK"
            )
        elif target.workspace_id not in workspaces:
            found[target] = (
                f'partition "{target.partition_key}" names no active workspace; a new one becomes a partition within '
                "a minute while the sensor workspace_partitions runs"
            )
    return found


def known_targets(
    keys: Sequence[str], partitions: MultiPartitionsDefinition, instance: DagsterInstance
) -> list[Target]:
    """What these partition keys stand for.

    Raises:
        BadInputError: a key is outside of the window or names no active workspace.
    """
    targets = [read_partition_key(key) for key in keys]
    for reason in no_partitions(targets, partitions, instance).values():
        raise BadInputError(reason)
    return targets
