"""One installation as the front doors use it: its settings, its database (started when needed), its engine."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime

from batch_jobs.engine.engine import Engine, utc_now
from batch_jobs.engine.projection import Projection
from batch_jobs.settings import Settings, read_settings
from batch_jobs.store import schema
from batch_jobs.store.database import Database


def database_url(settings: Settings, progress: Callable[[str], None] | None = None) -> str:
    """The URL of the installation's database; the embedded one is started, and held while this process lives."""
    if settings.database_url:
        return settings.database_url
    from batch_jobs.store.embedded import EmbeddedServer

    server = EmbeddedServer(settings)
    server.ensure_running(progress)
    return server.url


def all_projections() -> dict[str, Projection]:
    """All projections and search indexes by name, in the order in which they are folded."""
    from batch_jobs import search

    return search.with_projections()


def make_engine(database: Database, settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Engine:
    """The engine with all jobs, projections and search indexes of the product."""
    from batch_jobs import jobs
    from batch_jobs.projections.workforces import employees_in_scope

    return Engine(
        database,
        jobs.registry(),
        all_projections(),
        employees_in_scope=employees_in_scope,
        settings=settings,
        clock=clock,
    )


@contextlib.contextmanager
def open_database(
    settings: Settings | None = None, *, progress: Callable[[str], None] | None = None
) -> Iterator[Database]:
    """The installation's database, whose schema fits the code.

    Raises:
        UnavailableError: the database can not be reached, or its schema does not fit; the text names the remedy.
    """
    with Database(database_url(settings or read_settings(), progress)) as database:
        schema.check_version(database)
        yield database


@contextlib.contextmanager
def open_engine(
    settings: Settings | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    progress: Callable[[str], None] | None = None,
) -> Iterator[Engine]:
    """The engine on the installation's database, whose schema fits the code.

    Raises:
        UnavailableError: the database can not be reached, or its schema does not fit; the text names the remedy.
    """
    chosen = settings or read_settings()
    with open_database(chosen, progress=progress) as database:
        yield make_engine(database, chosen, clock=clock)
