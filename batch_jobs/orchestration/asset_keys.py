"""The keys of the assets."""

from dagster import AssetKey

from batch_jobs.engine.projection import Projection


def job_key(name: str) -> AssetKey:
    """The asset whose partitions are the runs of a job."""
    return AssetKey(["jobs", name])


def projection_key(projection: Projection) -> AssetKey:
    """The asset that stands for a projection or a search index."""
    return AssetKey([projection.schema, projection.name])
