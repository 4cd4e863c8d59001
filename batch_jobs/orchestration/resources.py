"""The engine as a Dagster resource, so that ops, schedules and sensors get it opened and closed for them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import cast

from dagster import DagsterInstance, DagsterRun, InitResourceContext, ResourceDefinition, resource

from batch_jobs.engine.engine import Engine
from batch_jobs.installation import open_engine
from batch_jobs.orchestration.history import fresh_run_tags
from batch_jobs.orchestration.workers import WORKER_TAG, signature
from batch_jobs.settings import Settings

ENGINE = "engine"


def engine_resource(settings: Settings, clock: Callable[[], datetime]) -> ResourceDefinition:
    """The engine of an installation. Where a run needs it, the run is signed by its process."""

    @resource(description="Runs jobs over workspaces, and keeps the ledger and the projections.")
    def engine(context: InitResourceContext) -> Iterator[Engine]:
        if context.run is not None and context.instance is not None:
            _sign(context.run, context.instance)
        with open_engine(settings, clock=clock) as opened:
            yield opened

    return engine


def _sign(run: DagsterRun, instance: DagsterInstance) -> None:
    signed = signature(run.run_id)
    current = instance.get_run_by_id(run.run_id)
    # `dagster job execute` opens the resources once more after the run.
    if current is not None and current.tags.get(WORKER_TAG) != signed:
        instance.add_run_tags(run.run_id, {WORKER_TAG: signed, **fresh_run_tags()})


def engine_of(resources: object) -> Engine:
    """The engine among the resources of a context."""
    return cast(Engine, getattr(resources, ENGINE))
