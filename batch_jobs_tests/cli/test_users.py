"""users: who may sign in, with passwords that are asked for and shown nowhere."""

import os
import pty
import subprocess
import time

import pytest

from batch_jobs_tests.cli.command_line import EXECUTABLE, CommandLine
from batch_jobs_tests.orchestration.services import free_port

PASSWORD = "correct horse battery"
ENTERED = f"{PASSWORD}\n"
STDIN = ENTERED.encode()
CONTROL_D = "\x04"


def on_terminal(cli: CommandLine, *arguments: str, answers: list[str]) -> tuple[int, str]:
    """Run a command on a terminal of its own, and type the answer to each of its questions. Returns exit code and
    screen.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [EXECUTABLE, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=cli.environment,
        start_new_session=True,
    )
    os.close(theirs)
    screen, left = "", list(answers)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            read = os.read(ours, 1000).decode()
        except OSError:  # its last holder has closed it
            break
        screen += read
        if left and screen.rstrip(" ").endswith(":") and read:
            os.write(ours, left.pop(0).encode())
            screen += "<answered>"
    os.close(ours)
    return process.wait(10), screen


def test_a_user_from_the_first_to_the_last_day(cli: CommandLine) -> None:
    assert "nobody may sign in yet" in cli("users", "list").out
    assert cli("users", "add", "anna", "--role", "admin", stdin=STDIN).code == 0
    assert cli("users", "add", "bo", "--role", "viewer", stdin=STDIN).out == "bo may sign in as viewer\n"
    assert cli("users", "set-role", "bo", "--role", "operator").out == "bo is operator now, and has to sign in again\n"
    assert cli("users", "set-password", "bo", stdin=b"another " + STDIN).code == 0
    listed = {user["name"]: user for user in cli.json("users", "list")}
    assert {name: user["role"] for name, user in listed.items()} == {"anna": "admin", "bo": "operator"}
    assert set(listed["bo"]) == {"name", "role", "added_at", "signed_in_at", "sessions"}
    assert cli("users", "remove", "anna").refuses('"anna" is the last admin', "users add NAME --role admin")
    assert cli("users", "remove", "bo").code == 0
    table = cli("users", "list").out
    assert "anna" in table
    assert "bo" not in table
    assert "1 admin" in cli("doctor").out


@pytest.mark.parametrize(
    ("arguments", "stdin", "parts"),
    [
        (["add", "bo", "--role", "root"], STDIN, ['role "root"', "viewer, operator, admin"]),
        (["add", "Bo B", "--role", "viewer"], STDIN, ['"Bo B"', "a-z"]),
        (["add", "bo", "--role", "viewer"], b"short\n", ["too short", "12"]),
        (["add", "bo", "--role", "viewer"], b"", ["standard input has no password"]),
        (["add", "bo", "--role", "viewer", PASSWORD], b"", ["unexpected extra argument"]),
        (["set-role", "bo", "--role", "viewer"], b"", ['no user "bo"']),
        (["set-password", "bo"], STDIN, ['no user "bo"']),
        (["remove", "bo"], b"", ['no user "bo"']),
    ],
)
def test_what_can_not_be_is_refused(cli: CommandLine, arguments: list[str], stdin: bytes, parts: list[str]) -> None:
    assert cli("users", *arguments, stdin=stdin).refuses(*parts)
    assert cli.json("users", "list") == []


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(cli: CommandLine) -> None:
    add = ("users", "add", "bo", "--role", "viewer")
    code, screen = on_terminal(cli, *add, answers=[ENTERED, "another horse battery\n"])
    assert (code, cli.json("users", "list")) == (2, []), screen
    assert "the two passwords differ; nothing was changed" in screen
    code, screen = on_terminal(cli, *add, answers=[ENTERED, ENTERED])
    assert code == 0, screen
    assert screen.count("<answered>") == 2
    assert PASSWORD not in screen
    assert "horse" not in screen


def test_a_password_that_is_not_given_changes_nothing(cli: CommandLine) -> None:
    add = ("users", "add", "bo", "--role", "viewer")
    for answers in ([CONTROL_D], [ENTERED, CONTROL_D]):
        code, screen = on_terminal(cli, *add, answers=answers)
        assert code == 2, screen
        assert "no password was given; nothing was changed" in screen
        assert "Traceback" not in screen
    assert cli(*add, preexec_fn=lambda: os.close(0)).refuses("standard input has no password")
    assert cli.json("users", "list") == []


def test_up_with_a_login_needs_somebody_who_can_sign_in(cli: CommandLine) -> None:
    port = str(free_port())
    assert cli("up", "--auth", "--without-login", "--port", port).refuses("contradict each other")
    assert cli("up", "--auth", "--port", port).refuses("nobody can sign in yet", "users add NAME --role admin")
    assert cli("users", "add", "bo", "--role", "viewer", stdin=STDIN).code == 0
    assert cli("up", "--auth", "--port", port).refuses("nobody can sign in yet")
