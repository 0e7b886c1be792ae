import asyncio
from typing import Any

import pytest

from controller.ports import Cluster
from controller.runtime.throttle import Throttled
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.loop import Loop
from sim.workload.distributions import Constant


def throttled(server: ApiServer, qps: float, burst: int, waits: list[float] | None = None) -> Cluster:
    client = server.client(ADMIN, latency=Latency(default=Constant(0)))
    return Throttled(client, qps, burst, on_wait=None if waits is None else waits.append)


def test_a_burst_passes_at_once_and_the_rest_one_by_one_in_order(loop: Loop, server: ApiServer) -> None:
    waits: list[float] = []
    cluster = throttled(server, 20, 3, waits)
    done: list[tuple[int, float]] = []

    async def read(number: int) -> None:
        await cluster.get(server.resource("", "namespaces"), "", "team")
        done.append((number, round(loop.time(), 6)))

    async def main() -> None:
        await asyncio.gather(*(read(number) for number in range(6)))

    loop.run_until_complete(main())
    assert done == [(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.05), (4, 0.1), (5, 0.15)]
    assert waits == pytest.approx([0.05, 0.1, 0.15])


def test_every_verb_takes_one_token_and_passes_its_arguments_on(loop: Loop, server: ApiServer) -> None:
    cluster = throttled(server, 1, 1)
    maps = server.resource("", "configmaps")
    body: dict[str, Any] = {"metadata": {"name": "a", "labels": {"x": "y"}}}

    async def main() -> list[float]:
        instants = []
        created = await cluster.create(maps, "team", body)
        instants.append(loop.time())
        stream = await cluster.watch(
            maps, "team", resource_version=created["metadata"]["resourceVersion"], label_selector="x=y", timeout_s=60
        )
        instants.append(loop.time())
        await cluster.update(maps, "team", "a", {**created, "data": {"v": "1"}})
        instants.append(loop.time())
        await cluster.patch(maps, "team", "a", [{"op": "add", "path": "/data/w", "value": "2"}], patch_type="json")
        instants.append(loop.time())
        listed = await cluster.list(maps, "team", label_selector="x=y", limit=5)
        assert [item["data"] for item in listed["items"]] == [{"v": "1", "w": "2"}]
        instants.append(loop.time())
        found = await cluster.get(maps, "team", "a")
        instants.append(loop.time())
        await cluster.delete(maps, "team", "a", uid=found["metadata"]["uid"])
        instants.append(loop.time())
        seen = [event.type for event in await anext(stream)]
        stream.close()
        assert seen == ["MODIFIED", "MODIFIED", "DELETED"]
        return instants

    assert loop.run_until_complete(main()) == pytest.approx([0, 1, 2, 3, 4, 5, 6], abs=1e-3)


def test_events_of_an_open_watch_are_not_throttled(loop: Loop, server: ApiServer) -> None:
    cluster = throttled(server, 0.001, 1)
    maps = server.resource("", "configmaps")

    async def main() -> float:
        stream = await cluster.watch(maps, "team")
        for number in range(10):
            server.create(ADMIN, maps, "team", {"metadata": {"name": f"a{number}"}})
        seen = 0
        while seen < 10:
            seen += len(await anext(stream))
        return loop.time()

    assert loop.run_until_complete(main()) < 1
