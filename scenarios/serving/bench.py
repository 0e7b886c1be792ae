"""What serving costs: measurements for ``make bench``, each in a process of its own."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import uvloop

from scenarios.serving.fixture import hosted
from scenarios.serving.load import WIDGETS, widget
from sim.apiserver.http.application import Application
from sim.apiserver.http.listener import Listener, bind
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.exchange import Request
from sim.apiserver.rest.rest import Rest
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.pump import Pump
from sim.streams import Streams

_TOKEN = "bench"  # noqa: S105  # of a server that lives for seconds
_DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.bench.example.com"},
    "spec": {
        "group": "bench.example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


class Bench:
    """A server with widgets, as `rehearse serve --with gc` has it."""

    def __init__(self, widgets: int = 0) -> None:
        loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
        self.server = ApiServer(loop, Streams(7), Clock(loop), managed_fields=True)
        self.rest = Rest(self.server, {_TOKEN: ADMIN})
        self.pump = Pump(loop)
        self.application = Application(self.rest, self.pump)
        if widgets:
            self.resource = self.server.install_crd(_DEFINITION)
            loop.run_until(1_000_000)
            for number in range(widgets):
                self.server.create(ADMIN, self.resource, "default", widget(f"w-{number}"))


def start() -> dict[str, float]:
    """From nothing to the first request answered over a socket, modules loaded."""

    async def run() -> float:
        bench = Bench()
        listener = Listener(bench.application, bind("127.0.0.1", 0))
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET /version HTTP/1.1\r\nhost: bench\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        took_s = time.perf_counter() - began
        writer.close()
        await listener.stop()
        return took_s

    began = time.perf_counter()
    took_s = uvloop.run(run())
    return {"per_s": 1 / took_s, "ms": 1000 * took_s}


def session() -> dict[str, float]:
    """From nothing to the first answer of a whole world, as the pytest fixture has it; the second one in a process."""

    def once() -> float:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder, hosted(Path(folder) / "kubeconfig") as server:
            with urllib.request.urlopen(f"{server.url}/version", timeout=10) as answer:  # noqa: S310  # loopback
                answer.read()
            return time.perf_counter() - began

    once()
    took_s = once()
    return {"per_s": 1 / took_s, "ms": 1000 * took_s}


def http(kind: str, requests: int) -> dict[str, float]:
    """Requests of one ``kind`` per second, from eight connections of another process.

    ``cpu_us_each`` is what one costs the server, however busy the machine is with others.
    """

    async def run() -> dict[str, float]:
        bench = Bench(widgets=500)
        listener = Listener(bench.application, bind("127.0.0.1", 0))
        await listener.start()
        command = ["-m", "scenarios.serving.load", str(listener.port), kind, _TOKEN, str(requests)]
        before_s = time.process_time()
        load = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        said, _ = await load.communicate()
        each_us = 1e6 * (time.process_time() - before_s) / requests
        await listener.stop()
        return {"per_s": float(said), "cpu_us_each": each_us}

    return uvloop.run(run())


def asgi(requests: int = 20_000) -> dict[str, float]:
    """Reads per second through the application alone: what no socket can exceed."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"{WIDGETS}/w-0",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {_TOKEN}".encode()), (b"accept", b"application/json")],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_message: Any) -> None:
        return None

    async def run() -> float:
        bench = Bench(widgets=1)
        began = time.perf_counter()
        for _ in range(requests):
            await bench.application(scope, receive, send)
        return requests / (time.perf_counter() - began)

    return {"per_s": uvloop.run(run())}


class _Watchers:
    """Watches over ASGI; every line that one of them gets is counted, and timed from its write."""

    def __init__(self, bench: Bench) -> None:
        self.lines = 0
        self.delays_s: list[float] = []
        self.written_s: dict[str, float] = {}
        self._bench = bench
        self._gone = asyncio.Event()

    def open(self, count: int, *, timed: bool = False) -> list["asyncio.Task[None]"]:
        receive = self._gone_away
        send = self._timed if timed else self._counted
        query = f"watch=1&resourceVersion={self._bench.server.store.version}".encode()
        headers = [(b"authorization", f"Bearer {_TOKEN}".encode())]
        scope = {"type": "http", "method": "GET", "path": WIDGETS, "query_string": query, "headers": headers}
        application = self._bench.application
        return [asyncio.ensure_future(application(dict(scope), receive, send)) for _ in range(count)]

    async def close(self, tasks: list["asyncio.Task[None]"]) -> None:
        self._gone.set()
        await asyncio.gather(*tasks)

    async def _gone_away(self) -> Any:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _counted(self, message: Any) -> None:
        self.lines += message.get("body", b"").count(b"\n")

    async def _timed(self, message: Any) -> None:
        now_s = time.perf_counter()
        for line in message.get("body", b"").splitlines():
            name = json.loads(line)["object"]["metadata"]["name"]
            self.delays_s.append(now_s - self.written_s[name])


def fan_out(watchers: int = 1_000, writes: int = 100) -> dict[str, float]:
    """Events per second through many watchers of one resource."""

    async def run() -> float:
        bench = Bench(widgets=1)
        watching = _Watchers(bench)
        tasks = watching.open(watchers)
        await asyncio.sleep(0)
        began = time.perf_counter()
        for number in range(writes):
            bench.pump.enter(bench.rest.handle, _creation(number))
            await asyncio.sleep(0)
        while watching.lines < watchers * writes:
            await asyncio.sleep(0)
        took_s = time.perf_counter() - began
        await watching.close(tasks)
        return watching.lines / took_s

    return {"per_s": uvloop.run(run())}


def delivery(writes: int = 3_000, rate_per_s: float = 1_000.0) -> dict[str, float]:
    """How long after a write its watcher has the event, at a steady rate of writes."""

    async def run() -> list[float]:
        bench = Bench(widgets=1)
        watching = _Watchers(bench)
        tasks = watching.open(1, timed=True)
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        for number in range(writes):
            wait_s = began + number / rate_per_s - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            watching.written_s[f"new-{number}"] = time.perf_counter()
            bench.pump.enter(bench.rest.handle, _creation(number))
        while len(watching.delays_s) < writes:
            await asyncio.sleep(0.001)
        await watching.close(tasks)
        return watching.delays_s

    delays_s = uvloop.run(run())
    ranked = statistics.quantiles(delays_s, n=100)
    return {"per_s": rate_per_s, "p50_ms": 1000 * ranked[49], "p99_ms": 1000 * ranked[98]}


def idle(watches: int = 2_000) -> dict[str, float]:
    """Memory of one idle watch on a connection of its own, both ends of it in this process."""

    async def run() -> tuple[float, float]:
        bench = Bench(widgets=1)
        listener = Listener(bench.application, bind("127.0.0.1", 0))
        await listener.start()
        clients = []
        text = f"GET {WIDGETS}?watch=1 HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {_TOKEN}\r\n\r\n".encode()
        before, began = _resident_kib(), time.perf_counter()
        loop = asyncio.get_running_loop()
        for _ in range(watches):
            transport, _protocol = await loop.create_connection(asyncio.Protocol, "127.0.0.1", listener.port)
            transport.write(text)
            clients.append(transport)
        while len(bench.application.feeds) < watches:
            await asyncio.sleep(0.01)
        took_s, each_kib = time.perf_counter() - began, (_resident_kib() - before) / watches
        for transport in clients:
            transport.close()
        bench.application.stop()
        await listener.stop()
        return watches / took_s, each_kib

    per_s, each_kib = uvloop.run(run())
    return {"per_s": per_s, "kib_each": each_kib}


def _resident_kib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4.0


def _creation(number: int) -> Request:
    headers = {"authorization": f"Bearer {_TOKEN}", "content-type": "application/json"}
    return Request("POST", WIDGETS, {}, headers, json.dumps(widget(f"new-{number}")).encode())
