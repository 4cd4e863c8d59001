"""Nights of all jobs over believable workspaces, as the scheduler runs them, without Dagster."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from batch_jobs.engine.by_hand import in_order
from batch_jobs.engine.contract import Job
from batch_jobs.engine.engine import Engine
from batch_jobs.engine.job_runs import JobRun
from batch_jobs.engine.requests import RunRequest
from batch_jobs.jobs import registry
from batch_jobs.sample.generator import generate
from batch_jobs.store.database import Database
from batch_jobs.store.transfer import import_events
from batch_jobs_tests.engine.company import engine_of

# The day after which the nights of a test begin: the last of a week, and near the end of a month.
UNTIL = date(2026, 11, 22)
# The demo's first workspaces: a Danish, a French, a German and an American one, of any size.
WORKSPACES = 4


def nights_engine(database: Database, day: date, **choices: Any) -> Engine:
    """The engine with all jobs at noon (UTC) of a day."""
    return engine_of(database, *registry().values(), clock=lambda: noon(day), **choices)


def noon(day: date) -> datetime:
    """Noon (UTC) of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def tell_story(database: Database, *, workspaces: int = WORKSPACES, employees: int = 8, until: date = UNTIL) -> None:
    """Import sample workspaces whose jobs have run until that day."""
    events = generate(workspaces=workspaces, employees=employees, seed="nights", until=until)  # type: ignore[arg-type]
    import_events(database, (json.dumps(event).encode() for event in events))
    # Whichever day it is when a test runs: a workspace misses no night before it came, which is the first of the test.
    with database.owner() as connection:
        connection.execute("UPDATE batch_jobs.workspaces SET recorded_at = %s", [noon(night_after(until))])


def nightly(engine: Engine) -> list[Job]:
    """The jobs of a night, in their order."""
    return in_order(engine.jobs, engine.nightly_jobs)


def run_night(engine: Engine, *, order: Callable[[list[Any]], Iterable[Any]] = list) -> list[JobRun]:
    """Run what the scheduler finds due, missed nights included, until nothing is."""
    runs: list[JobRun] = []
    for job in nightly(engine):
        while due := engine.schedule(job.name).due:
            first = min(item.run_date for item in due)
            targets = [(item.workspace_id, item.run_date) for item in due if item.run_date == first]
            runs += engine.run(
                RunRequest(
                    job=job.name,
                    targets=list(order(targets)),
                    parameters=dict(job.scheduled),
                    trigger="schedule",
                    only_due=True,
                )
            )
    return runs


def night_after(day: date = UNTIL, nights: int = 1) -> date:
    """The day so many nights later."""
    return day + timedelta(days=nights)
