"""The embedded server's life: up as long as somebody uses it, whole again after any crash, gone when unused."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer, locks, process
from batch_jobs.store.embedded.account import server_account
from batch_jobs.store.embedded.binaries import find_binaries
from batch_jobs.store.embedded.cluster import SUPERUSER
from batch_jobs.store.embedded.folders import Folders
from batch_jobs_tests.deadline import until
from batch_jobs_tests.store.embedded_users import Homes, User

# Longer than the idle time of a second and the keeper's pauses together.
SURELY_IDLE = 2.5


def server_pid(home: Path) -> int:
    return int((home / "postgres/postmaster.pid").read_text().split()[0])


def nothing_runs(home: Path) -> bool:
    return not any(locks.is_taken(home / "run" / name) for name in ("server.lock", "keeper.lock"))


@pytest.mark.every_postgres
def test_stopped_when_unused(homes: Homes) -> None:
    homes.fill()
    user = homes.user(idle=1)
    user.wait_ready()
    user.leave()
    server = homes.server(idle=1)
    assert server.is_running()
    until(lambda: nothing_runs(homes.settings().home))
    assert "unused for" in (homes.settings().home / "logs/keeper.log").read_text()
    assert "database system is shut down" in (homes.settings().home / "logs/postgres.log").read_text()
    server.ensure_running()
    assert server.is_running()


def test_stays_up_while_a_process_holds_it(homes: Homes) -> None:
    homes.fill()
    first, second = homes.user(idle=1), homes.user(idle=1)
    first.wait_ready()
    second.wait_ready()
    pid = server_pid(homes.settings().home)
    first.leave()
    time.sleep(SURELY_IDLE)
    assert homes.server().is_running()
    assert server_pid(homes.settings().home) == pid
    second.kill()
    until(lambda: nothing_runs(homes.settings().home))


@pytest.mark.every_postgres
def test_stays_up_while_a_client_is_connected(homes: Homes) -> None:
    homes.fill()
    user = homes.user(idle=1)
    user.wait_ready()
    with psycopg.connect(homes.server().url) as connection:
        user.leave()
        time.sleep(SURELY_IDLE)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    left = time.monotonic()
    until(lambda: nothing_runs(homes.settings().home))
    assert time.monotonic() - left > 0.8, "the idle time begins when the last client leaves"


def test_stays_up_while_clients_come_and_go(homes: Homes) -> None:
    homes.fill()
    user = homes.user(idle=1)
    user.wait_ready()
    user.leave()
    url = homes.server().url
    deadline = time.monotonic() + SURELY_IDLE
    while time.monotonic() < deadline:
        psycopg.connect(url).close()
        time.sleep(0.25)
    until(lambda: nothing_runs(homes.settings().home))


def test_a_server_that_does_not_answer_is_not_waited_for(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    server = homes.running()
    folders, binaries = Folders(homes.settings().home), find_binaries(homes.binaries)
    assert process.use(folders, binaries) == process.Use(0, 0)
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.5)
    pid = server_pid(folders.home)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert process.use(folders, binaries) is None
        assert not server.stop_if_unused()
        assert time.monotonic() - began < 10
        with locks.taken(folders.change_lock):
            pass
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    until(lambda: process.use(folders, binaries) is not None)
    assert server.stop_if_unused()


def test_hold_lasts_as_long_as_its_block(homes: Homes) -> None:
    homes.fill()
    server = homes.server(idle=1)
    with server.hold():
        time.sleep(SURELY_IDLE)
        assert server.is_running()
    until(lambda: nothing_runs(homes.settings().home))


def test_programs_and_forks_do_not_inherit_the_hold(homes: Homes) -> None:
    homes.fill()
    program = f"""
import os, subprocess, time
from pathlib import Path
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
EmbeddedServer(Settings(home=Path({str(homes.settings().home)!r}), postgres_idle_seconds=1)).ensure_running()
subprocess.Popen(["sleep", "60"], close_fds=False)
if os.fork() == 0:
    time.sleep(60)
os._exit(0)
"""
    group = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    try:
        assert group.wait() == 0
        until(lambda: nothing_runs(homes.settings().home))
    finally:
        os.killpg(group.pid, signal.SIGKILL)


def test_stop_if_unused(homes: Homes) -> None:
    server = homes.running()
    other = homes.user()
    other.wait_ready()
    assert not server.stop_if_unused()
    assert server.is_running()
    other.leave()
    with psycopg.connect(server.url):
        assert not server.stop_if_unused()
    server.ensure_running()
    assert server.stop_if_unused()
    assert nothing_runs(homes.settings().home)
    assert server.stop_if_unused()


def test_stop_if_unused_before_any_start(homes: Homes) -> None:
    assert homes.server().stop_if_unused()
    assert not homes.settings().home.exists()


def test_starters_at_the_same_moment_share_one_server(homes: Homes) -> None:
    users = [User(homes.settings()) for _ in range(5)]
    told = [text for user in users for text in user.wait_ready()]
    assert sum("making a PostgreSQL" in text for text in told) == 1
    assert sum(text == "starting the database" for text in told) == 1
    assert homes.server().is_running()
    assert [user.leave() for user in users] == [""] * 5


def test_users_who_come_while_it_stops_find_it_started_again(homes: Homes) -> None:
    """They come at moments around the end of the idle time: before, in, and after the keeper's stopping."""
    homes.fill()
    server = homes.server(idle=1)
    for round_ in range(5):
        with server.hold(), psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            time.sleep(0.3)
        time.sleep(1 + round_ * 0.07)


def test_a_user_who_comes_while_it_stops_waits(homes: Homes) -> None:
    homes.fill()
    first = homes.user(idle=1)
    first.wait_ready()
    home = homes.settings().home
    # The last that a stopping server does is a checkpoint.
    (checkpointer,) = (
        child for child in psutil.Process(server_pid(home)).children() if "checkpointer" in _command_line(child)
    )
    checkpointer.suspend()
    try:
        first.leave()
        until(lambda: "stopping" in (home / "postgres/postmaster.pid").read_text())
        second = homes.user()
        assert "waiting for the database to stop" in second.next_line()
    finally:
        checkpointer.resume()
    assert second.wait_ready()[-1] == "starting the database"
    second.leave()


@pytest.mark.every_postgres
def test_recovers_from_a_killed_server(homes: Homes) -> None:
    server = homes.running()
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    old = server_pid(homes.settings().home)
    os.kill(old, signal.SIGKILL)
    until(lambda: not _alive(old))
    server.ensure_running()
    assert server_pid(homes.settings().home) != old
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    assert locks.is_taken(homes.settings().home / "run/keeper.lock")


def test_waits_for_what_a_killed_server_left_running(homes: Homes) -> None:
    server = homes.running()
    with psycopg.connect(server.url) as connection:
        busy = connection.info.backend_pid
        connection.execute("SELECT 1")
        os.kill(busy, signal.SIGSTOP)
        try:
            os.kill(server_pid(homes.settings().home), signal.SIGKILL)
            user = homes.user()
            assert "the database is starting or stopping" in user.next_line()
            assert locks.is_taken(homes.settings().home / "run/server.lock")
        finally:
            os.kill(busy, signal.SIGCONT)
            connection.close()
    user.wait_ready()
    user.leave()


@pytest.mark.parametrize("stale_file", ["postgres/postmaster.pid", "run/socket/.s.PGSQL.5432.lock"])
def test_ignores_a_stale_process_id(homes: Homes, stale_file: str) -> None:
    """After a power loss the id in the file may be that of another program of the same user by now."""
    server = homes.running()
    home = homes.settings().home
    stale = (home / "postgres/postmaster.pid").read_text().split("\n")
    server.stop()
    account = server_account(home)
    with subprocess.Popen(["sleep", "60"], **account.credentials) as other:
        stale[0] = str(other.pid)
        (home / stale_file).parent.mkdir(exist_ok=True)
        (home / stale_file).write_text("\n".join(stale))
        assert not server.is_running()
        server.ensure_running()
        assert other.poll() is None
        other.kill()
    assert server.is_running()


def keeper_of(home: Path) -> psutil.Process:
    (keeper,) = (
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if "batch_jobs.store.embedded.keeper" in (process.info["cmdline"] or []) and process.info["cwd"] == str(home)
    )
    return keeper


def test_a_killed_keeper_is_replaced(homes: Homes) -> None:
    server = homes.running()
    home = homes.settings().home
    keeper_of(home).kill()
    until(lambda: not locks.is_taken(home / "run/keeper.lock"))
    server.ensure_running()
    assert locks.is_taken(home / "run/keeper.lock")


def test_a_server_started_by_hand_is_used_and_left_alone(homes: Homes) -> None:
    server = homes.running()
    home = homes.settings().home
    server.stop()
    (home / "run/socket").mkdir(mode=0o700)
    account = server_account(home)
    account.own(home / "run/socket")
    program = find_binaries(homes.binaries).folder / "postgres"
    with subprocess.Popen([program, "-D", home / "postgres"], env={}, cwd=home, **account.credentials) as by_hand:
        until((home / "postgres/postmaster.pid").exists)
        told: list[str] = []
        server.ensure_running(told.append)
        assert not any("starting the database" in text for text in told)
        psycopg.connect(server.url).close()
        server.stop()
        assert by_hand.poll() is None
        by_hand.send_signal(signal.SIGINT)


def delete_under(server: EmbeddedServer, home: Path) -> None:
    # Before the keeper has begun, only the server itself can notice, which takes it a minute ...
    until(lambda: any(file.path.endswith("server.lock") for file in keeper_of(home).open_files()))
    # ... when it has nothing left to write.
    with psycopg.connect(server.url_of("postgres", SUPERUSER)) as connection:
        connection.execute("CHECKPOINT")
    shutil.rmtree(home)


@pytest.mark.every_postgres
def test_a_deleted_home_ends_its_server(homes: Homes) -> None:
    homes.fill()
    user = homes.user(idle=2)
    user.wait_ready()
    home = homes.settings().home
    pid = server_pid(home)
    delete_under(homes.server(), home)
    until(lambda: not _alive(pid))
    user.leave()
    assert not home.exists()


def test_a_home_made_anew_has_a_server_of_its_own(homes: Homes) -> None:
    server = homes.running(idle=20)
    home = homes.settings().home
    old = server_pid(home)
    delete_under(server, home)
    homes.fill()
    server.ensure_running()
    assert server_pid(home) != old
    until(lambda: not _alive(old))
    assert server.is_running()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a disk and take it away")
def test_a_keeper_whose_disk_was_taken_away_ends_after_its_server() -> None:
    disk = Path(tempfile.mkdtemp(prefix="batch-jobs-disk-"))
    disk.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted: {mounted.stderr.decode()}")
    home = disk / "home"
    try:
        EmbeddedServer(Settings(home=home)).ensure_running()
        pid, keeper = server_pid(home), keeper_of(home)
        until(lambda: any(file.path.endswith("server.lock") for file in keeper.open_files()))
    finally:
        # Its processes still have it.
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not _alive(keeper.pid))


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent's notice does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_server_outlives_a_terminal_that_closes(homes: Homes) -> None:
    homes.fill()
    user = homes.user(start_new_session=True)
    user.wait_ready()
    os.killpg(user.process.pid, signal.SIGHUP)
    user.leave()
    assert homes.server().is_running()
    assert locks.is_taken(homes.settings().home / "run/keeper.lock")


def _command_line(process: psutil.Process) -> str:
    """Empty for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
