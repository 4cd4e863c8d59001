"""What a browser sends to the web server with a login: cookies, forms, questions, websockets; and what others forge."""

import http.client
import json
import ssl
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """One browser, with its cookie.

    Args:
        port: of the web server on 127.0.0.1.
        tls: whom it trusts, where the server is reached by TLS.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._tls = tls
        self.cookie = ""
        self.last_cookie = ""

    def request(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """Send one request. Names of headers are written with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        connection = (
            http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self._tls)
            if self._tls
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        )
        try:
            connection.request(method, path, body.encode() if body is not None else None, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        self._keep(answer.getheader("Set-Cookie"))
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def sign_in(self, name: str, password: str, wanted: str = "/", **headers: str) -> Answer:
        """Send the form of the login page."""
        form = urlencode({"name": name, "password": password, "next": wanted})
        return self.request("POST", "/login", form, Content_Type="application/x-www-form-urlencoded", **headers)

    def post(self, query: str, **variables: Any) -> Answer:
        """Put a GraphQL question as Dagster's pages do."""
        body = json.dumps({"query": query, "variables": variables})
        return self.request("POST", "/graphql", body, Content_Type="application/json", Sec_Fetch_Site="same-origin")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Put a GraphQL question. Returns its data."""
        said = self.post(query, **variables).json()
        assert "errors" not in said, said["errors"]
        return dict(said["data"])

    def websocket(self, **headers: str) -> ClientConnection:
        """Open the websocket of Dagster's pages."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"Cookie": self.cookie}
        return connect(
            f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}/graphql",
            ssl=self._tls,
            subprotocols=[Subprotocol("graphql-ws")],
            additional_headers=sent,
        )

    def _keep(self, text: str | None) -> None:
        if text is None:
            return
        self.last_cookie = text
        for name, morsel in SimpleCookie(text).items():
            self.cookie = f"{name}={morsel.value}" if morsel.value else ""
