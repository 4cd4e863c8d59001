"""up and demo: the orchestrator for real, from the first start to the last process."""

import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from batch_jobs.doctor.machine import port_finding
from batch_jobs.orchestration.services import DIRECT, answers
from batch_jobs.settings import Settings
from batch_jobs.store.embedded import EmbeddedServer
from batch_jobs_tests.cli.command_line import CommandLine
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.web.browser import Browser

SLOW = 120


@pytest.fixture
def installation() -> Iterator[CommandLine]:
    """A home of its own, with the embedded database."""
    home = Path(tempfile.mkdtemp(prefix="batch-jobs-up-"))
    yield CommandLine(home)
    EmbeddedServer(Settings(home=home)).stop()
    shutil.rmtree(home)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def processes_of(home: Path) -> list[psutil.Process]:
    """The processes that work for a home, the database's own ones left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BATCH_JOBS_HOME") == str(home) and re.search(
                "dagster|orchestration.web", " ".join(process.cmdline())
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_up_serves_restarts_what_dies_and_leaves_nothing_behind(installation: CommandLine, tmp_path: Path) -> None:
    port, metrics_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    with (installation.home / "out").open("wb") as out:
        up = installation.start(
            "up", f"--port={port}", f"--metrics-port={metrics_port}", stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: answers(url) or up.poll() is not None, SLOW)
        assert up.poll() is None, (installation.home / "out").read_text()
        until(lambda: f"ready: {url}" in (installation.home / "out").read_text(), SLOW)
        assert port_finding("127.0.0.1", port).text.startswith(f"{port} serves the web UI (process ")
        for other in (port, free_port()):
            assert installation("up", f"--port={other}").refuses(f"runs already on the home {installation.home}", url)
        another = CommandLine(tmp_path / "another")
        assert another("up", "--port", str(port)).refuses(f"port {port} is used by", f"up --port {port + 1}")
        refused = another("up", f"--port={free_port()}", f"--metrics-port={metrics_port}")
        assert refused.refuses(f"port {metrics_port} is used by", f"up --metrics-port {metrics_port + 1}")
        assert port_finding("127.0.0.1", metrics_port).state == "problem"
        with DIRECT.open(f"http://127.0.0.1:{metrics_port}/metrics") as answer:
            assert "batch_jobs_overdue_workspaces" in answer.read().decode()
        (web,) = [one for one in processes_of(installation.home) if "dagster_webserver" in one.cmdline()]
        web.kill()
        until(lambda: "starts again" in (installation.home / "out").read_text(), SLOW)
        until(lambda: answers(url), SLOW)
    finally:
        up.send_signal(signal.SIGINT)
    assert up.wait(SLOW) == 0, (installation.home / "out").read_text()
    assert processes_of(installation.home) == []
    assert not EmbeddedServer(Settings(home=installation.home)).is_running()
    assert "starts again" not in (installation.home / "logs" / "daemon.log").read_text()
    assert "\x1b" not in (installation.home / "logs" / "web.log").read_text()


def test_up_with_a_login_asks_for_it(installation: CommandLine) -> None:
    port, password = free_port(), "correct horse battery"
    assert installation("init").code == 0
    assert installation("users", "add", "anna", "--role", "admin", stdin=f"{password}\n".encode()).code == 0
    out = installation.home / "out"
    with out.open("wb") as written:
        up = installation.start("up", "--auth", f"--port={port}", stdout=written, stderr=written)
    try:
        until(lambda: f"ready: http://127.0.0.1:{port}" in out.read_text() or up.poll() is not None, SLOW)
        assert up.poll() is None, out.read_text()
        browser = Browser(port)
        assert port_finding("127.0.0.1", port).text.startswith(f"{port} serves the web UI (process ")
        assert browser.post("{version}").status == 401
        assert browser.sign_in("anna", password).status == 303
        assert browser.ask("{version}")["version"]
        assert password not in " ".join(argument for one in psutil.process_iter() for argument in _arguments(one))
    finally:
        up.send_signal(signal.SIGINT)
    assert up.wait(SLOW) == 0, out.read_text()
    assert processes_of(installation.home) == []
    assert password not in "".join(file.read_text() for file in [out, *(installation.home / "logs").iterdir()])


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_up_refuses_an_address_of_another_machine(installation: CommandLine) -> None:
    refused = installation("up", "--host", "192.0.2.1", "--without-login")
    assert refused.refuses("the web UI can not be at 192.0.2.1:3000", "an address of this machine")


def test_one_port_serves_one_thing(installation: CommandLine) -> None:
    assert installation("up", "--metrics-port", "3000").refuses("--port and --metrics-port are both 3000")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.com"])
def test_an_address_that_others_reach_has_to_be_said_twice(installation: CommandLine, host: str) -> None:
    assert installation("up", "--host", host).refuses(host, "no password", "--without-login")
    assert list(installation.home.iterdir()) == []


def test_with_a_login_such_an_address_need_not_be_said_twice(installation: CommandLine) -> None:
    """It comes to the next question, which is where tests stop: they listen on this machine alone."""
    refused = installation("up", "--auth", "--host", "0.0.0.0", "--port", str(free_port()))
    assert refused.code == 2
    assert "nobody can sign in yet" in refused.err
    assert "--without-login" not in refused.err


def test_demo_runs_a_night_and_the_second_changes_nothing(installation: CommandLine) -> None:
    first = installation("demo")
    assert first.code == 0, first
    assert "25 workspaces made" in first.out
    assert "completed" in first.out
    assert "http://127.0.0.1:3000" in first.out
    assert first.err.count("\n") <= 3, first
    with psycopg.connect(installation("db-url").out.strip()) as connection:
        counted = "SELECT (SELECT count(*) FROM batch_jobs.events), (SELECT count(*) FROM batch_jobs.job_runs)"
        before = connection.execute(counted).fetchone()
        assert connection.execute("SELECT DISTINCT status FROM dagster.runs").fetchall() == [("SUCCESS",)]
        again = installation("demo")
        assert again.code == 0, again
        assert "25 workspaces are there already" in again.out
        assert "nothing is due tonight" in again.out
        connection.rollback()
        assert connection.execute(counted).fetchone() == before
