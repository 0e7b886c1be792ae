import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from reflector_world import SECOND, Change, World, data

from controller.ports import ApiError, Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.faults.interception import Intercepted
from sim.loop import Loop
from sim.workload.distributions import Constant


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
