"""One file a projection: its table, its version, its fold. No Dagster."""

import sys
from functools import cache

from batch_jobs.engine.catch_up import in_order
from batch_jobs.engine.discovery import instances
from batch_jobs.engine.projection import Projection


@cache
def registry() -> dict[str, Projection]:
    """All projections by name, in the order in which they are folded: every one that a file of this folder defines."""
    found: dict[str, Projection] = {
        projection.name: projection for projection in instances(sys.modules[__name__], Projection)
    }
    return {projection.name: projection for projection in in_order(found)}
