"""One file a job: its parameters, its need-check, its work, its counters. No Dagster."""

import sys
from functools import cache
from graphlib import TopologicalSorter

from batch_jobs.engine.contract import Job
from batch_jobs.engine.discovery import instances


@cache
def registry() -> dict[str, Job]:
    """All jobs by name: every concrete `Job` that a file of this folder defines."""
    found: dict[str, Job] = {job.name: job for job in instances(sys.modules[__name__], Job)}
    for job in found.values():
        if missing := set(job.after) - found.keys():
            raise ValueError(f"job {job.name} comes after {sorted(missing)}, which no file in jobs/ defines")
    TopologicalSorter({job.name: job.after for job in found.values()}).prepare()  # refuses a circle
    return found
