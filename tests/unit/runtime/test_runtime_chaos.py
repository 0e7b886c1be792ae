"""Random trouble first, then quiet: what must hold throughout, and what must come true in the end."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.ports import ApiError, ConnectionLost, Document, Resource
from controller.runtime.cache import Cache, Key, key_of
from controller.runtime.queue import WorkQueue
from controller.runtime.reflector import Reflector
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.faults.interception import Intercepted
from sim.loop import Loop
from sim.streams import Streams


@pytest.mark.parametrize("seed", range(30))
def test_no_key_is_worked_on_twice_at_once_and_no_addition_is_lost(seed: int) -> None:
    dice, loop = random.Random(seed), Loop(ties=random.Random(seed))
    busy: set[str] = set()
    owed: dict[str, float] = {}  # the last addition of a key that no reconcile has begun after

    async def work(queue: WorkQueue[str]) -> None:
        while (key := await queue.get()) is not None:
            assert key not in busy
            busy.add(key)
            owed.pop(key, None)
            await asyncio.sleep(dice.choice([0, 0, 0.1, 1, 3]))
            busy.discard(key)
            if dice.random() < 0.3:
                owed[key] = loop.time()
                queue.add_rate_limited(key)
            else:
                queue.forget(key)
            queue.done(key)

    async def main() -> None:
        queue: WorkQueue[str] = WorkQueue()
        workers = [asyncio.create_task(work(queue)) for _ in range(3)]
        for _ in range(300):
            key, delay_s = dice.choice("abcdef"), dice.choice([0, 0, 0.5, 2])
            owed[key] = loop.time()
            queue.add_after(key, delay_s)
            await asyncio.sleep(dice.choice([0, 0.05, 0.2, 1]))
            if dice.random() < 0.05:
                victim = dice.randrange(3)
                if not busy:
                    workers[victim].cancel()
                    await asyncio.sleep(0)
                    workers[victim] = asyncio.create_task(work(queue))
        await asyncio.sleep(100)
        assert owed == {}
        queue.shut_down()
        await asyncio.gather(*workers)

    loop.run_until_complete(main())
    loop.close()


class Torn:
    """A watch stream that breaks after so many batches."""

    def __init__(self, stream: Any, batches: int) -> None:
        self._stream = stream
        self._left = batches

    def __aiter__(self) -> "Torn":
        return self

    async def __anext__(self) -> Any:
        if self._left == 0:
            raise ConnectionLost("torn")
        self._left -= 1
        return await anext(self._stream)

    def close(self) -> None:
        self._stream.close()


class Trouble:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.over = False

    async def around(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self.over:
            return await call()
        luck = self.dice.random()
        if luck < 0.2:
            raise ConnectionLost("refused")
        if luck < 0.3:
            raise ApiError(410, "Expired", "too old resource version")
        if luck < 0.4:
            raise ApiError(429, "TooManyRequests", "slow down", retry_after_s=1.0)
        answer = await call()
        return Torn(answer, self.dice.randrange(4)) if verb == "watch" else answer


@pytest.mark.parametrize("seed", range(15))
def test_a_reflector_ends_up_with_what_the_server_has_whatever_went_wrong(seed: int) -> None:
    dice, loop = random.Random(seed), Loop(ties=random.Random(seed))
    server = ApiServer(loop, Streams(seed), Clock(loop), guard=True)
    maps = server.resource("", "configmaps")
    trouble = Trouble(dice)
    cache = Cache({"value": lambda document: [document["data"]["v"]]})
    reflector = Reflector(Intercepted(server.client(ADMIN), trouble.around), maps, random.Random(seed), cache=cache)
    mirror: dict[Key, Document] = {}

    def follow(old: Document | None, new: Document | None) -> None:
        document = new or old
        assert document is not None
        key = key_of(document)
        assert (old is None) == (key not in mirror), "a change is told against what was told before"
        if new is None:
            del mirror[key]
        else:
            mirror[key] = new

    reflector.add_handler(follow)
    loop.process("controller").start(reflector.run())

    def meddle() -> None:
        name, value = f"m{dice.randrange(8)}", str(dice.randrange(4))
        if server.find(maps, "default", name) is None:
            server.create(ADMIN, maps, "default", {"metadata": {"name": name}, "data": {"v": value}})
        elif dice.random() < 0.4:
            server.delete(ADMIN, maps, "default", name)
        else:
            server.patch(ADMIN, maps, "default", name, {"data": {"v": value}})

    for _ in range(200):
        meddle()
        loop.run_until(loop.now_us + dice.choice([0, 1_000, 100_000, 2_000_000]))
    trouble.over = True
    loop.run_until(loop.now_us + 120_000_000)
    truth = {key_of(document): document for document in server.items(maps, "default")}
    assert {key: cache.get(*key) for key in cache} == mirror == truth
    for value in "0123":
        found = {key_of(document) for document in cache.by_index("value", value)}
        assert found == {key for key, document in truth.items() if document["data"]["v"] == value}
    server.verify()
    loop.close()
