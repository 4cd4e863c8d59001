"""The engine as a Dagster resource, so that ops, schedules and sensors get it opened and closed for them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import cast

from dagster import InitResourceContext, ResourceDefinition, resource

from batch_jobs.engine.engine import Engine
from batch_jobs.installation import open_engine
from batch_jobs.settings import Settings

ENGINE = "engine"


def engine_resource(settings: Settings, clock: Callable[[], datetime]) -> ResourceDefinition:
    """The engine of an installation."""

    @resource(description="Runs jobs over workspaces, and keeps the ledger and the projections.")
    def engine(_context: InitResourceContext) -> Iterator[Engine]:
        with open_engine(settings, clock=clock) as opened:
            yield opened

    return engine


def engine_of(resources: object) -> Engine:
    """The engine among the resources of a context."""
    return cast(Engine, getattr(resources, ENGINE))
