"""Any server as a stage, over HTTP and in the time of the wall."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from scenarios.conformance.replay import Difference
from scenarios.conformance.stage import Answer, Event, OpenWatch
from sim.apiserver.rest.exchange import Request

_TIMEOUT_S = 5.0
_POLL_S = 0.01
_WATCHED_S = 30.0  # the longest that a line of a watch may take to come
_AT_ONCE = 16
_SERVED_TRIES = 80
_BODY_MAX_BYTES = 64 << 20
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Place:
    """Where a server is. Raises ValueError for what is no URL."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r:.200} is no URL of a server")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._tls = tls

    def connect(self, timeout_s: float = _TIMEOUT_S) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)


class Lines:
    """A watch that a thread reads."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.answer = Answer(response.status, _headers(response), None)
        self.events: list[Event] = []
        self.ended = False
        self._connection = connection
        self._response = response
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            for line in iter(self._response.readline, b""):
                if line.strip():
                    document = json.loads(line)
                    self.events.append(Event(document["type"], document["object"]))
            self.ended = True

    def close(self) -> None:
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(_TIMEOUT_S)
        self._response.close()
        self._connection.close()


class HttpStage:
    """``tokens`` are the bearer tokens of the cases' users. Definitions are applied once, others' are left alone."""

    def __init__(self, place: Place, tokens: Mapping[str, str], definitions: Mapping[str, Any]) -> None:
        self._place = place
        self._tokens = tokens
        self._definitions = dict(definitions)
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(_AT_ONCE)

    def close(self) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def credentials(self, user: str) -> str:
        return self._tokens.get(user, f"no-such-token-{user}")

    def define(self) -> None:
        """Raises Difference for a server that does not serve what it has accepted."""
        definitions, self._definitions = self._definitions, {}
        headers = {"authorization": f"Bearer {self.credentials('admin')}", "content-type": "application/json"}
        for definition in definitions.values():
            self.ask(Request("POST", _DEFINITIONS, {}, headers, json.dumps(definition).encode()))
        for definition in definitions.values():
            spec = definition["spec"]
            path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
            for _ in range(_SERVED_TRIES):
                if self.ask(Request("GET", path, {"limit": "1"}, headers)).status == 200:
                    break
                time.sleep(0.1)
            else:
                raise Difference(f"{path} is not served")

    def ask(self, request: Request) -> Answer:
        """Raises Difference where no answer comes."""
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._ask(request)
        except (OSError, http.client.HTTPException) as error:
            self._local.connection.close()
            self._local.connection = None
            idle = isinstance(error, ConnectionError | http.client.BadStatusLine) and not fresh
            if idle and request.method == "GET":
                return self.ask(request)
            raise Difference(f"{request.method} {request.path}: no answer ({error!r:.200})") from None

    def _ask(self, request: Request) -> Answer:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._place.connect()
            self._connections.append(connection)
        _send(connection, request)
        response = connection.getresponse()
        return _answer(response, response.read(_BODY_MAX_BYTES))

    def ask_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        return list(self._pool.map(self.ask, requests))

    def watch(self, request: Request) -> OpenWatch | Answer:
        connection = self._place.connect(_WATCHED_S)
        try:
            _send(connection, request)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Difference(f"{request.method} {request.path}: no answer ({error!r:.200})") from None
        if response.status == 200:
            return Lines(connection, response)
        answer = _answer(response, response.read(_BODY_MAX_BYTES))
        connection.close()
        return answer

    def wait(self, us: int) -> None:
        time.sleep(us / 1_000_000)

    def wait_for(self, condition: Callable[[], bool], us: int) -> None:
        end_s = time.perf_counter() + us / 1_000_000
        while not condition() and time.perf_counter() < end_s:
            time.sleep(_POLL_S)

    def leave(self, namespaces: Sequence[str]) -> None:
        """The namespaces of a case go; nobody waits for it."""
        headers = {"authorization": f"Bearer {self.credentials('admin')}"}
        for name in namespaces:
            self.ask(Request("DELETE", f"/api/v1/namespaces/{name}", {}, headers))


def _send(connection: http.client.HTTPConnection, request: Request) -> None:
    target = quote(request.path, safe="/%:@!$&'()*+,;=~-._")
    if request.query:
        target += "?" + urlencode(request.query, quote_via=quote)
    connection.putrequest(request.method, target, skip_accept_encoding=True)
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        connection.putheader("content-length", str(len(request.body)))
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders(request.body or None)


def _headers(response: http.client.HTTPResponse) -> Mapping[str, str | list[str]]:
    headers: dict[str, str | list[str]] = {name.lower(): value for name, value in response.getheaders()}
    if "warning" in headers:
        headers["warning"] = response.headers.get_all("warning") or []
    return headers


def _answer(response: http.client.HTTPResponse, data: bytes) -> Answer:
    headers = _headers(response)
    kind = str(headers.get("content-type", "")).partition(";")[0]
    body: Any
    try:
        body = json.loads(data) if kind == "application/json" or data[:1] == b"{" else {"text": data.decode()}
    except UnicodeDecodeError:
        body = {"text": "<binary>"}
    except ValueError:
        body = {"text": data.decode(errors="replace")}
    return Answer(response.status, headers, body)
