"""The login behind nginx, as deploy/nginx.conf has it, with the address and the certificate of a test."""

import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from batch_jobs.settings import PROJECT_FOLDER
from batch_jobs_tests.deadline import until
from batch_jobs_tests.orchestration.services import free_port
from batch_jobs_tests.orchestration.web.browser import Browser
from batch_jobs_tests.orchestration.web.served import Served

CONFIGURED = (PROJECT_FOLDER / "deploy" / "nginx.conf").read_text()
AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
VERSION = "{version}"


@pytest.fixture(scope="module")
def proxied(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that reaches the server through nginx, by TLS."""
    nginx, openssl = (shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in ("nginx", "openssl"))
    if nginx is None or openssl is None:
        pytest.skip("no nginx or no openssl on this machine: install Debian's packages `nginx-light` and `openssl`")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    kind += ["-addext", "subjectAltName=IP:127.0.0.1"]
    made = [openssl, "req", *kind, "-keyout", key, "-out", certificate]
    subprocess.run(made, check=True, capture_output=True)
    site = CONFIGURED
    for written, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/jobs.example.com.pem": str(certificate),
        "/etc/ssl/private/jobs.example.com.key": str(key),
        "http://127.0.0.1:3000": f"http://127.0.0.1:{served.port}",
    }.items():
        assert site.count(written) == 1, written
        site = site.replace(written, here)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    process = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        browser = Browser(port, ssl.create_default_context(cafile=certificate))
        until(lambda: process.poll() is not None or _answers(browser), 30)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield browser
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(browser: Browser) -> bool:
    try:
        return browser.request("GET", "/login").status == 200
    except ConnectionError:
        return False


def test_a_page_behind_the_proxy_is_of_the_same_site_and_another_is_not(served: Served, proxied: Browser) -> None:
    # Without Sec-Fetch-Site, which browsers from before 2023 do not send, by the name of the host alone.
    own = {"Origin": f"https://127.0.0.1:{proxied.port}"}
    assert proxied.sign_in("viewer", served.password("viewer"), Origin=f"https://127.0.0.1:{served.port}").status == 403
    entered = proxied.sign_in("viewer", served.password("viewer"), "/runs", **own)
    assert (entered.status, entered.headers["location"]) == (303, "/runs")
    assert "secure" in proxied.last_cookie.lower().split("; ")
    assert proxied.ask(VERSION)
    with proxied.websocket(**own) as websocket:
        websocket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(websocket.recv(10))
    with pytest.raises(InvalidStatus, match="403"):
        proxied.websocket(Origin="https://example.com")


def test_tries_are_counted_by_the_address_of_who_tries(served: Served, proxied: Browser) -> None:
    proxied.sign_in("nobody", "wrong horse of nobody", X_Forwarded_For="192.0.2.7")
    counted = served.installation.select("SELECT address FROM batch_jobs.web_sign_in_tries WHERE name = 'nobody'")
    assert counted == [("127.0.0.1",)]
