"""A night in one process: the schedules are asked, and what they ask for is run as Dagster runs with a history."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from dagster import DagsterInstance, Definitions, RunRequest, ScheduleDefinition, build_schedule_context
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG, SCHEDULE_NAME_TAG

from batch_jobs.engine.by_hand import in_order
from batch_jobs.engine.engine import Engine
from batch_jobs.orchestration.build import build_definitions
from batch_jobs.orchestration.partitions import sync_workspaces
from batch_jobs.orchestration.resources import ENGINE
from batch_jobs.settings import Settings

# A job that catches missed nights up asks for one of them at each look; more looks than nights end nothing.
MOST_LOOKS = 20
# The UI lists the runs of a job by it. The location's name is that of workspace.yaml.
REPOSITORY = "__repository__@batch_jobs"


def run_night(settings: Settings, engine: Engine, tell: Callable[[str], None] = lambda _: None) -> dict[str, list[str]]:
    """Run what the schedules find due now, each job after those that it comes after.

    Unlike the daemon it does not wait for the next tick, nor for failed runs to be due again.

    Args:
        settings: the installation, whose Dagster home is ready.
        engine: on its database; its clock is the night's.
        tell: told what goes on.

    Returns:
        The ids of the Dagster runs of each job, in order.
    """
    definitions = build_definitions(settings=settings, clock=engine.clock)
    run_ids: dict[str, list[str]] = {}
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance, _quiet():
        sync_workspaces(instance, engine.scheduled_workspaces())
        for job in in_order(engine.jobs, engine.nightly_jobs):
            tell(job.name)
            run_ids[job.name] = list(_run_due(definitions, job.name, instance, engine, tell))
    return run_ids


def _run_due(
    definitions: Definitions, job: str, instance: DagsterInstance, engine: Engine, tell: Callable[[str], None]
) -> Iterator[str]:
    schedule = definitions.resolve_schedule_def(f"{job}_schedule")
    for _ in range(MOST_LOOKS):
        requests = _tick(definitions, schedule, instance, engine)
        for number, request in enumerate(requests, 1):
            tell(f"{job}: run {number} of {len(requests)}")
            yield _carry_out(definitions, job, schedule, instance, request)
        if not requests:
            break


def _tick(
    definitions: Definitions, schedule: ScheduleDefinition, instance: DagsterInstance, engine: Engine
) -> Sequence[RunRequest]:
    context = build_schedule_context(
        instance,
        scheduled_execution_time=engine.clock(),
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
        tags={**request.tags, SCHEDULE_NAME_TAG: schedule.name, REPOSITORY_LABEL_TAG: REPOSITORY},
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
