"""The gate stays shut while it can not ask who is there."""

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from batch_jobs.orchestration.web.gate import Gate
from batch_jobs.orchestration.web.login import login_routes
from batch_jobs.store.database import Database

UNREACHABLE = "postgresql://jobs:secret@127.0.0.1:1/none"
COOKIE = (b"cookie", b"batch_jobs_session_1=made-up")


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("somebody has passed")


def ask(kind: str, path: str, method: str = "GET", body: bytes = b"") -> list[Message]:
    """What the gate answers to one request with a cookie, while the database is away."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": f"{kind}.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "method": method,
        "query_string": b"",
        "headers": [COOKIE],
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 2),
        "scheme": "http",
    }
    with Database(UNREACHABLE) as database:
        asyncio.run(Gate(behind, login_routes(database), database)(scope, receive, send))
    return said


def test_without_a_database_nobody_passes_and_is_told_to_try_again() -> None:
    for path, method, body in (
        ("/graphql", "POST", b""),
        ("/", "GET", b""),
        ("/login", "GET", b""),
        ("/login", "POST", b"name=anna&password=secret"),
        ("/logout", "POST", b""),
    ):
        answer, *parts = ask("http", path, method, body)
        text = b"".join(part.get("body", b"") for part in parts).decode()
        assert answer["status"] == 503, (path, method, text)
        assert "database can not be reached" in text
        assert "secret" not in text


def test_without_a_database_no_websocket_is_opened() -> None:
    assert [message["type"] for message in ask("websocket", "/graphql")] == ["websocket.close"]
