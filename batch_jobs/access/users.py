"""The users of the web UI. Whoever changes one ends their sessions; there is always an admin once there was one."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from batch_jobs.access.passwords import hash_password
from batch_jobs.access.roles import Role
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database, Transaction

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,62}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        name: what they sign in with; the ledger's actor is `user:<name>`.
        role: what they may do.
        added_at: since when.
        signed_in_at: the last time they did, or None.
        sessions: in how many browsers they are signed in.
    """

    name: str
    role: Role
    added_at: datetime
    signed_in_at: datetime | None
    sessions: int

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def list_users(connection: Transaction) -> list[User]:
    """All users by name."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute("""
            SELECT name, role, added_at, signed_in_at,
                (SELECT count(*) FROM batch_jobs.web_sessions s WHERE s.name = u.name AND s.ends_at > now()) AS sessions
            FROM batch_jobs.web_users u ORDER BY name
        """).fetchall()


def has_admin(connection: Transaction) -> bool:
    """Whether anybody can do everything."""
    row = connection.execute("SELECT EXISTS (SELECT FROM batch_jobs.web_users WHERE role = 'admin')").fetchone()
    return row == (True,)


def add_user(database: Database, name: str, role: Role, password: str) -> None:
    """Let somebody in.

    Raises:
        BadInputError: the name is taken or can not be used, or the password is too short.
    """
    if not NAME.fullmatch(name):
        raise BadInputError(
            f'"{name}" can not be the name of a user; expected 1 to 63 of a-z, 0-9 and . _ @ + -, beginning with a-z '
            "or 0-9"
        )
    stored = hash_password(password)
    with database.owner() as connection:
        added = connection.execute(
            "INSERT INTO batch_jobs.web_users (name, role, password_hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [name, role, stored],
        )
        _forget_tries(connection, name)
    if not added.rowcount:
        raise BadInputError(
            f'user "{name}" is there already; change them by: batch-jobs users set-role {name} --role ROLE, '
            f"or: batch-jobs users set-password {name}"
        )


def set_role(database: Database, name: str, role: Role) -> None:
    """Give somebody another role, and sign them out.

    Raises:
        BadInputError: there is no such user, or nobody would be left who can do everything.
    """
    with database.owner() as connection:
        _change(connection, name, "UPDATE batch_jobs.web_users SET role = %s WHERE name = %s", role)
        _sign_out(connection, name)


def set_password(database: Database, name: str, password: str) -> None:
    """Give somebody another password, sign them out, and forget their failed tries to sign in.

    Raises:
        BadInputError: there is no such user, or the password is too short.
    """
    stored = hash_password(password)
    with database.owner() as connection:
        _change(connection, name, "UPDATE batch_jobs.web_users SET password_hash = %s WHERE name = %s", stored)
        _sign_out(connection, name)
        _forget_tries(connection, name)


def remove_user(database: Database, name: str) -> None:
    """Let somebody in no more, and sign them out. What they did stays in the ledger.

    Raises:
        BadInputError: there is no such user, or nobody would be left who can do everything.
    """
    with database.owner() as connection:
        _change(connection, name, "DELETE FROM batch_jobs.web_users WHERE name = %s")


def _change(connection: Transaction, name: str, sql: str, *values: str) -> None:
    """Run one statement on one user, and see that an admin is left."""
    # Two admins who remove each other at the same moment wait here for one another.
    connection.execute("LOCK TABLE batch_jobs.web_users IN SHARE ROW EXCLUSIVE MODE")
    had_admin = has_admin(connection)
    # What can not be a name may be what no database takes.
    if not (NAME.fullmatch(name) and connection.execute(sql.encode(), [*values, name]).rowcount):
        known = ", ".join(user.name for user in list_users(connection)) or "nobody"
        raise BadInputError(f'there is no user "{name}"; there is: {known}')
    if had_admin and not has_admin(connection):
        raise BadInputError(
            f'"{name}" is the last admin, without whom nobody could do everything; make another one first: batch-jobs '
            "users add NAME --role admin"
        )


def _sign_out(connection: Transaction, name: str) -> None:
    connection.execute("DELETE FROM batch_jobs.web_sessions WHERE name = %s", [name])


def _forget_tries(connection: Transaction, name: str) -> None:
    connection.execute("DELETE FROM batch_jobs.web_sign_in_tries WHERE name = %s", [name])
