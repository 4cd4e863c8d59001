"""Showing new workspaces to Dagster at once: after an import its native commands can name them. Thin."""

from psycopg import errors

from batch_jobs.engine.engine import Engine
from batch_jobs.settings import read_settings


def show_workspaces(engine: Engine) -> None:
    """Make Dagster's partitions equal to the workspaces that schedules ask for, as a sensor does while the daemon runs.

    Dagster is imported only where they differ, and nothing is done before `init` has made its home.
    """
    settings = read_settings()
    scheduled = engine.scheduled_workspaces()
    if not settings.dagster_home.is_dir() or set(scheduled) == _shown(engine):
        return
    from dagster import DagsterInstance

    from batch_jobs.orchestration.partitions import sync_workspaces

    with DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        sync_workspaces(instance, scheduled)


def _shown(engine: Engine) -> set[str] | None:
    with engine.database.owner() as connection:
        try:
            with connection.transaction():
                rows = connection.execute(
                    "SELECT partition FROM dagster.dynamic_partitions WHERE partitions_def_name = 'workspaces'"
                ).fetchall()
        except (errors.UndefinedTable, errors.InvalidSchemaName):
            return None
    return {row[0] for row in rows}
