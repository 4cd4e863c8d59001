"""What the login adds to see: its own page, and in Dagster's pages who is signed in."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.responses import HTMLResponse

from batch_jobs.access.sessions import SignedIn

NONCE = re.compile(r'<script nonce="([^"]+)"')


SIGN_IN, SIGN_OUT = "/login", "/logout"


def login_page(*, wanted: str, name: str, error: str, nonce: str) -> str:
    """The page to sign in on.

    Args:
        wanted: the path to show afterwards.
        name: what was given before.
        error: why that did not do, or nothing.
        nonce: that its style needs to be allowed.
    """
    page = _templates().get_template("login.html.j2")
    return page.render(sign_in=SIGN_IN, wanted=wanted, name=name, error=error, nonce=nonce)


def with_user_menu(page: HTMLResponse, user: SignedIn) -> HTMLResponse:
    """Dagster's page with a menu that says who is signed in and lets them sign out.

    Args:
        page: Dagster's own; one that has no place for the menu stays as it is.
        user: who is signed in.
    """
    text = bytes(page.body).decode()
    nonce = NONCE.search(text)
    if nonce is None or "</body>" not in text:
        return page
    menu = (
        _templates()
        .get_template("user_menu.html.j2")
        .render(user=user, nonce=nonce[1], sign_in=SIGN_IN, sign_out=SIGN_OUT)
    )
    head, _, tail = text.rpartition("</body>")
    headers = {name: value for name, value in page.headers.items() if name != "content-length"}
    return HTMLResponse(f"{head}{menu}</body>{tail}", page.status_code, headers)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("batch_jobs.orchestration.web"),
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
