"""One file a search index: its fields, and what changes its documents. How words are folded, and asked for."""

import sys
from functools import cache

from batch_jobs import projections
from batch_jobs.engine.catch_up import in_order
from batch_jobs.engine.discovery import instances
from batch_jobs.engine.projection import Projection
from batch_jobs.search.index import Index
from batch_jobs.search.querying import Found, query

__all__ = ["Found", "Index", "query", "registry", "with_projections"]


@cache
def registry() -> dict[str, Index]:
    """All search indexes by name: every one that a file of this folder defines."""
    return {index.name: index for index in instances(sys.modules[__name__], Index)}


def with_projections() -> dict[str, Projection]:
    """All projections and search indexes by name, in the order in which they are folded."""
    found: dict[str, Projection] = {**projections.registry(), **registry()}
    return {projection.name: projection for projection in in_order(found)}
