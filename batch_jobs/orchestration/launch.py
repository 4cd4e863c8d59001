"""Who asked for a Dagster run, read from its tags."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_START_TAG,
    BACKFILL_ID_TAG,
    PARENT_RUN_ID_TAG,
    SCHEDULE_NAME_TAG,
    SENSOR_NAME_TAG,
    USER_TAG,
)

from batch_jobs.engine.job_runs import Trigger

# What a schedule or sensor found due. Under this prefix a tag is shown on the page of its run and not in the list of
# runs, which it would fill.
TICK_TAG = "dagster/found_due"


@dataclass(frozen=True, slots=True)
class Launch:
    """How a run came about.

    Attributes:
        trigger: as the ledger knows it.
        actor: who asked, as the ledger names them.
        over_range: whether a schedule or sensor asked for a range: some workspaces in it may have nothing to do, and
            those that fail are tried again.
        again: the Dagster run that a person executes again, where a schedule or sensor had asked for that over a
            range; None for any other.
    """

    trigger: Trigger
    actor: str
    over_range: bool
    again: str | None = None

    @property
    def only_due(self) -> bool:
        """Whether only what is due gets work. A person gets what they ask for."""
        return self.trigger in ("schedule", "sensor")


def read_launch(tags: Mapping[str, str]) -> Launch:
    """Read how a run came about from its tags."""
    by_hand = f"user:{tags[USER_TAG]}" if USER_TAG in tags else "dagster"
    # A run that a person executes again has the tags of the first one, which a schedule may have asked for.
    over_range = ASSET_PARTITION_RANGE_START_TAG in tags
    if first := tags.get(PARENT_RUN_ID_TAG):
        return Launch("manual", by_hand, over_range=False, again=first if over_range and TICK_TAG in tags else None)
    if schedule := tags.get(SCHEDULE_NAME_TAG):
        return Launch("schedule", f"schedule:{schedule}", over_range)
    if sensor := tags.get(SENSOR_NAME_TAG):
        return Launch("sensor", f"sensor:{sensor}", over_range)
    if BACKFILL_ID_TAG in tags:
        return Launch("backfill", by_hand, over_range=False)
    return Launch("manual", by_hand, over_range=False)
