"""Listening sockets: uvicorn in a running asyncio loop, with limits and with the client's certificate."""

import asyncio
import contextlib
import logging
import socket
import ssl
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sim.apiserver.http.credentials import named
from sim.apiserver.http.incoming import USER

_HEADER_BYTES = 1024 * 1024  # as Go's net/http: the request line and all headers
_IDLE_S = 90  # as kube-apiserver lets idle connections be
_GRACE_S = 2
_DEAD_MS = 60_000
_PARTING_S = 0.5
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\n\r\n431 Request Header Fields Too Large"
)


class Connection(HttpToolsProtocol):
    """One client's connection."""

    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _give_up_on_the_dead(transport.get_extra_info("socket"))
        tls = transport.get_extra_info("ssl_object")
        user = None if tls is None else named(tls.getpeercert())
        if user is not None:
            self.app_state = {**self.app_state, USER: user}

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _HEADER_BYTES and not self._refused:
            self._refused = True
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            raise ValueError("too many headers")

    def part(self) -> None:
        """Leave a client that has its answers: over TLS, one that does not listen would keep us waiting."""
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.get_write_buffer_size():
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        if not self._refused:
            super().send_400_response(msg)


def _give_up_on_the_dead(connected: Any) -> None:
    """The system ends connections whose other end is gone without a word, or takes nothing for too long."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_MS)


def bind(host: str, port: int) -> socket.socket:
    """A socket to listen on; port 0 takes any that is free. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


class Listener:
    """Serves one ASGI application on one socket, with TLS or without."""

    def __init__(self, application: Any, bound: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        host, self.port = bound.getsockname()[:2]
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
        config = uvicorn.Config(
            application,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        config.load()
        config.ssl = tls
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a client's broken request is no news
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._bound = bound
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._server.startup(sockets=[self._bound])
        self._ticking = asyncio.get_running_loop().create_task(self._server.main_loop())

    async def stop(self) -> None:
        """Accept no more, let requests under way end, for a moment; then end them."""
        self._server.should_exit = True
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        parting = asyncio.get_running_loop().call_later(_PARTING_S, self._part)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what is cut off now is no news
        await self._server.shutdown(sockets=[self._bound])
        for connection in list(self._server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()  # whoever has not read the last answer by now never will
        await asyncio.sleep(0)
        parting.cancel()

    def _part(self) -> None:
        for connection in list(self._server.server_state.connections):
            assert isinstance(connection, Connection)
            connection.part()
