"""An ASGI application over a small server, and a client that speaks ASGI to it: no sockets, no wall time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from sim.apiserver.http.application import Application
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Rest
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.pump import Pump
from sim.streams import Streams

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Answer:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.complete = False
        self.changed = asyncio.Event()

    @property
    def text(self) -> bytes:
        return b"".join(self.parts)

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[Any]:
        return [json.loads(line) for line in self.text.splitlines()]

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.parts.append(message.get("body", b""))
            self.complete = not message.get("more_body")
        self.changed.set()


class HttpWorld:
    """``speed`` 0: time passes only when somebody steps it. ``strangers`` are served as `rehearse serve` does."""

    def __init__(self, speed: float = 0.0, *, strangers: bool = False) -> None:
        self.loop = Loop()
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), managed_fields=strangers)
        self.rest = Rest(self.server, {"t": ADMIN})
        self.pump = Pump(self.loop, speed=speed)
        self.application = Application(self.rest, self.pump)

    async def ask(
        self, method: str, path: str, body: Any = None, *, query: str = "", parts: Any = None, **headers: str
    ) -> Answer:
        answer = Answer()
        await self.application(self.scope(method, path, query, body, headers), sender(body, parts), answer.send)
        assert answer.complete
        return answer

    def open(self, path: str, query: str) -> tuple[Answer, Callable[[], Awaitable[None]]]:
        """A watch, and what hangs up."""
        answer = Answer()
        gone = asyncio.Event()
        said = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if said:
                return said.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        task = asyncio.ensure_future(self.application(self.scope("GET", path, query, None, {}), receive, answer.send))

        async def hang_up() -> None:
            gone.set()
            await task

        return answer, hang_up

    @staticmethod
    def scope(method: str, path: str, query: str, body: Any, headers: dict[str, str]) -> Any:
        given = {"authorization": "Bearer t", **({} if body is None else {"content-type": "application/json"})}
        if body is not None:
            given["content-length"] = str(len(raw(body)))
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
            "client": ("127.0.0.1", 1),
        }


def raw(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()


def sender(body: Any, parts: Any = None) -> Callable[[], Awaitable[Any]]:
    rest = list(parts if parts is not None else [raw(body)])

    async def receive() -> Any:
        if rest:
            part = rest.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(rest)}
        return {"type": "http.disconnect"}

    return receive


async def seen(answer: Answer, condition: Callable[[Answer], object]) -> None:
    """Wait until the answer so far satisfies ``condition``."""
    async with asyncio.timeout(10):
        while not condition(answer):
            answer.changed.clear()
            await answer.changed.wait()


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}
