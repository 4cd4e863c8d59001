"""Users come and go, but for the last admin."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from batch_jobs.access.roles import ROLES, may, read_role
from batch_jobs.access.users import add_user, list_users, remove_user, set_password, set_role
from batch_jobs.errors import BadInputError
from batch_jobs.store.database import Database

PASSWORD = "correct horse battery"


def roles(database: Database) -> dict[str, str]:
    with database.owner() as connection:
        return {user.name: user.role for user in list_users(connection)}


def test_each_role_includes_those_before_it() -> None:
    assert [[may(role, least) for least in ROLES] for role in ROLES] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    with pytest.raises(BadInputError, match='"root" is not known; expected one of: viewer, operator, admin'):
        read_role("root")


def test_users_are_added_changed_and_removed(database: Database) -> None:
    add_user(database, "anna@example.com", "admin", PASSWORD)
    add_user(database, "bo", "viewer", PASSWORD)
    set_role(database, "bo", "operator")
    assert roles(database) == {"anna@example.com": "admin", "bo": "operator"}
    remove_user(database, "bo")
    assert roles(database) == {"anna@example.com": "admin"}


@pytest.mark.parametrize("name", ["", "Anna", "a b", "-a", "a" * 64, "a\n", "a\0", "å", "a'--", "<b>"])
def test_names_that_would_be_trouble_elsewhere_are_refused(database: Database, name: str) -> None:
    with pytest.raises(BadInputError, match="can not be the name of a user"):
        add_user(database, name, "viewer", PASSWORD)


def test_a_name_is_given_once(database: Database) -> None:
    add_user(database, "bo", "admin", PASSWORD)
    with pytest.raises(BadInputError, match=r'"bo" is there already; .* set-role bo --role ROLE'):
        add_user(database, "bo", "viewer", PASSWORD)
    assert roles(database) == {"bo": "admin"}


def test_who_is_not_there_can_not_be_changed(database: Database) -> None:
    add_user(database, "bo", "viewer", PASSWORD)
    for change in (
        lambda: set_role(database, "anna", "viewer"),
        lambda: set_password(database, "anna", PASSWORD),
        lambda: remove_user(database, "anna"),
    ):
        with pytest.raises(BadInputError, match='there is no user "anna"; there is: bo'):
            change()


@pytest.mark.parametrize("name", ["", "a\0b", "\udcff", "x" * 100_000])
def test_what_can_not_be_a_name_is_nobody_s(database: Database, name: str) -> None:
    with pytest.raises(BadInputError, match="there is: nobody"):
        remove_user(database, name)


def test_the_last_admin_stays(database: Database) -> None:
    add_user(database, "anna", "admin", PASSWORD)
    add_user(database, "bo", "operator", PASSWORD)
    with pytest.raises(BadInputError, match='"anna" is the last admin'):
        remove_user(database, "anna")
    with pytest.raises(BadInputError, match='"anna" is the last admin'):
        set_role(database, "anna", "operator")
    set_role(database, "bo", "admin")
    remove_user(database, "anna")
    assert roles(database) == {"bo": "admin"}


def test_two_admins_who_remove_each_other_at_once_leave_one(database: Database) -> None:
    def outcome(name: str) -> str:
        try:
            remove_user(database, name)
        except BadInputError:
            return "refused"
        return "removed"

    for _ in range(5):
        for name in set("ab") - set(roles(database)):
            add_user(database, name, "admin", PASSWORD)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(outcome, "ab")) == ["refused", "removed"]


def test_roles_of_jobs_can_not_read_who_may_sign_in(database: Database) -> None:
    for table in ("web_users", "web_sessions", "web_sign_in_tries"):
        with database.owner() as connection:
            granted = connection.execute(
                "SELECT grantee FROM information_schema.role_table_grants WHERE table_schema = 'batch_jobs' "
                "AND table_name = %s AND grantee <> current_user",
                [table],
            ).fetchall()
        assert granted == [], table
