"""What a person's wish to run jobs means: which jobs in which order, and which workspaces and run dates each gets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from graphlib import TopologicalSorter
from typing import Any

from batch_jobs.engine.admission import admit_dates, admit_workspaces, zones_of
from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import Target
from batch_jobs.engine.local_time import today
from batch_jobs.engine.need import due_rows
from batch_jobs.engine.requests import find_job, read_parameters

# What makes a job work where nothing is due; and what must never be left out silently.
FORCING = frozenset({"force", "force_recompute"})
NARROWING = frozenset({"employee_id", "org_unit_id"})


def in_order(jobs: Mapping[str, Job], names: Iterable[str]) -> list[Job]:
    """The named jobs, each once, after those of them that it comes after, directly or through others.

    Raises:
        BadInputError: a name is not known.
    """
    wanted = {find_job(jobs, name).name for name in names}
    order = TopologicalSorter({name: jobs[name].after for name in sorted(jobs)}).static_order()
    return [jobs[name] for name in order if name in wanted]


def parameters_of_each(
    jobs: Sequence[Job], given: Mapping[str, Any], *, force: bool
) -> list[tuple[Job, dict[str, Any]]]:
    """The jobs with the parameters that each gets: of those given the ones it has.

    Args:
        jobs: that run together.
        given: values by name.
        force: set `FORCING` where a job has it.

    Raises:
        BadInputError: a name that none of the jobs has, one of `NARROWING` that one of them does not have, or a bad
            value.
    """
    known = frozenset[str]().union(*(job.parameters.model_fields for job in jobs)) - NARROWING
    found = []
    for job in jobs:
        own = job.parameters.model_fields
        chosen: dict[str, Any] = {name: True for name in FORCING if force and name in own}
        chosen |= {name: value for name, value in given.items() if name in own or name not in known}
        read_parameters(job, chosen)
        found.append((job, chosen))
    return found


def wanted_targets(
    engine: Engine,
    job: Job,
    parameters: Mapping[str, Any],
    *,
    workspaces: Sequence[str],
    run_date: date | None,
    force: bool,
    future: bool = False,
) -> list[Target]:
    """The workspaces and run dates that a job gets by hand (domain 7 and 8).

    By hand neither the local time, nor `after`, nor an earlier run of the same key holds anything back: where no
    workspace is named, the need-check alone decides.

    Args:
        engine: where.
        job: which.
        parameters: that it gets.
        workspaces: those that were named, due or not; none for all where rows are due.
        run_date: for this day, None for each workspace's own today.
        force: where no workspace is named, take all in which the job may run.
        future: whether days after a workspace's own today are meant. If not, workspaces where the day has not begun
            are left out, unless they were named or there are no others: those are for the engine to refuse.

    Raises:
        BadInputError: a named workspace is not known, or the job may not run there.
    """
    chosen = workspaces or engine.workspaces_of(job)
    own = engine.own_today(chosen, job)
    targets = [(workspace_id, run_date or own[workspace_id]) for workspace_id in chosen]
    if workspaces:
        return targets
    if not future:
        targets = [target for target in targets if target[1] <= own[target[0]]] or targets
    if force:
        return targets
    if job.catches_up:
        engine.catch_up()
    with engine.database.reader() as connection:
        due = due_rows(connection, job, targets, read_parameters(job, parameters))
    return [target for target in targets if target in due]


def admit_day(engine: Engine, jobs: Iterable[Job], workspaces: Sequence[str], run_date: date | None) -> None:
    """Refuse a day that has not begun in the named workspaces, or where none is named, in any active one.

    Asked about the last of several days before the first is run, so that a wish is refused as a whole.

    Raises:
        BadInputError: see `admit_dates`.
    """
    if run_date is None:
        return
    statuses = frozenset[str]().union(*(job.workspace_statuses for job in jobs))
    if workspaces:
        zones = admit_workspaces(engine.database, workspaces, statuses=statuses)
    else:
        zones = zones_of(engine.database, statuses=statuses)
    now = engine.clock()
    late = [(name, run_date) for name in zones if run_date > today(now, zones[name])]
    if late and (workspaces or len(late) == len(zones)):
        admit_dates(late, zones, now)
