"""From an ASGI scope to a request: decoded once, bounded everywhere."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from sim.apiserver.identity import User
from sim.apiserver.rest.rest import Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

USER = "rehearse.user"
"""Where a listener leaves whom a certificate names, in the scope's ``state``."""
_BODY_KEPT_BYTES = (
    3 * 1024 * 1024 + 1
)  # one more than allowed, so that whoever judges the size sees that it is too much
_BODY_READ_BYTES = 64 * 1024 * 1024  # what is read of a body that nobody keeps, so that its sender gets to the answer


class Vanished(Exception):
    """The client went away before it had said everything."""


def headers_of(scope: Scope) -> dict[str, str]:
    """By lower-case name; what a client repeats is joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def query_of(scope: Scope) -> Mapping[str, str]:
    """The first value of each parameter, as Go reads them."""
    raw = scope["query_string"]
    query: dict[str, str] = {}
    if raw:
        for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
            query.setdefault(name, value)
    return query


async def body_of(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The body; of one beyond the limit, as much as shows that it is. Raises Vanished."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))[:_BODY_KEPT_BYTES]
    kept = bytearray()
    read = 0
    while True:
        if message["type"] != "http.request":
            raise Vanished
        part = message.get("body", b"")
        read += len(part)
        if len(kept) < _BODY_KEPT_BYTES:
            kept += part
        if not message.get("more_body") or read > _BODY_READ_BYTES:
            return bytes(kept[:_BODY_KEPT_BYTES])
        message = await receive()


def request_of(scope: Scope, headers: Mapping[str, str], body: bytes) -> Request:
    state = scope.get("state")
    user: User | None = state.get(USER) if state else None
    return Request(scope["method"], scope["path"], query_of(scope), headers, body, user)
