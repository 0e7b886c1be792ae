"""A simulated API server behind real HTTP on loopback, so that live code has something to talk to.

A thread of its own holds the simulated world and the sockets. Virtual time follows wall time, ``hurry`` times as fast.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from aiohttp import web

from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer
from sim.apiserver.watch import Stream
from sim.cluster.api import PODS, Api

T = TypeVar("T")
TOKEN = "loopback"
_TICK_S = 0.002
_START_S = 10.0


class Served:
    """Use as a context manager; errors of the world are raised when it is left."""

    def __init__(self, server: ApiServer, *, hurry: float = 1.0) -> None:
        self.url = ""
        self.server = server
        self._face = Rest(server, {TOKEN: ADMIN})
        self._scheduler = Api(server, ADMIN, "scheduler")
        self._hurry = hurry
        self._began_us = server.loop.now_us
        self._errors: list[BaseException] = []
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_START_S)
        assert not self._thread.is_alive()
        if self._errors:
            raise self._errors[0]

    def kubeconfig(self, folder: Path, **cluster: Any) -> Path:
        """A file that leads here."""
        path = folder / "kubeconfig"
        document = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "loopback", "user": "admin"}}],
            "clusters": [{"name": "loopback", "cluster": {"server": self.url, **cluster}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def call(self, act: Callable[[ApiServer], T]) -> T:
        """Do something to the world from another thread, between two of its moments."""

        async def acted() -> T:
            answer = act(self.server)
            self._advance()
            return answer

        return asyncio.run_coroutine_threadsafe(acted(), self._loop).result(_START_S)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # whatever loops others may hurry
            runner.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._origin_s = self._loop.time()
        self._moved = asyncio.Event()
        application = web.Application(client_max_size=8 << 20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._started.set()
        while not self._stopping.is_set():
            self._advance()
            await asyncio.sleep(_TICK_S)
        self._moved.set()
        await runner.cleanup()

    def _advance(self) -> None:
        """Let the world catch up with the wall clock, and those who watch look up."""
        passed_us = round((self._loop.time() - self._origin_s) * self._hurry * 1_000_000)
        try:
            self.server.loop.run_until(max(self.server.loop.now_us, self._began_us + passed_us))
        except Exception as error:
            self._errors.append(error)
            self._stopping.set()
        self._moved.set()
        self._moved = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.path, dict(request.query), headers, body)
        self._advance()
        response = self._bound(asked) if request.path.endswith("/bindings") else self._face.handle(asked)
        self._advance()
        if isinstance(response.body, Stream):
            return await self._stream(request, response.body)
        text = response.body if isinstance(response.body, str) else json.dumps(response.body)
        kept = {name: value for name, value in response.headers.items() if isinstance(value, str)}
        return web.Response(status=response.status, headers=kept, text=text)

    def _bound(self, request: Request) -> Response:
        """The REST face has no bindings; this scheduler's way of writing them has the same effect."""
        binding: Document = json.loads(request.body)
        namespace = request.path.split("/")[4]
        try:
            pod = self.server.get(ADMIN, PODS, namespace, binding["metadata"]["name"])
            self._scheduler.bind(pod, binding["target"]["name"])
        except ApiError as error:
            return Response(error.code, {"content-type": "application/json"}, error.status())
        return Response(201, {"content-type": "application/json"}, {"kind": "Status", "status": "Success"})

    async def _stream(self, request: web.Request, stream: Stream) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        try:
            await response.prepare(request)
            while not self._stopping.is_set():
                moved, ended = self._moved, stream.ended
                for event in stream.take():
                    await response.write(json.dumps({"type": event.type, "object": event.object}).encode() + b"\n")
                if ended or request.transport is None or request.transport.is_closing():
                    break
                await moved.wait()
        except ConnectionError:
            pass  # the client has left
        finally:
            stream.close()
        return response
