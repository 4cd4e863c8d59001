"""The keys of the assets."""

from dagster import AssetKey


def job_key(name: str) -> AssetKey:
    """The asset whose partitions are the runs of a job."""
    return AssetKey(["jobs", name])


def projection_key(name: str) -> AssetKey:
    """The asset that stands for a projection."""
    return AssetKey(["projections", name])
