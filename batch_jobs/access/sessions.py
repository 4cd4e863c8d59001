"""Signing in and out: a session is a secret in a browser's cookie and its hash in the database."""

import hashlib
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from batch_jobs.access.passwords import is_password
from batch_jobs.access.roles import Role
from batch_jobs.access.users import NAME
from batch_jobs.store.database import Database

LIFETIME = timedelta(hours=12)
"""From sign-in to the end. An idle user can not be told from a busy one: the pages ask the server all the time."""

TRIES_PERIOD = timedelta(minutes=15)
TRIES_OF_NAME = 10
TRIES_OF_ADDRESS = 50


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks. `name` and `role` are those of the user at this moment."""

    name: str
    role: Role


signed_in: ContextVar[SignedIn | None] = ContextVar("signed_in", default=None)
"""Who the current request is from; None where there is no request, or no login."""


class TooManyTriesError(Exception):
    """Somebody has tried too often; until `TRIES_PERIOD` has passed not even the right password is looked at."""


def sign_in(database: Database, name: str, password: str, address: str) -> str | None:
    """Begin a session.

    Args:
        database: of the installation.
        name: of the user; an unknown one is treated as a known one with another password.
        password: what they say it is.
        address: where they are, for counting tries.

    Returns:
        The secret for the cookie, or None when name and password do not fit.

    Raises:
        TooManyTriesError: for this name or from this address.
    """
    # What can not be a name is nobody's, and counts as one.
    name = name if NAME.fullmatch(name) else ""
    if (stored := _admit(database, name, address)) is None:
        raise TooManyTriesError
    if not is_password(password, stored or None):
        return None
    token = secrets.token_urlsafe(32)
    with database.owner() as connection:
        connection.execute("DELETE FROM batch_jobs.web_sessions WHERE ends_at < now()")
        # The password may have been changed, or the user removed, in the meantime.
        begun = connection.execute(
            """
            INSERT INTO batch_jobs.web_sessions (token_hash, name, ends_at)
            SELECT %s, name, now() + %s FROM batch_jobs.web_users WHERE name = %s AND password_hash = %s FOR UPDATE
            """,
            [_hash(token), LIFETIME, name, stored],
        )
        if not begun.rowcount:
            return None
        connection.execute("UPDATE batch_jobs.web_users SET signed_in_at = now() WHERE name = %s", [name])
        connection.execute("DELETE FROM batch_jobs.web_sign_in_tries WHERE name = %s", [name])
    return token


def _admit(database: Database, name: str, address: str) -> str | None:
    """Count a try. Returns the user's password hash, empty where there is no such user; None after too many tries."""
    # Committed before they are counted: tries side by side see each other, and no more get through than one by one.
    with database.owner() as connection:
        # Those of a time that is still to come are from before the clock was put back.
        connection.execute(
            "DELETE FROM batch_jobs.web_sign_in_tries WHERE tried_at < now() - %s OR tried_at > clock_timestamp()",
            [TRIES_PERIOD],
        )
        row = connection.execute(
            "INSERT INTO batch_jobs.web_sign_in_tries (name, address) VALUES (%s, %s) RETURNING try_id", [name, address]
        ).fetchone()
    with database.owner() as connection:
        counted = connection.execute(
            "SELECT count(*) FILTER (WHERE name = %s), count(*) FILTER (WHERE address = %s), "
            "(SELECT password_hash FROM batch_jobs.web_users WHERE name = %s) FROM batch_jobs.web_sign_in_tries",
            [name, address, name],
        ).fetchone()
        assert counted is not None
        of_name, of_address, stored = counted
        if of_name <= TRIES_OF_NAME and of_address <= TRIES_OF_ADDRESS:
            return stored or ""
        # Else who goes on trying would keep the owner of the name out for ever, and fill the table.
        connection.execute("DELETE FROM batch_jobs.web_sign_in_tries WHERE try_id = %s", row)
    return None


def find_session(database: Database, token: str) -> SignedIn | None:
    """Who a cookie's secret belongs to, or None when the session has ended."""
    with database.owner() as connection:
        row = connection.execute(
            "SELECT name, role FROM batch_jobs.web_sessions JOIN batch_jobs.web_users USING (name) "
            "WHERE token_hash = %s AND ends_at > now() AND ends_at <= now() + %s",
            [_hash(token), LIFETIME],
        ).fetchone()
    return SignedIn(*row) if row else None


def sign_out(database: Database, token: str) -> None:
    """End a session."""
    with database.owner() as connection:
        connection.execute("DELETE FROM batch_jobs.web_sessions WHERE token_hash = %s", [_hash(token)])


def _hash(token: str) -> bytes:
    # Random as it is, it can not be guessed, so that a quick hash will do.
    return hashlib.sha256(token.encode()).digest()
