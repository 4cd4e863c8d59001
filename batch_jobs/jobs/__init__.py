"""One file a job: its parameters, its need-check, its work, its counters. No Dagster."""

import importlib
import inspect
import pkgutil
from functools import cache
from graphlib import TopologicalSorter

from batch_jobs.engine.contract import Job


@cache
def registry() -> dict[str, Job]:
    """All jobs by name: every concrete `Job` that a file of this folder defines."""
    found: dict[str, Job] = {}
    for module_info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, Job) and member.__module__ == module.__name__ and not inspect.isabstract(member):
                found[member.name] = member()
    for job in found.values():
        if missing := set(job.after) - found.keys():
            raise ValueError(f"job {job.name} comes after {sorted(missing)}, which no file in jobs/ defines")
    TopologicalSorter({job.name: job.after for job in found.values()}).prepare()  # refuses a circle
    return found
