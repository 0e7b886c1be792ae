"""Calls webhooks outside the world, over the network of the asyncio loop that runs.

Only who is coupled to outer time may use this. What goes wrong is told in the words of Go's net/http, crypto/tls and
context, which clients of a real server read.
"""

import asyncio
import socket
import ssl
from urllib.parse import urlsplit

from sim.apiserver.admission.webhookreplies import Call, Reply

_BODY_LIMIT_BYTES = 3 * 1024 * 1024
_HEAD_LIMIT_BYTES = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")


class _Unreadable(Exception):
    """An answer that is no HTTP."""


async def make(call: Call) -> Reply:
    """Make the call; never raises for what the network or the webhook does."""
    try:
        return await _made(call)
    except ValueError as error:  # a host that is no name, a length that is no number
        return Reply(failure=f"net/http: HTTP/1.x transport connection broken: {error!s:.100}")


async def _made(call: Call) -> Reply:
    parts = urlsplit(call.url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        tls = ssl.create_default_context(cadata=call.ca or None) if parts.scheme == "https" else None
        async with asyncio.timeout(call.timeout_s):
            return await _post(call, host, port, tls)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, _Unreadable) as error:
        return Reply(failure=_explained(error, host, shown))


def _explained(error: Exception, host: str, shown: str) -> str:
    text = "EOF"
    if isinstance(error, TimeoutError):
        text = "context deadline exceeded"
    elif isinstance(error, ConnectionRefusedError):
        text = f"dial tcp {shown}: connect: connection refused"
    elif isinstance(error, socket.gaierror):
        text = f"dial tcp: lookup {host}: no such host"
    elif isinstance(error, ssl.SSLCertVerificationError):
        text = f"tls: failed to verify certificate: x509: {_x509(error.verify_message)}"
    elif isinstance(error, ssl.SSLError):
        text = f"remote error: tls: {(error.reason or 'handshake failure').lower().replace('_', ' ')}"
        if error.reason in _NO_TLS:
            text = "http: server gave HTTP response to HTTPS client"
    elif isinstance(error, _Unreadable):
        text = f"net/http: HTTP/1.x transport connection broken: {error}"
    elif isinstance(error, OSError) and not isinstance(error, ConnectionError):
        text = f"dial tcp {shown}: connect: {(error.strerror or 'network is unreachable').lower()}"
    return text


def _x509(complaint: str) -> str:
    if "match" in complaint:
        return f"certificate is not valid: {complaint}"
    if "expired" in complaint:
        return "certificate has expired or is not yet valid"
    return "certificate signed by unknown authority"


async def _post(call: Call, host: str, port: int, tls: ssl.SSLContext | None) -> Reply:
    parts = urlsplit(call.url)
    name = call.host or host
    reader, writer = await asyncio.open_connection(
        host, port, ssl=tls, server_hostname=name if tls is not None else None, limit=_HEAD_LIMIT_BYTES
    )
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: kube-apiserver-admission\r\n"
            f"Accept: application/json, */*\r\nContent-Type: application/json\r\nContent-Length: {len(call.body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + call.body)
        await writer.drain()
        return await _reply(reader)
    finally:
        writer.transport.abort()  # nothing more is wanted, and a farewell may take its time


async def _reply(reader: asyncio.StreamReader) -> Reply:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not code.isdigit():
        raise _Unreadable(f'malformed HTTP response "{lines[0][:100]}"')
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Reply(int(code), await _chunks(reader))
    length = headers.get("content-length", "")
    if length.isdigit():
        return Reply(int(code), await reader.readexactly(min(int(length), _BODY_LIMIT_BYTES)))
    return Reply(int(code), await _rest(reader))


async def _rest(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) <= _BODY_LIMIT_BYTES and (part := await reader.read(_HEAD_LIMIT_BYTES)):
        body += part
    return body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) <= _BODY_LIMIT_BYTES:
        try:
            size = int((await reader.readline()).partition(b";")[0], 16)
        except ValueError:
            raise _Unreadable("invalid byte in chunk length") from None
        if not size:
            break
        body += await reader.readexactly(min(size, _BODY_LIMIT_BYTES))
        await reader.readexactly(2)
    return body
