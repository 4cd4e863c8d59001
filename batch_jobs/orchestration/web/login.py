"""Signing in and out: two addresses, one page, one cookie."""

import re
import secrets
from urllib.parse import parse_qs

from psycopg import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router

from batch_jobs.access.sessions import LIFETIME, TRIES_PERIOD, TooManyTriesError, find_session, sign_in, sign_out
from batch_jobs.errors import UnavailableError
from batch_jobs.orchestration.web.pages import SIGN_IN, SIGN_OUT, login_page
from batch_jobs.store.database import Database

LARGEST_FORM = 10_000
# Browsers take two slashes, of either kind, for another host, and leave control characters out.
OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\\]*")
MINUTES = TRIES_PERIOD.seconds // 60

WRONG = "Name and password do not fit."
TOO_MANY = f"Too many tries. Wait {MINUTES} minutes, or ask an admin for another password."
UNAVAILABLE = "The database can not be reached. Try again in a moment."


def login_routes(database: Database) -> Router:
    """The pages for signing in and out.

    Args:
        database: of the installation.
    """

    async def show(request: Request) -> Response:
        token = session_token(request)
        wanted = _own_path(request.query_params.get("next", "/"))
        try:
            user = await run_in_threadpool(find_session, database, token) if token else None
            if user:
                return RedirectResponse(wanted, 303)
        except (UnavailableError, OperationalError):
            return _page(wanted, error=UNAVAILABLE, status=503)
        return _page(wanted)

    async def enter(request: Request) -> Response:
        form = await _form(request)
        # Names are written in small letters; a telephone begins with a capital one.
        name, password = form.get("name", "").strip().lower(), form.get("password", "")
        wanted = _own_path(form.get("next", "/"))
        address = request.client.host if request.client else ""
        try:
            entered = await run_in_threadpool(sign_in, database, name, password, address)
        except TooManyTriesError:
            return _page(wanted, name, TOO_MANY, status=429)
        except (UnavailableError, OperationalError):
            return _page(wanted, name, UNAVAILABLE, status=503)
        if entered is None:
            return _page(wanted, name, WRONG, status=401)
        answer = RedirectResponse(wanted, 303)
        answer.set_cookie(
            cookie_name(request),
            entered,
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return answer

    async def leave(request: Request) -> Response:
        try:
            if token := session_token(request):
                await run_in_threadpool(sign_out, database, token)
        except (UnavailableError, OperationalError):
            return _page("/", error=UNAVAILABLE, status=503)
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(cookie_name(request), httponly=True, samesite="lax")
        return answer

    return Router(
        [
            Route(SIGN_IN, show, methods=["GET"]),
            Route(SIGN_IN, enter, methods=["POST"]),
            Route(SIGN_OUT, leave, methods=["POST"]),
        ]
    )


def session_token(connection: HTTPConnection) -> str | None:
    """The secret in the cookie of a request."""
    return connection.cookies.get(cookie_name(connection))


def cookie_name(connection: HTTPConnection) -> str:
    """A name for each port: browsers send cookies to all servers of a host, and two installations may share one."""
    server = connection.scope.get("server")
    return f"batch_jobs_session_{server[1]}" if server else "batch_jobs_session"


def _page(wanted: str, name: str = "", error: str = "", *, status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        "Referrer-Policy": "same-origin",
    }
    if status == 429:
        headers["Retry-After"] = str(TRIES_PERIOD.seconds)
    content = login_page(wanted=wanted, name=name, error=error, nonce=nonce)
    return Response(content, status, headers, media_type="text/html")


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; none of one that is too long or has too many."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {key: values[0] for key, values in fields.items()}


def _own_path(wanted: str) -> str:
    """Where to go after signing in: a path of this server, never another site."""
    if not OWN_PATH.fullmatch(wanted) or wanted.partition("?")[0] in (SIGN_IN, SIGN_OUT):
        return "/"
    return wanted
