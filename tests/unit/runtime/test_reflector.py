import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.ports import ApiError, Cluster, ConnectionLost, Document, Resource
from controller.runtime.reflector import Reflector
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.faults.interception import Intercepted
from sim.loop import Loop
from sim.workload.distributions import Constant

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
        self.options: list[dict[str, Any]] = []
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


@pytest.fixture
def world(loop: Loop, server: ApiServer) -> World:
    return World(loop, server)


def test_a_reflector_lists_first_then_watches_and_keeps_its_cache_in_step(world: World) -> None:
    world.put("a", "1")
    reflector = world.start(namespace="team")
    assert not reflector.synced.is_set()
    world.run(1)
    assert reflector.synced.is_set()
    world.put("b", "1")
    world.put("a", "2")
    world.run(1)
    world.delete("b")
    world.run(1)
    assert world.told == [(None, "a=1"), (None, "b=1"), ("a=1", "a=2"), ("b=1", None)]
    assert world.verbs() == ["list", "watch"]
    assert [data(document) for document in reflector.cache.list()] == ["a=2"]


def test_a_listed_object_says_what_it_is_as_a_watched_one_does(world: World) -> None:
    world.put("listed", "1")
    reflector = world.start(namespace="team")
    world.run(1)
    world.put("watched", "1")
    world.run(1)
    assert [(found["apiVersion"], found["kind"]) for found in reflector.cache.list()] == [("v1", "ConfigMap")] * 2


def test_a_deletion_is_told_with_the_last_state_of_the_object(world: World) -> None:
    world.put("a", "1")
    seen: list[Document | None] = []
    reflector = world.start(namespace="team")
    reflector.add_handler(lambda old, new: seen.append(old) if new is None else None)
    world.run(1)
    before = reflector.cache.get("team", "a")
    world.delete("a")
    world.run(1)
    assert seen[0] is not None
    assert before is not None
    assert int(seen[0]["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


def test_a_long_list_comes_in_pages(world: World) -> None:
    for number in range(1_203):
        world.put(f"c{number:04d}", "1")
    reflector = world.start(namespace="team")
    world.run(1)
    assert world.verbs() == ["list", "list", "list", "watch"]
    assert len(reflector.cache) == len(world.told) == 1_203


def test_a_page_that_expired_costs_one_list_in_a_single_page(world: World) -> None:
    for number in range(700):
        world.put(f"c{number:04d}", "1")
    refusals = iter([None, ApiError(410, "Expired", "The provided continue parameter is too old"), None, None])

    async def around(verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        world.calls.append((world.loop.time(), verb))
        refusal = next(refusals)
        if refusal is not None:
            raise refusal
        return await call()

    world.client = Intercepted(world.server.client(ADMIN), around)
    reflector = world.start(namespace="team")
    world.run(1)
    assert world.verbs() == ["list", "list", "list", "watch"]
    assert len(reflector.cache) == 700
    assert world.errors == []


def test_a_watch_that_ends_in_good_order_is_resumed_at_once_without_a_list(world: World) -> None:
    world.start(namespace="team")
    world.run(1)
    world.put("a", "1")
    world.run(1_300)
    instants = [at for at, verb in world.calls if verb == "watch"]
    assert world.verbs().count("list") == 1
    assert len(instants) in (3, 4, 5)
    gaps = [later - earlier for earlier, later in itertools.pairwise(instants)]
    assert all(300 < gap <= 601 for gap in gaps)
    assert len(set(gaps)) == len(gaps)
    world.put("a", "2")
    world.run(1)
    assert world.told == [(None, "a=1"), ("a=1", "a=2")]
    assert world.errors == []


def test_a_lost_connection_resumes_from_the_last_version_after_a_back_off(world: World) -> None:
    world.start(namespace="team")
    world.run(1)
    world.put("a", "1")
    world.run(1)
    world.faults["watch"] = [ConnectionLost("reset"), ApiError(503, "ServiceUnavailable", "later")]
    world.run(700)
    world.put("a", "2")
    world.run(1)
    assert world.verbs().count("list") == 1
    assert [text for text, _ in world.errors] == ["reset", "503 ServiceUnavailable: later"]
    assert 0.8 <= world.errors[0][1] <= 1.6
    assert 1.6 <= world.errors[1][1] <= 3.2
    assert world.told == [(None, "a=1"), ("a=1", "a=2")]


def test_what_happened_while_the_connection_was_lost_is_told_afterwards(world: World) -> None:
    world.faults["watch"] = [ConnectionLost("reset")]
    world.start(namespace="team")
    world.run(0.5)
    assert world.verbs() == ["list", "watch"]
    world.put("a", "1")
    world.run(5)
    assert world.verbs() == ["list", "watch", "watch"]
    assert world.told == [(None, "a=1")]


def test_a_refusal_for_too_many_requests_waits_as_long_as_the_server_asks(world: World) -> None:
    world.faults["list"] = [ApiError(429, "TooManyRequests", "slow down", retry_after_s=7.0)]
    reflector = world.start(namespace="team")
    world.run(6.9)
    assert not reflector.synced.is_set()
    world.run(1)
    assert reflector.synced.is_set()
    assert [at for at, _ in world.calls][:2] == [0.0, 7.0]


def test_a_refused_list_is_tried_again_ever_more_slowly(world: World) -> None:
    world.faults["list"] = [ApiError(403, "Forbidden", "no")] * 8
    reflector = world.start(namespace="team")
    world.run(400)
    assert reflector.synced.is_set()
    waits = [wait_s for _, wait_s in world.errors]
    assert len(waits) == 8
    assert all(
        base <= wait <= 2 * base for base, wait in zip([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30], waits, strict=True)
    )


def test_an_expired_version_means_a_new_list_and_only_the_differences_are_told(world: World) -> None:
    world.put("same", "1")
    world.put("changed", "1")
    world.put("gone", "1")
    world.faults["watch"] = [ApiError(410, "Expired", "too old resource version")]
    reflector = world.start(namespace="team")
    world.run(0.5)
    world.put("changed", "2")
    world.delete("gone")
    world.put("new", "1")
    world.told.clear()
    world.run(5)
    assert world.verbs() == ["list", "watch", "list", "watch"]
    assert sorted(world.told, key=str) == sorted(
        [("gone=1", None), ("changed=1", "changed=2"), (None, "new=1")], key=str
    )
    assert sorted(reflector.cache) == [("team", "changed"), ("team", "new"), ("team", "same")]


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


def test_an_expiry_inside_a_watch_means_a_new_list(world: World) -> None:
    expired = Script([("ERROR", ApiError(410, "Expired", "too old resource version: 1 (5)").status())])
    scripted(world, expired)
    world.start(namespace="team")
    world.run(10)
    assert world.verbs() == ["list", "watch", "list", "watch"]
    assert world.errors[0][0] == "410 Expired: too old resource version: 1 (5)"
    assert expired.closed


def test_another_error_inside_a_watch_resumes_from_the_last_version_a_bookmark_included(world: World) -> None:
    bookmark = ("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": "4711"}})
    scripted(world, Script([bookmark], [("ERROR", ApiError(500, "InternalError", "boom").status())]))
    versions: list[str] = []
    watch = world.client.watch

    async def spy(*args: Any, **options: Any) -> Any:
        versions.append(options["resource_version"])
        return await watch(*args, **options)

    world.client.watch = spy  # type: ignore[method-assign]
    world.start(namespace="team")
    world.run(4.5)
    assert world.verbs().count("list") == 1
    assert versions[1:] == ["4711"]


def test_a_watch_is_resumed_from_the_version_of_the_last_event_whatever_it_was(world: World) -> None:
    def event(type_: str, version: int) -> tuple[str, Document]:
        metadata = {"name": "a", "namespace": "team", "resourceVersion": str(version)}
        return type_, {"metadata": metadata, "data": {"v": str(version)}}

    reset = ConnectionLost("reset")
    scripted(
        world,
        Script([event("ADDED", 9_001)], reset),
        Script([event("MODIFIED", 9_002)], reset),
        Script([event("DELETED", 9_003)], reset),
    )
    versions: list[str] = []
    watch = world.client.watch

    async def spy(*args: Any, **options: Any) -> Any:
        versions.append(options["resource_version"])
        return await watch(*args, **options)

    world.client.watch = spy  # type: ignore[method-assign]
    world.start(namespace="team")
    world.run(7.9)
    assert versions[1:4] == ["9001", "9002", "9003"]
    assert world.told == [(None, "a=9001"), ("a=9001", "a=9002"), ("a=9003", None)]
    waits = [wait_s for text, wait_s in world.errors if text == "reset"]
    assert len(waits) == 3
    assert all(0.8 <= wait_s <= 1.6 for wait_s in waits), "a watch that said something starts the back-off over"


def test_watches_that_end_at_once_and_say_nothing_are_not_resumed_in_a_busy_loop(world: World) -> None:
    scripted(world, *[Script() for _ in range(100)])
    world.start(namespace="team")
    world.run(30)
    assert 4 <= world.verbs().count("watch") <= 8


class HalfOpen(Script):
    """A connection whose other end is gone without a word."""

    async def __anext__(self) -> Any:
        await asyncio.Event().wait()


def test_a_watch_that_outlives_its_timeout_in_silence_is_replaced(world: World) -> None:
    silent = HalfOpen()
    scripted(world, silent)
    world.start(namespace="team")
    world.run(1)
    world.put("a", "1")
    world.run(300)
    assert world.told == []
    world.run(335)
    assert silent.closed
    assert world.told == [(None, "a=1")]
    assert "outlived its timeout" in world.errors[0][0]


def test_a_cancelled_reflector_closes_its_watch(world: World) -> None:
    stream = Script(*[[("BOOKMARK", {"metadata": {"resourceVersion": "9"}})]] * 9)
    scripted(world, stream)
    world.start(namespace="team")
    world.run(2.5)
    world.task.cancel()
    world.run(1)
    assert world.task.cancelled()
    assert stream.closed


def test_several_controllers_share_one_reflector_and_a_late_one_is_told_what_is_there(world: World) -> None:
    reflector = world.start(namespace="team")
    world.put("a", "1")
    world.run(1)
    late: list[Change] = []
    reflector.add_handler(lambda old, new: late.append((data(old), data(new))))
    assert late == [(None, "a=1")]
    world.put("a", "2")
    world.run(1)
    assert late == world.told == [(None, "a=1"), ("a=1", "a=2")]
    assert world.verbs() == ["list", "watch"]


def test_a_restarted_reflector_begins_with_the_whole_list(world: World) -> None:
    process = world.loop.process("controller")
    process.start(world.reflect(namespace="team").run())
    world.put("a", "1")
    world.run(1)
    process.kill()
    world.put("b", "1")
    world.run(1)
    assert world.told == [(None, "a=1")]
    world.told.clear()
    world.loop.process("controller").start(world.reflect(namespace="team").run())
    world.run(1)
    assert world.told == [(None, "a=1"), (None, "b=1")]
    assert world.verbs() == ["list", "watch", "list", "watch"]


def test_selectors_and_namespaces_narrow_what_is_seen(world: World) -> None:
    world.put("a", "1", "default")
    world.put("a", "2", "team")
    reflector = world.start(namespace="default", field_selector="metadata.name=a")
    world.run(1)
    world.put("b", "1", "default")
    world.put("a", "3", "team")
    world.run(1)
    assert world.told == [(None, "a=1")]
    assert list(reflector.cache) == [("default", "a")]


def test_an_error_of_a_handler_ends_the_reflector(world: World) -> None:
    reflector = world.start(namespace="team")

    def broken(old: Document | None, new: Document | None) -> None:
        raise KeyError("a defect of the handler")

    reflector.add_handler(broken)
    world.put("a", "1")
    world.run(1)
    with pytest.raises(KeyError, match="a defect of the handler"):
        world.task.result()


def test_events_that_travel_slowly_arrive_late_but_in_order(loop: Loop, server: ApiServer) -> None:
    server.watch_lag = Constant(2 * SECOND)
    world = World(loop, server)
    world.start(namespace="team")
    world.run(1)
    for value in "123":
        world.put("a", value)
    world.run(1.9)
    assert world.told == []
    world.run(0.2)
    assert world.told == [(None, "a=1"), ("a=1", "a=2"), ("a=2", "a=3")]
