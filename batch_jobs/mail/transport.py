"""Carries messages to a mail server, or into a folder, and tells what became of each. No database."""

import hashlib
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, Protocol, TypeAlias

from batch_jobs.mail.message import Message
from batch_jobs.settings import Settings, Smtp

Fate: TypeAlias = Literal["sent", "refused", "deferred", "unclear"]
"""`sent`: taken over by the server. `refused`: for good, this recipient or message. `deferred`: not now. `unclear`: no
answer came after the whole message, so that the server may have taken it over."""

_LINE_BEGINS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, and the key by which the caller knows it."""

    key: tuple[str, str, str]
    message: Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a letter; `reply` is the server's own words, or what happened instead of an answer."""

    letter: Letter
    fate: Fate
    reply: str


class Transport(Protocol):
    """Where messages go."""

    def carry(self, letters: Iterable[Letter]) -> Iterator[Delivery]:
        """Carry the letters, in no certain order, while others are made. The caller takes all that this yields."""
        ...

    def close(self) -> None:
        """End what is open."""
        ...


def transport_of(settings: Settings) -> Transport:
    """The installation's mail server; the folder `mail` of its home where there is none."""
    return SmtpServer(settings.smtp) if settings.smtp else MailFolder(mail_folder(settings))


def mail_folder(settings: Settings) -> Path:
    """Where messages are written that no server takes."""
    return settings.home / "mail"


class MailFolder:
    """A folder that gets a file for each message; a copy of one replaces it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def carry(self, letters: Iterable[Letter]) -> Iterator[Delivery]:
        """See `Transport.carry`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for letter in letters:
            name = hashlib.sha256(letter.message.message_id.encode()).hexdigest()[:32]
            begun = self._folder / f".{name}.part"
            try:
                begun.write_bytes(letter.message.content)
                begun.replace(self._folder / f"{name}.eml")
            except OSError as error:
                yield Delivery(letter, "deferred", f"can not be written: {error}")
            else:
                yield Delivery(letter, "sent", f"written to mail/{name}.eml")

    def close(self) -> None:
        """See `Transport.close`."""


class SmtpServer:
    """A mail server, spoken to over a few connections that stay open between messages.

    Args:
        smtp: which, and how.
    """

    def __init__(self, smtp: Smtp) -> None:
        self._smtp = smtp
        self._idle: list[smtplib.SMTP] = []
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._trouble: str | None = None

    def carry(self, letters: Iterable[Letter]) -> Iterator[Delivery]:
        """See `Transport.carry`. Where the server can not be reached, or lets nobody in, it is not asked again and
        again: the rest is deferred at once.
        """
        self._trouble = None
        coming: SimpleQueue[Letter | None] = SimpleQueue()
        carried: SimpleQueue[Delivery | BaseException] = SimpleQueue()
        carriers = [
            threading.Thread(target=self._carry_some, args=(coming, carried), name="mail", daemon=True)
            for _ in range(self._smtp.connections)
        ]
        for carrier in carriers:
            carrier.start()
        under_way = 0
        try:
            for letter in letters:
                coming.put(letter)
                under_way += 1
                # No more ahead of the caller than the connections carry.
                while not carried.empty() or under_way > len(carriers):
                    yield _result(carried.get())
                    under_way -= 1
            while under_way:
                yield _result(carried.get())
                under_way -= 1
        finally:
            for _ in carriers:
                coming.put(None)
            for carrier in carriers:
                carrier.join()

    def _carry_some(
        self, coming: "SimpleQueue[Letter | None]", carried: "SimpleQueue[Delivery | BaseException]"
    ) -> None:
        while letter := coming.get():
            try:
                carried.put(self._deliver(letter))
            except BaseException as error:
                carried.put(error)

    def close(self) -> None:
        """See `Transport.close`."""
        while self._idle:
            _quit(self._idle.pop())

    def check(self) -> None:
        """Connect, log in and leave.

        Raises:
            OSError, smtplib.SMTPException: that does not work.
        """
        _quit(self._open())

    def _deliver(self, letter: Letter) -> Delivery:
        self._wait_for_turn()
        if self._trouble:
            return Delivery(letter, "deferred", self._trouble)
        fresh = False
        while True:
            connection = self._take()
            if connection is None:
                fresh = True
                try:
                    connection = self._open()
                except (OSError, smtplib.SMTPException) as error:
                    self._trouble = said(error)
                    return Delivery(letter, "deferred", self._trouble)
            dialogue = _Dialogue(connection, letter)
            fate, reply = dialogue.hold()
            if dialogue.is_alive:
                with self._lock:
                    self._idle.append(connection)
            else:
                connection.close()
                # An old connection may have been ended by the server meanwhile; of the message nothing was said on it.
                if not fresh and not dialogue.began:
                    continue
            return Delivery(letter, fate, reply)

    def _take(self) -> smtplib.SMTP | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _open(self) -> smtplib.SMTP:
        name, smtp = socket.gethostname(), self._smtp
        context = ssl.create_default_context(cafile=smtp.ca_file) if smtp.security != "none" else None
        opened: smtplib.SMTP
        if smtp.security == "tls":
            opened = smtplib.SMTP_SSL(smtp.host, smtp.port, name, timeout=smtp.timeout, context=context)
        else:
            opened = smtplib.SMTP(smtp.host, smtp.port, name, timeout=smtp.timeout)
        try:
            # The dot after the message must not wait until the server's machine has acknowledged the message (40 ms).
            assert opened.sock
            opened.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.ehlo_or_helo_if_needed()
            if smtp.security == "starttls":
                opened.starttls(context=context)
            if smtp.user and smtp.password:
                opened.login(smtp.user, smtp.password)
        except BaseException:
            opened.close()
            raise
        return opened

    def _wait_for_turn(self) -> None:
        if not self._smtp.per_second:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(self._next_at, now)
            self._next_at = turn + 1 / self._smtp.per_second
        time.sleep(turn - now)


class _Dialogue:
    """One message over one connection.

    Attributes:
        began: whether the server has answered anything about the message.
        is_alive: whether the connection can carry another one.
    """

    def __init__(self, connection: smtplib.SMTP, letter: Letter) -> None:
        self._connection = connection
        self._letter = letter
        self.began = False
        self.is_alive = True

    def hold(self) -> tuple[Fate, str]:
        """Hand the message over. Returns its fate, and the words of it."""
        whole = False
        try:
            for command, is_about_message in (
                (f"MAIL FROM:<{self._letter.message.sender}>", False),
                (f"RCPT TO:<{self._letter.message.recipient}>", True),
                ("DATA", True),
            ):
                code, reply = self._connection.docmd(command)
                self.began = self.began or code != _CLOSING
                if code // 100 not in (2, 3):
                    return self._turned_down(code, reply, for_good=is_about_message)
            content = _LINE_BEGINS_WITH_DOT.sub(b"..", self._letter.message.content)
            self._connection.send(content if content.endswith(b"\r\n") else content + b"\r\n")
            whole = True
            self._connection.send(b".\r\n")
            code, reply = self._connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self.is_alive = False
            return "unclear" if whole else "deferred", said(error)
        if code // 100 == 2:
            return "sent", _words(code, reply)
        return self._turned_down(code, reply, for_good=True)

    def _turned_down(self, code: int, reply: bytes, *, for_good: bool) -> tuple[Fate, str]:
        if code == _CLOSING:
            self.is_alive = False
        else:
            try:
                self._connection.rset()
            except (OSError, smtplib.SMTPException):
                self.is_alive = False
        # What the server has against the sender concerns the installation: it is not the recipient's fault.
        return "refused" if for_good and code >= _PERMANENT else "deferred", _words(code, reply)


_CLOSING = 421


def _result(found: Delivery | BaseException) -> Delivery:
    if isinstance(found, BaseException):
        raise found
    return found


def _quit(connection: smtplib.SMTP) -> None:
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()


def _words(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode('utf-8', 'replace')}"[:500]


def said(error: Exception) -> str:
    """What a failed dialogue says about itself, without what it was told in confidence."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # Some servers repeat what they were told.
        return f"{error.smtp_code} the server refuses user and password"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _words(error.smtp_code, words if isinstance(words, bytes) else str(words).encode())
    return f"{type(error).__name__}: {error}"[:500]
