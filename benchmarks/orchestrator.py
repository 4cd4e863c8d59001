"""A real code server, and the steps of Dagster's own scheduler and queue. What needs private parts of Dagster is here.

The daemon does the same steps, but waits between them (up to five minutes for a tick, five seconds for the queue).
Here they follow each other at once, which spares both sides of a comparison the same kind of wait.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._grpc.constants import GrpcServerCommand
from dagster._scheduler.scheduler import launch_scheduled_runs_for_schedule

from batch_jobs.settings import PROJECT_FOLDER

POLL_SECONDS = 0.05
HEARTBEAT_SECONDS = 45


class Orchestrator:
    """A code location, served, on an instance.

    Args:
        context: holds both.
    """

    def __init__(self, context: WorkspaceProcessContext) -> None:
        self._context = context
        self._instance = context.instance

    def tick(self, schedule_name: str) -> None:
        """Evaluate the next tick of a schedule and submit the runs it asks for, as the scheduler does."""
        (location,) = self._context.create_request_context().code_locations
        (repository,) = location.get_repositories().values()
        schedule = repository.get_schedule(schedule_name)
        now = datetime.now(UTC).timestamp()
        state = InstigatorState(
            schedule.get_remote_origin(),
            InstigatorType.SCHEDULE,
            InstigatorStatus.DECLARED_IN_CODE,
            ScheduleInstigatorData(schedule.cron_schedule, now),
        )
        self._instance.add_instigator_state(state)
        launch_scheduled_runs_for_schedule(
            self._context,
            logging.getLogger("benchmarks"),
            schedule,
            state,
            next(iter(schedule.execution_time_iterator(now))),
            max_catchup_runs=1,
            max_tick_retries=0,
            tick_retention_settings={},
            schedule_debug_crash_flags=None,
            submit_threadpool_executor=None,
            in_memory_last_iteration_timestamp=None,
        )

    def work_off(self) -> list[DagsterRun]:
        """Launch what is queued, each run in a process of its own, until all have finished. Returns all runs.

        Raises:
            RuntimeError: a run did not succeed.
        """
        with QueuedRunCoordinatorDaemon(interval_seconds=0) as queue:
            while statuses := self._unfinished():
                if DagsterRunStatus.QUEUED in statuses:
                    for error in queue.run_iteration(self._context):
                        assert error is None, error
                time.sleep(POLL_SECONDS)
        runs = list(self._instance.get_runs())
        failed = [run for run in runs if run.status != DagsterRunStatus.SUCCESS]
        if failed:
            raise RuntimeError(f"{len(failed)} Dagster runs did not succeed, the first of them {failed[0].run_id}")
        return runs

    def _unfinished(self) -> set[DagsterRunStatus]:
        return {run.status for run in self._instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES))}


@contextmanager
def serving(instance: DagsterInstance, module: str) -> Iterator[Orchestrator]:
    """Serve the definitions of a module from a code server, for the length of a `with` block."""
    target = ModuleTarget(module, None, str(PROJECT_FOLDER), module)
    with (
        # Waited for, since a server that is still leaving would start the stopped database again.
        GrpcServerRegistry(
            instance_ref=instance.get_ref(),
            server_command=GrpcServerCommand.API_GRPC,
            heartbeat_ttl=HEARTBEAT_SECONDS,
            startup_timeout=instance.code_server_process_startup_timeout,
            log_level="WARNING",
            wait_for_processes_on_shutdown=True,
        ) as servers,
        WorkspaceProcessContext(instance, target, grpc_server_registry=servers) as context,
    ):
        yield Orchestrator(context)
