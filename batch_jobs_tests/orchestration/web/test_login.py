"""Nobody passes without a session, and sessions end: asked of the real server over HTTP and websocket."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from batch_jobs.access.sessions import TRIES_OF_NAME
from batch_jobs.access.users import add_user, remove_user, set_password, set_role
from batch_jobs.orchestration.web.gate import LOOK_SECONDS
from batch_jobs_tests.orchestration.web.browser import Browser
from batch_jobs_tests.orchestration.web.served import Served

WRONG = "wrong horse of nobody"
VERSION = "{version}"
QUESTION = '{"query": "{version}"}'


@pytest.fixture
def guest(served: Served) -> Iterator[Browser]:
    """A user of the test's own, `guest`, signed in."""
    add_user(served.database, "guest", "viewer", served.password("guest"))
    yield served.browser("guest")
    remove_user(served.database, "guest")


def test_without_a_session_there_is_only_the_login_page(served: Served) -> None:
    stranger = served.browser()
    for path in ("/", "/runs?a=b&c=d", "/graphql"):
        sent_on = stranger.request("GET", path, Accept="text/html,*/*")
        assert (sent_on.status, sent_on.headers["location"]) == (303, f"/login?next={quote(path, safe='/')}")
    for path in ("/graphql", "/server_info", "/logs/a/b.out", "/download_debug/x", "/manifest.json", "/login/x"):
        assert stranger.request("GET", path).status == 401, path
    for path in ("/graphql", "/report_asset_materialization/a", "/runs"):
        assert stranger.request("POST", path, "{}", Content_Type="application/json").status == 401, path
    stranger.cookie = f"batch_jobs_session_{served.port}=made-up"
    assert stranger.post(VERSION).status == 401
    with pytest.raises(InvalidStatus, match="403"):
        stranger.websocket()


def test_the_page_is_safe_and_says_the_same_of_known_and_unknown_names(served: Served) -> None:
    stranger = served.browser()
    page = stranger.request("GET", '/login?next="><script>')
    assert page.status == 200
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    known, unknown = stranger.sign_in("viewer", WRONG), stranger.sign_in("no-viewer", WRONG)
    assert known.status == unknown.status == 401
    assert known.text.replace("viewer", "no-viewer").partition("</style>")[2] == unknown.text.partition("</style>")[2]
    assert WRONG not in known.text
    assert stranger.cookie == ""
    for too_much in ("x" * 20_000, "&".join(f"field{number}=" for number in range(100))):
        assert stranger.request("POST", "/login", too_much).status == 401


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("/runs?a=b", "/runs?a=b"),
        ("https://example.com/", "/"),
        ("//example.com", "/"),
        ("/\\example.com", "/"),
        ("///example.com", "/"),
        ("/\t/example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("/a\r\nSet-Cookie: b=c", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_the_page_wanted_on_this_server_alone(served: Served, wanted: str, shown: str) -> None:
    entered = served.browser().sign_in("viewer", served.password("viewer"), wanted)
    assert (entered.status, entered.headers["location"]) == (303, shown)
    assert "b=c" not in str(entered.headers)


def test_the_cookie_is_for_this_server_and_no_script(served: Served) -> None:
    browser = served.browser("viewer")
    parts = browser.last_cookie.lower().split("; ")
    assert parts[0].startswith(f"batch_jobs_session_{served.port}=")
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} == set(parts[1:])
    browser.sign_in("viewer", served.password("viewer"), X_Forwarded_Proto="https")
    assert "secure" in browser.last_cookie.lower().split("; ")


def test_dagsters_page_says_who_is_signed_in(served: Served) -> None:
    page = served.browser("operator").request("GET", "/runs", Accept="text/html")
    assert page.status == 200
    assert "Signed in as operator" in page.text
    assert '<form method="post" action="/logout">' in page.text
    assert page.text.index("Signed in as") > page.text.index('id="root"')
    assert page.headers["x-frame-options"] == "DENY"
    nonce = page.text.partition('<script nonce="')[2].partition('"')[0]
    assert f"'nonce-{nonce}'" in page.headers["content-security-policy"]
    assert page.text.rpartition('<script nonce="')[2].startswith(nonce)


def test_signing_out_ends_the_session_itself(served: Served) -> None:
    browser = served.browser("viewer")
    kept = browser.cookie
    assert browser.ask(VERSION)
    assert browser.request("GET", "/logout").status == 405
    left = browser.request("POST", "/logout")
    assert (left.status, left.headers["location"], browser.cookie) == (303, "/login", "")
    browser.cookie = kept
    assert browser.post(VERSION).status == 401


def _remove_and_add(served: Served) -> None:
    remove_user(served.database, "guest")
    add_user(served.database, "guest", "viewer", served.password("guest"))


CHANGES: dict[str, Callable[[Served], None]] = {
    "role": lambda served: set_role(served.database, "guest", "operator"),
    "password": lambda served: set_password(served.database, "guest", WRONG),
    "removed": _remove_and_add,
    "time": lambda served: served.installation.execute(
        "UPDATE batch_jobs.web_sessions SET ends_at = now() WHERE name = 'guest'"
    ),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_ends_a_session_ends_its_open_websocket_too(served: Served, guest: Browser, change: str) -> None:
    with guest.websocket() as websocket:
        websocket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(websocket.recv(10))
        assert guest.ask(VERSION)
        CHANGES[change](served)
        assert guest.post(VERSION).status == 401
        with pytest.raises(ConnectionClosed, match="not signed in"):
            websocket.recv(LOOK_SECONDS + 30)
    with pytest.raises(InvalidStatus, match="403"):
        guest.websocket()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_other_sites_can_not_use_a_visitors_session(served: Served, guest: Browser, headers: dict[str, str]) -> None:
    for path in ("/graphql", "/logout", "/report_asset_check/x"):
        assert (
            guest.request("POST", path, '{"query": "{version}"}', Content_Type="application/json", **headers).status
            == 403
        )
    assert guest.sign_in("viewer", served.password("viewer"), **headers).status == 403
    with pytest.raises(InvalidStatus, match="403"):
        guest.websocket(**headers)
    assert guest.ask(VERSION)


def test_pages_of_this_server_are_let_through(guest: Browser) -> None:
    own = {"Origin": f"http://127.0.0.1:{guest.port}"}
    assert (
        guest.request("POST", "/graphql", '{"query": "{version}"}', Content_Type="application/json", **own).status
        == 200
    )
    with guest.websocket(**own) as websocket:
        websocket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(websocket.recv(10))


def test_guessing_ends_soon(served: Served, guest: Browser) -> None:
    statuses = [served.browser().sign_in("guest", f"{WRONG} {number}").status for number in range(TRIES_OF_NAME + 3)]
    assert statuses == [401] * TRIES_OF_NAME + [429] * 3
    refused = served.browser().sign_in("guest", served.password("guest"))
    assert (refused.status, refused.headers["retry-after"]) == (429, "900")
    assert guest.ask(VERSION), "who is in stays in"
    assert served.browser("viewer").ask(VERSION)


def test_passwords_are_in_no_log_table_or_process_list(served: Served, guest: Browser) -> None:
    served.browser().sign_in("guest", WRONG)
    served.browser().request("POST", "/login", f"password={WRONG}&name=%zz")
    secrets = [served.password(name) for name in ("viewer", "operator", "admin", "guest")] + [WRONG]
    secrets.append(guest.cookie.partition("=")[2])
    tables = served.installation.select("SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|inf)'")
    for schema, table in tables:
        rows = str(served.installation.select(f'SELECT t::text FROM "{schema}"."{table}" t'))
        assert not [secret for secret in secrets if secret in rows], (schema, table)
    said = served.log.read_text() + " ".join(psutil.Process(served.process.pid).cmdline())
    assert not [secret for secret in secrets if secret in said]
