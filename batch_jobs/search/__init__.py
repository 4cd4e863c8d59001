"""One file a search index: its fields, and what changes its documents. How words are folded, and asked for."""

import sys
from functools import cache

from batch_jobs.engine.discovery import instances
from batch_jobs.search.index import Index
from batch_jobs.search.querying import Found, query

__all__ = ["Found", "Index", "query", "registry"]


@cache
def registry() -> dict[str, Index]:
    """All search indexes by name: every one that a file of this folder defines."""
    return {index.name: index for index in instances(sys.modules[__name__], Index)}
