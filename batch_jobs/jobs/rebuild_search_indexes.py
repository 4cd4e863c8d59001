"""Indexes all documents anew, shows how those that are found differ, and mends them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from batch_jobs import search
from batch_jobs.engine.batch import Batch, Preparation
from batch_jobs.engine.contract import Counter, Parameters
from batch_jobs.engine.projection import Projection
from batch_jobs.engine.rebuild_job import RebuildJob, Wanted

ALL = "all"
if TYPE_CHECKING:
    Choice = str
else:
    Choice = Literal[(ALL, *search.registry())]


class IndexChoice(Parameters):
    """Which indexes are rebuilt."""

    index: Choice = Field(default=ALL, description="The search index to rebuild; all of them by default.")
    dry_run: bool = Field(
        default=True,
        description="Show how many documents a rebuild would add, change and remove, with up to 100 of them before and "
        "after, and change nothing. Set it to false to mend them.",
    )


class RebuildSearchIndexes(RebuildJob):
    """Documents equal to those that are found already are not touched. They are made from the projections as these are:
    what is wrong there is found, and mended, by `rebuild_employee_projections`.
    """

    name = "rebuild_search_indexes"
    description = (
        "Indexes all documents anew from the projections, shows how those that are found differ, and mends them."
    )
    parameters = IndexChoice
    counters = (
        Counter("documents_indexed", "documents that the projections give"),
        Counter("documents_added", "documents that were missing"),
        Counter("documents_changed", "documents that were wrong, or of another configuration of the index"),
        Counter("documents_removed", "documents of what is in no projection"),
        Counter("errors", "events that could not be applied", warns=True),
    )

    def projections(self) -> Mapping[str, Projection]:
        """See `RebuildJob.projections`."""
        return search.with_projections()

    def wanted(self, preparation: Preparation) -> Wanted:
        """The chosen index, or all, everywhere."""
        chosen = {run.parameters.index for run in preparation.runs.values()}
        names = search.registry() if ALL in chosen else chosen
        return {name: list(preparation.runs) for name in names}

    def decide(self, batch: Batch) -> None:
        """Count what differs; the engine of rebuilds swaps it."""
        for found in self.compared(batch):
            self.count_drift(batch, found, written="documents_indexed", changed="documents_{}")
            for row in batch.rows:
                self.bury(batch, row, found)
