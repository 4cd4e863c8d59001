"""The version of the schema: what the code knows, what the database has, and how to bring one to the other."""

from pathlib import Path

from psycopg import errors

from batch_jobs.errors import UnavailableError
from batch_jobs.store.database import Database

VERSION_SCHEMA = "batch_jobs"
VERSION_TABLE = "schema_version"
MIGRATIONS = Path(__file__).parent / "migrations"
# Held while migrating, so that two installations of one database do not migrate it at once.
MIGRATION_LOCK = 4_206_120_501


def newest_version() -> str:
    """The schema version of this code, read from the file names: asking Alembic would cost half a second."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def version(database: Database) -> str | None:
    """The schema version of the database, or None where it has no schema yet.

    Raises:
        UnavailableError: the schema is another user's, who did not let this one in.
    """
    with database.owner() as connection:
        try:
            with connection.transaction():
                row = connection.execute(f"SELECT version_num FROM {VERSION_SCHEMA}.{VERSION_TABLE}").fetchone()
        except (errors.UndefinedTable, errors.InvalidSchemaName):
            return None
        except errors.InsufficientPrivilege as error:
            raise UnavailableError(
                f"the database's user may not read the schema {VERSION_SCHEMA} ({error.diag.message_primary}); connect "
                "as the user who ran: batch-jobs init"
            ) from error
    return str(row[0]) if row else None


def check_version(database: Database) -> None:
    """Make sure that code and schema fit.

    Raises:
        UnavailableError: there is no schema, or an older or newer one; the text says what to do.
    """
    found, expected = version(database), newest_version()
    if found == expected:
        return
    if found is None:
        raise UnavailableError("the database has no batch_jobs schema yet; run: batch-jobs init")
    if found > expected:
        raise UnavailableError(
            f"the database has schema version {found}, but this code knows versions up to {expected}; "
            "install the newer code, or point BATCH_JOBS_DATABASE_URL at another database"
        )
    raise UnavailableError(
        f"the database has schema version {found}, but this code needs {expected}; run: batch-jobs init"
    )


def migrate(database: Database, target: str = "head") -> None:
    """Bring the schema to a version (default: the newest), up or down, each step in a transaction of its own.

    Raises:
        UnavailableError: the schema is newer than the code, or the database's user may not create what is needed.
    """
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    database.check_reachable()
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg" + database.url[database.url.index("://") :], poolclass=sqlalchemy.pool.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        found = version(database)
        if found is not None and found > newest_version():
            check_version(database)
        try:
            connection.execute(sqlalchemy.text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
            connection.commit()
            if target == "head" or (target != "base" and (found or "") < target):
                command.upgrade(config, target)
            else:
                command.downgrade(config, target)
        except sqlalchemy.exc.ProgrammingError as error:
            if isinstance(error.orig, errors.InsufficientPrivilege):
                raise UnavailableError(
                    f"the database's user may not set up the schema ({str(error.orig).strip()}); grant it CREATE on "
                    "the database and CREATEROLE, or let an administrator run: batch-jobs init"
                ) from error
            raise
