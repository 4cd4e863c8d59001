"""What becomes of messages at a real mail server that refuses, defers, cuts connections, hangs, or wants a login."""

import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_jobs.mail.message import Message
from batch_jobs.mail.transport import Letter, MailFolder, SmtpServer
from batch_jobs.settings import Smtp
from batch_jobs_tests.mail.server import MailServer, mail_server

CONTENT = b"Message-ID: <%b@test>\r\nSubject: x\r\n\r\n.a line with a dot\r\n"


def letters(*names: str) -> list[Letter]:
    return [
        Letter(
            ("acme", "u-1", name),
            Message(f"<{name}@test>", "jobs@test.example", f"{name}@test.example", CONTENT % name.encode()),
        )
        for name in names
    ]


def carried(smtp: Smtp, *names: str) -> dict[str, tuple[str, str]]:
    server = SmtpServer(smtp)
    try:
        return {one.letter.key[2]: (one.fate, one.reply) for one in server.carry(letters(*names))}
    finally:
        server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("mail") / "received") as running:
        yield running


def test_fates_and_the_words_of_the_server(server: MailServer) -> None:
    names = ["fine", "refused", "later", "drop-rcpt", "drop-data", "drop-dot", "also-fine"]
    found = carried(server.smtp(connections=1), *names)
    assert found["fine"] == found["also-fine"] == ("sent", "250 OK taken over")
    assert found["refused"] == ("refused", "550 5.1.1 no such mailbox")
    assert found["later"] == ("deferred", "451 4.3.0 try again later")
    assert found["drop-rcpt"][0] == "deferred"
    # Whether the server had the whole message before the line was cut, nobody can know.
    assert found["drop-data"][0] == found["drop-dot"][0] == "unclear"
    received = [one["message_id"] for one in server.received]
    assert sorted(received) == ["<also-fine@test>", "<drop-dot@test>", "<fine@test>"]


def test_a_server_that_hangs_costs_its_time_and_nothing_else(server: MailServer) -> None:
    found = carried(server.smtp(timeout=1, connections=2), "hang", "hardly")
    assert found["hang"][0] == "deferred"
    assert "timed out" in found["hang"][1]
    assert found["hardly"][0] == "sent"


def test_a_server_that_is_away_is_not_asked_for_every_message(tmp_path: Path) -> None:
    with mail_server(tmp_path / "received") as gone:
        smtp = gone.smtp(connections=1)
    found = carried(smtp, *(f"m-{number}" for number in range(200)))
    assert {fate for fate, _ in found.values()} == {"deferred"}
    assert "ConnectionRefusedError" in found["m-0"][1]


def test_a_connection_that_the_server_ended_meanwhile_is_opened_again(tmp_path: Path) -> None:
    with mail_server(tmp_path / "received") as first:
        server = SmtpServer(first.smtp(connections=1))
        assert [one.fate for one in server.carry(letters("one"))] == ["sent"]
    with mail_server(tmp_path / "received", "--port", str(first.port)) as second:
        assert [one.fate for one in server.carry(letters("two"))] == ["sent"]
        server.close()
        assert [one["message_id"] for one in second.received] == ["<one@test>", "<two@test>"]


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
@pytest.mark.parametrize(("security", "options"), [("starttls", []), ("tls", ["--tls"])])
def test_tls_with_a_login(tmp_path: Path, security: str, options: list[str]) -> None:
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    secret = "correct-horse-7391"
    with mail_server(tmp_path / "received", "--tls-folder", str(tmp_path), "--password", secret, *options) as server:
        known = {"security": security, "ca_file": tmp_path / "cert.pem", "user": "jobs"}
        assert carried(server.smtp(**known, password=secret), "fine")["fine"][0] == "sent"
        wrong = carried(server.smtp(**known, password="wrong-7391"), "fine")["fine"]
        assert wrong == ("deferred", "535 the server refuses user and password")
        unknown = carried(server.smtp(security=security, user="jobs", password=secret), "fine")["fine"]
        assert unknown[0] == "deferred"
        assert "CERTIFICATE_VERIFY_FAILED" in unknown[1]
        assert secret not in repr(server.smtp(password=secret))
        assert len(server.received) == 1


def test_no_starttls_is_no_reason_to_send_in_the_clear(server: MailServer) -> None:
    before = len(server.received)
    assert carried(server.smtp(security="starttls"), "fine")["fine"][0] == "deferred"
    assert len(server.received) == before
    with pytest.raises(smtplib.SMTPNotSupportedError):
        SmtpServer(server.smtp(security="starttls")).check()


def test_without_a_server_messages_are_files(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path / "mail")
    for _ in range(2):
        assert [one.fate for one in folder.carry(letters("one", "two"))] == ["sent", "sent"]
    files = sorted((tmp_path / "mail").iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {file.read_bytes() for file in files} == {CONTENT % b"one", CONTENT % b"two"}
