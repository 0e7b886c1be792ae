"""A world behind sockets, in a running asyncio loop."""

import contextlib
import resource
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from scenarios.serving.session import ServedWorld, SessionRecord, rest_of
from sim.apiserver.http.application import Application
from sim.apiserver.http.clockpage import PATH, ClockPage
from sim.apiserver.http.listener import Listener
from sim.apiserver.identity import User
from sim.pump import Pump


class WorldServer:
    """Serves ``world`` to whoever has one of ``tokens``, or a certificate that the listener trusts."""

    def __init__(
        self, world: ServedWorld, tokens: Mapping[str, User], pump: Pump, record: SessionRecord | None = None
    ) -> None:
        self.world = world
        self.pump = pump
        self.rest = rest_of(world, tokens)
        page = ClockPage(pump, world.server, self.rest, self._counts)
        self.application = Application(self.rest, pump, pages={PATH: page}, journal=record)
        self._listeners: list[Listener] = []

    def _counts(self) -> dict[str, Any]:
        application, chronicle = self.application, self.world.chronicle
        return {
            "requests": application.requests,
            "watches": len(application.feeds),
            "executions": len(chronicle.executions),
            "finished": chronicle.finished,
        }

    async def listen(self, bound: socket.socket, tls: ssl.SSLContext | None = None) -> str:
        """Accept connections on ``bound``; the URL that leads there."""
        listener = Listener(self.application, bound, tls)
        self._listeners.append(listener)
        await listener.start()
        return listener.url

    async def stop(self) -> None:
        """End watches, let requests under way end, close the sockets, stop the time."""
        self.application.stop()
        for listener in self._listeners:
            await listener.stop()
        self.pump.stop()


def allow_many_connections() -> None:
    """As many open sockets as the system grants this process: every watch is one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
