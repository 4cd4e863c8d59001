"""A night in one process: the schedules are asked, and what they ask for is run as Dagster runs with a history."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from io import StringIO

from dagster import DagsterInstance, Definitions, RunRequest, ScheduleDefinition, build_schedule_context
from dagster._core.storage.tags import SCHEDULE_NAME_TAG

from batch_jobs.engine.engine import Engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import sync_workspaces
from batch_jobs.orchestration.resources import ENGINE
from batch_jobs.settings import Settings

# A job that catches missed nights up asks for one of them at each look; more looks than nights end nothing.
MOST_LOOKS = 20


def run_night(settings: Settings, engine: Engine, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Run what the schedules find due now, each job after those that it comes after.

    Unlike the daemon it does not wait for the next tick, nor for failed runs to be due again.

    Args:
        settings: the installation, whose Dagster home is ready.
        engine: on its database.
        tell: told what goes on.

    Returns:
        The ids of the Dagster runs.
    """
    definitions = build_definitions(settings=settings)
    run_ids: list[str] = []
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance, _quiet():
        sync_workspaces(instance, engine.scheduled_workspaces())
        for name in TopologicalSorter({name: job.after for name, job in sorted(engine.jobs.items())}).static_order():
            schedule = definitions.resolve_schedule_def(f"{name}_schedule")
            for _ in range(MOST_LOOKS):
                requests = _tick(definitions, schedule, instance, engine)
                for number, request in enumerate(requests, 1):
                    tell(f"{name}: run {number} of {len(requests)}")
                    run_ids.append(_carry_out(definitions, name, schedule, instance, request))
                if not requests:
                    break
    return run_ids


def _tick(
    definitions: Definitions, schedule: ScheduleDefinition, instance: DagsterInstance, engine: Engine
) -> Sequence[RunRequest]:
    context = build_schedule_context(
        instance,
        scheduled_execution_time=datetime.now(UTC),
        repository_def=definitions.get_repository_def(),
        resources={ENGINE: engine},
    )
    return schedule.evaluate_tick(context).run_requests or []


def _carry_out(
    definitions: Definitions, job: str, schedule: ScheduleDefinition, instance: DagsterInstance, request: RunRequest
) -> str:
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config=request.run_config,
        tags={**request.tags, SCHEDULE_NAME_TAG: schedule.name},
        partition_key=request.partition_key,
    )
    return result.run_id


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dagster's log out of a terminal that shows progress; it is in the history of each run.

    Its handlers take the stream that is stderr when a run begins.
    """
    with redirect_stderr(StringIO()):
        yield
