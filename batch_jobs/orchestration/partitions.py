"""What job runs are partitioned by: run date and workspace; and the sensor that keeps the workspaces current."""

from datetime import date, timedelta
from typing import NamedTuple

from dagster import (
    DailyPartitionsDefinition,
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
)

DATE = "date"
WORKSPACE = "workspace"
WORKSPACES = DynamicPartitionsDefinition(name="workspaces")
# Dagster's offset counts from yesterday: today and tomorrow, so that workspaces ahead of UTC have their today.
DAYS_AFTER_YESTERDAY = 2


class Target(NamedTuple):
    """One workspace on one run date: what a partition stands for."""

    workspace_id: str
    run_date: date

    @property
    def partition_key(self) -> str:
        # Dagster joins the dimensions by their names in alphabetical order.
        return f"{self.run_date.isoformat()}|{self.workspace_id}"


def job_partitions(*, today: date, days_back: int) -> MultiPartitionsDefinition:
    """Partitions by run date and workspace.

    The first run date is fixed when the code is loaded; the last one, tomorrow in UTC, moves on with the clock.

    Args:
        today: the date in UTC.
        days_back: days before it that are still in the window.
    """
    dates = DailyPartitionsDefinition(
        start_date=(today - timedelta(days=days_back)).isoformat(), end_offset=DAYS_AFTER_YESTERDAY
    )
    return MultiPartitionsDefinition({DATE: dates, WORKSPACE: WORKSPACES})


def read_partition_key(key: str) -> Target:
    """The workspace and run date that a partition key names."""
    run_date, _, workspace_id = key.partition("|")
    return Target(workspace_id, date.fromisoformat(run_date))
