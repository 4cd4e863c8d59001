"""The gate before the web server: nobody passes without a session, and no other site sends its visitors through."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from urllib.parse import quote, urlsplit

from psycopg import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from batch_jobs.access.roles import may
from batch_jobs.access.sessions import SignedIn, find_session, signed_in
from batch_jobs.errors import UnavailableError
from batch_jobs.orchestration.web.login import session_token
from batch_jobs.orchestration.web.pages import SIGN_IN, SIGN_OUT
from batch_jobs.store.database import Database

SAFE_METHODS = ("GET", "HEAD")
# A websocket may stay open for days; so often is looked whether its session still lives.
LOOK_SECONDS = 5.0
POLICY_VIOLATION = 1008
UNAVAILABLE = "the database can not be reached; try again in a moment"


class Gate:
    """Lets those through who are signed in, and tells the server who they are (`signed_in`).

    Args:
        app: Dagster's web server.
        login: the pages for signing in and out, open to everybody.
        database: of the installation.
    """

    def __init__(self, app: ASGIApp, login: ASGIApp, database: Database) -> None:
        self._app = app
        self._login = login
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        # Requests that share a connection may belong to several people: a proxy's do.
        signed_in.set(None)
        app: ASGIApp = self._app
        if scope["method"] not in SAFE_METHODS and not is_same_origin(connection):
            app = PlainTextResponse("this request comes from another site", 403)
        elif scope["path"] in (SIGN_IN, SIGN_OUT):
            app = self._login
        else:
            try:
                user = await self._find(connection)
            except (UnavailableError, OperationalError):
                app = PlainTextResponse(UNAVAILABLE, 503)
            else:
                signed_in.set(user)
                app = _refusal(connection, user) or app
        await app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        with suppress(UnavailableError, OperationalError):
            user = await self._find(connection) if is_same_origin(connection) else None
            signed_in.set(user)
            if user and await self._is_served(connection, user, self._app(scope, receive, send)):
                return
        # Before the handshake this is an answer 403.
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "not signed in"})

    async def _is_served(self, connection: HTTPConnection, user: SignedIn, serving: Awaitable[None]) -> bool:
        """Serve a websocket to its end. False when its session ended first."""
        task = asyncio.ensure_future(serving)
        try:
            while not (await asyncio.wait([task], timeout=LOOK_SECONDS))[0]:
                if await self._find(connection) != user:
                    return False
            await task
            return True
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _find(self, connection: HTTPConnection) -> SignedIn | None:
        token = session_token(connection)
        return await run_in_threadpool(find_session, self._database, token) if token else None


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request comes from a page of this server, or from no page at all.

    A browser says where a request comes from, in a way that pages can not forge; a program that says nothing carries no
    cookie of somebody else.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def _refusal(connection: HTTPConnection, user: SignedIn | None) -> Response | None:
    path, method = connection.scope["path"], connection.scope["method"]
    if user is None:
        if method == "GET" and "text/html" in connection.headers.get("accept", ""):
            wanted = path + (f"?{connection.url.query}" if connection.url.query else "")
            return RedirectResponse(f"{SIGN_IN}?next={quote(wanted, safe='/')}", 303)
        return PlainTextResponse("not signed in", 401)
    if path == "/graphql":
        # A link on any site is a GET with the cookie of whoever follows it; Dagster would execute mutations so.
        return PlainTextResponse("send queries by POST", 405) if "query" in connection.query_params else None
    if method not in SAFE_METHODS and not may(user.role, "admin"):
        return PlainTextResponse(f"this needs the role admin; {user.name} is {user.role}", 403)
    return None


def _unframed(send: Send) -> Send:
    """Keep other sites from showing these pages in a frame, where a visitor clicks without knowing on what."""

    async def with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Frame-Options"] = "DENY"
        await send(message)

    return with_header
