"""A mail server in a process of its own (aiosmtpd), on loopback. What it does follows from the recipient's local part.

Arguments: the file that it appends received messages to, one line of JSON each (`message_id`, `recipient`, `answered`),
and options: `--port N`, `--tls-folder F` (STARTTLS with its cert.pem and key.pem; with `--tls` from the first byte on),
`--password P` (user `jobs` must log in), `--stall FILE`. It prints its port, and serves until its stdin ends.

- `refused…` is refused for good, `later…` for now;
- `drop-rcpt…`, `drop-data…`, `drop-dot…`: the connection is cut at that step, each recipient's first time; after the
  dot the message has been taken over;
- `hang…`: no answer to the recipient, ever.

While the file that `--stall FILE` names exists, messages are taken over and never answered. The file goes some seconds
after the first of them.
"""

import argparse
import asyncio
import json
import ssl
import sys
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

STALL_SECONDS = 8.0


class Handler:
    """Answers as the recipient says."""

    def __init__(self, file: Path, stall: Path | None) -> None:
        self._file = file.open("a")
        self._stall = stall
        self._dropped: set[tuple[str, str]] = set()

    def _drops(self, server: SMTP, step: str, recipient: str) -> bool:
        if not recipient.startswith(f"drop-{step}") or (step, recipient) in self._dropped:
            return False
        self._dropped.add((step, recipient))
        assert server.transport
        server.transport.abort()
        return True

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.3.0 try again later"
        if address.startswith("hang"):
            await asyncio.sleep(600)
        if self._drops(server, "rcpt", address):
            return "250 nobody hears this"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        if self._drops(server, "data", recipient):
            return "250 nobody hears this"
        assert isinstance(envelope.content, bytes)
        stalls = self._stall is not None and self._stall.exists()
        unheard = self._drops(server, "dot", recipient) or stalls
        message = message_from_bytes(envelope.content)
        found = {"message_id": message["Message-ID"], "recipient": recipient, "answered": not unheard}
        self._file.write(json.dumps(found) + "\n")
        self._file.flush()
        if stalls and self._stall:
            # Not after a sleep here: that ends with the connection.
            asyncio.get_running_loop().call_later(STALL_SECONDS, partial(self._stall.unlink, missing_ok=True))
            await asyncio.sleep(600)
        return "250 OK taken over"


async def serve(options: argparse.Namespace) -> None:
    """Serve until stdin ends."""
    handler = Handler(options.file, options.stall)
    more: dict[str, Any] = {}
    context = None
    if options.tls_folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_folder / "cert.pem", options.tls_folder / "key.pem")
        more |= {} if options.tls else {"tls_context": context, "require_starttls": True}
    if options.password:
        expected = LoginPassword(b"jobs", options.password.encode())
        more["authenticator"] = lambda *given: AuthResult(success=given[4] == expected, handled=False)
        more["auth_required"] = True
        # It does not know of the other kind of TLS.
        more["auth_require_tls"] = bool(options.tls_folder) and not options.tls
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="mail.test", enable_SMTPUTF8=False, **more),
        "127.0.0.1",
        options.port,
        ssl=context if options.tls else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls-folder", type=Path)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--password")
    parser.add_argument("--stall", type=Path)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
