"""A real HTTP server on loopback that takes announcements, as a chat would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "T0ken-Zx9/secret"


@dataclass
class Webhook:
    """What it was told, and how it answers.

    Attributes:
        port: where it listens.
        received: the JSON of each request, in order.
        headers: of each request.
        answer: gives the status of the answer to the request of that number, beginning with 1.
        location: where it sends those whom it answers with 3xx.
    """

    port: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[int], int] = lambda _: 200
    location: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/{TOKEN}"

    @property
    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.received]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a server for the length of a `with` block."""
    told = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == f"/hooks/{TOKEN}"
            told.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            told.headers.append(dict(self.headers))
            status = told.answer(len(told.received))
            self.send_response(status)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
