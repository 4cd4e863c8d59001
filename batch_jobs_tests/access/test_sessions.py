"""Sessions begin with the right password, and end; tries are counted, also side by side."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from batch_jobs.access.sessions import (
    TRIES_OF_ADDRESS,
    TRIES_OF_NAME,
    SignedIn,
    TooManyTriesError,
    find_session,
    sign_in,
    sign_out,
)
from batch_jobs.access.users import add_user, remove_user, set_password, set_role
from batch_jobs.store.database import Database

PASSWORD = "correct horse battery"
WRONG = "wrong horse battery"
HERE = "192.0.2.7"


@pytest.fixture
def users(database: Database) -> Database:
    add_user(database, "anna", "admin", PASSWORD)
    add_user(database, "bo", "operator", PASSWORD)
    return database


def enter(database: Database, name: str = "bo") -> str:
    token = sign_in(database, name, PASSWORD, HERE)
    assert token is not None
    return token


def test_a_session_names_user_and_role_until_signed_out(users: Database) -> None:
    here, there = enter(users), enter(users)
    assert find_session(users, here) == SignedIn("bo", "operator")
    sign_out(users, here)
    assert find_session(users, here) is None
    assert find_session(users, there) == SignedIn("bo", "operator")


def test_only_the_hash_of_the_secret_is_stored(users: Database) -> None:
    token = enter(users)
    with users.owner() as connection:
        tables = "batch_jobs.web_sessions s, batch_jobs.web_users u"
        stored = str(connection.execute(f"SELECT s::text, u::text FROM {tables}".encode()).fetchall())
    assert token not in stored
    assert PASSWORD not in stored
    assert find_session(users, token[:-1] + ("a" if token[-1] != "a" else "b")) is None


@pytest.mark.parametrize("change", ["role", "password", "removed", "time"])
def test_a_session_ends_with_what_it_stood_on(users: Database, change: str) -> None:
    token, other = enter(users), enter(users, "anna")
    match change:
        case "role":
            set_role(users, "bo", "viewer")
        case "password":
            set_password(users, "bo", "another horse battery")
        case "removed":
            remove_user(users, "bo")
            add_user(users, "bo", "operator", PASSWORD)
        case "time":
            with users.owner() as connection:
                connection.execute("UPDATE batch_jobs.web_sessions SET ends_at = now() WHERE name = 'bo'")
    assert find_session(users, token) is None
    assert find_session(users, other) == SignedIn("anna", "admin")


def test_after_too_many_tries_not_even_the_right_password_helps(users: Database) -> None:
    for _ in range(TRIES_OF_NAME):
        assert sign_in(users, "bo", WRONG, HERE) is None
    for address in (HERE, "192.0.2.8"):
        with pytest.raises(TooManyTriesError):
            sign_in(users, "bo", PASSWORD, address)
    assert enter(users, "anna")
    with users.owner() as connection:
        connection.execute("UPDATE batch_jobs.web_sign_in_tries SET tried_at = tried_at - interval '15 minutes'")
    assert enter(users)


def test_tries_of_before_a_clock_was_put_back_lock_nobody_out(users: Database) -> None:
    with users.owner() as connection:
        connection.execute(
            "INSERT INTO batch_jobs.web_sign_in_tries (name, address, tried_at) "
            "SELECT 'bo', 'a', now() + interval '1 day' FROM generate_series(1, 99)"
        )
    token = enter(users)
    assert find_session(users, token) is not None
    # A session of before would last longer than any does.
    with users.owner() as connection:
        connection.execute("UPDATE batch_jobs.web_sessions SET ends_at = ends_at + interval '1 day'")
    assert find_session(users, token) is None


def test_an_admin_helps_who_is_locked_out_with_another_password(users: Database) -> None:
    for _ in range(TRIES_OF_NAME):
        sign_in(users, "bo", WRONG, HERE)
    set_password(users, "bo", PASSWORD)
    assert enter(users)


def test_a_success_forgives_the_tries_before(users: Database) -> None:
    for _ in range(3):
        for _ in range(TRIES_OF_NAME - 1):
            assert sign_in(users, "bo", WRONG, HERE) is None
        assert enter(users)


def test_one_address_can_not_try_one_password_on_all_names(users: Database) -> None:
    for number in range(TRIES_OF_ADDRESS):
        assert sign_in(users, f"name-{number}", WRONG, HERE) is None
    with pytest.raises(TooManyTriesError):
        sign_in(users, "bo", PASSWORD, HERE)
    assert sign_in(users, "bo", PASSWORD, "192.0.2.8")


def test_names_that_nobody_can_have_do_no_harm(users: Database) -> None:
    for name in ("", "a\0b", "x" * 10_000, "'; DROP TABLE batch_jobs.web_users; --"):
        assert sign_in(users, name, PASSWORD, HERE) is None
    assert sign_in(users, "bo", "x" * 10_000, HERE) is None
    assert enter(users)


def test_tries_side_by_side_are_not_more(users: Database) -> None:
    def outcome(_: int) -> str:
        try:
            return "looked at" if sign_in(users, "bo", WRONG, HERE) is None else "in"
        except TooManyTriesError:
            return "refused"

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(outcome, range(3 * TRIES_OF_NAME)))
    assert outcomes.count("looked at") <= TRIES_OF_NAME
    assert set(outcomes) == {"looked at", "refused"}
