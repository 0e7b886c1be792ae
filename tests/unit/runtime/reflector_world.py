"""A reflector of config maps on a simulated API server, and ways to spoil its connection."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from controller.ports import Cluster, Document, Resource
from controller.runtime.reflector import Reflector
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.faults.interception import Intercepted
from sim.loop import Loop

SECOND = 1_000_000
Change = tuple[str | None, str | None]


class World:
    """A server, a reflector of config maps, what its handler was told, and every call it made."""

    def __init__(self, loop: Loop, server: ApiServer) -> None:
        self.loop = loop
        self.server = server
        self.resource = server.resource("", "configmaps")
        self.told: list[Change] = []
        self.calls: list[tuple[float, str]] = []
        self.faults: dict[str, list[Exception]] = {"list": [], "watch": []}
        self.errors: list[tuple[str, float]] = []
        self.client: Cluster = Intercepted(server.client(ADMIN), self.around)

    async def around(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls.append((round(self.loop.time(), 2), verb))
        if self.faults[verb]:
            raise self.faults[verb].pop(0)
        return await call()

    def reflect(self, **options: Any) -> Reflector:
        reflector = Reflector(
            self.client,
            self.resource,
            random.Random(1),
            on_error=lambda resource, error, wait_s: self.errors.append((str(error), wait_s)),
            **options,
        )
        reflector.add_handler(lambda old, new: self.told.append((data(old), data(new))))
        return reflector

    def start(self, **options: Any) -> Reflector:
        reflector = self.reflect(**options)
        self.task = self.loop.create_task(reflector.run())
        return reflector

    def put(self, name: str, value: str, namespace: str = "team") -> None:
        body = {"metadata": {"name": name}, "data": {"v": value}}
        if self.server.find(self.resource, namespace, name) is None:
            self.server.create(ADMIN, self.resource, namespace, body)
        else:
            self.server.patch(ADMIN, self.resource, namespace, name, {"data": {"v": value}})

    def delete(self, name: str) -> None:
        self.server.delete(ADMIN, self.resource, "team", name)

    def run(self, seconds: float) -> None:
        self.loop.run_until(self.loop.now_us + round(seconds * SECOND))

    def verbs(self) -> list[str]:
        return [verb for _, verb in self.calls]


def data(document: Document | None) -> str | None:
    return None if document is None else f"{document['metadata']['name']}={document['data']['v']}"


class Script:
    """A watch stream that says what it is told to, then ends or breaks."""

    def __init__(self, *batches: Any) -> None:
        self.batches = list(batches)
        self.closed = False

    def __aiter__(self) -> "Script":
        return self

    async def __anext__(self) -> Any:
        if not self.batches:
            raise StopAsyncIteration
        batch = self.batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        await asyncio.sleep(1)
        return batch

    def close(self) -> None:
        self.closed = True


def scripted(world: World, *scripts: Script) -> None:
    streams = list(scripts)

    async def around(verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        world.calls.append((world.loop.time(), verb))
        return streams.pop(0) if verb == "watch" and streams else await call()

    world.client = Intercepted(world.server.client(ADMIN), around)


class HalfOpen(Script):
    """A connection whose other end is gone without a word."""

    async def __anext__(self) -> Any:
        await asyncio.Event().wait()
