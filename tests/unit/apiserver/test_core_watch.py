"""Watching: every change once and in order, whatever the selector, the lag and the age of the version."""

import random

import pytest
from core_world import HOLD, World, refusal

from controller.ports import WatchEvent
from sim.apiserver.identity import ADMIN
from sim.apiserver.watch import Stream
from sim.workload.distributions import Constant, Uniform


@pytest.fixture
def world() -> World:
    return World()


def _seen(events: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"].get("name", "")) for event in events]


def _open(world: World, **options: object) -> Stream:
    version = str(world.server.store.version)
    return world.server.watch(ADMIN, world.widgets, **{"resource_version": version, **options})  # type: ignore[arg-type]


def test_changes_arrive_in_order_with_their_versions(world: World) -> None:
    stream = _open(world)
    world.create(world.widgets, "a")
    world.patch(world.widgets, "a", {"spec": {"size": 2}})
    world.delete(world.widgets, "a")
    events = stream.take()
    assert _seen(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(event.object["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(set(versions))


def test_without_a_version_what_exists_comes_first_and_its_end_is_marked(world: World) -> None:
    world.create(world.widgets, "a")
    events = world.server.watch(ADMIN, world.widgets, "default").take()
    assert _seen(events) == [("ADDED", "a"), ("BOOKMARK", "")]
    assert events[1].object["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_resumed_watch_loses_and_repeats_nothing(world: World) -> None:
    stream = _open(world)
    world.create(world.widgets, "a")
    version = stream.take()[-1].object["metadata"]["resourceVersion"]
    stream.close()
    world.create(world.widgets, "b")
    world.patch(world.widgets, "a", {"spec": {"size": 2}})
    assert _seen(_open(world, resource_version=version).take()) == [("ADDED", "b"), ("MODIFIED", "a")]


def test_a_selector_makes_entering_an_add_and_leaving_a_delete(world: World) -> None:
    stream = _open(world, label_selector="app=x")
    world.create(world.widgets, "a")
    for value in ("x", "y"):
        left = world.patch(world.widgets, "a", {"metadata": {"labels": {"app": value}}})
    world.delete(world.widgets, "a")
    events = stream.take()
    assert _seen(events) == [("ADDED", "a"), ("DELETED", "a")]
    last = events[-1].object["metadata"]
    assert last["labels"] == {"app": "x"}
    assert last["resourceVersion"] == left["metadata"]["resourceVersion"]


def test_a_resumed_selector_watch_translates_the_past_alike(world: World) -> None:
    version = str(world.server.store.version)
    live = _open(world, label_selector="app=x", field_selector="metadata.name=a")
    for name in ("a", "b"):
        world.create(world.widgets, name, metadata={"labels": {"app": "x"}})
        world.patch(world.widgets, name, {"metadata": {"labels": None}})
    resumed = _open(world, resource_version=version, label_selector="app=x", field_selector="metadata.name=a")
    assert resumed.take() == live.take() != []


def test_namespaces_are_watched_apart(world: World) -> None:
    world.create(world.namespaces, "other", namespace="")
    here, everywhere = _open(world, namespace="default"), _open(world)
    world.create(world.widgets, "a", namespace="other")
    world.create(world.widgets, "b")
    assert _seen(here.take()) == [("ADDED", "b")]
    assert _seen(everywhere.take()) == [("ADDED", "a"), ("ADDED", "b")]


def test_the_delete_event_shows_the_last_stored_state(world: World) -> None:
    world.create(world.widgets, "a", metadata={"finalizers": [HOLD]})
    stream = _open(world)
    world.delete(world.widgets, "a")
    world.patch(world.widgets, "a", {"metadata": {"finalizers": None}})
    events = stream.take()
    assert [event.type for event in events] == ["MODIFIED", "DELETED"]
    assert events[1].object["metadata"]["finalizers"] == [HOLD]


def test_versions_older_than_history_are_expired(world: World) -> None:
    with refusal(410, "Expired"):
        _open(world, resource_version="1")
    version = str(world.server.store.version)
    world.create(world.widgets, "a")
    world.wait(299)
    assert _seen(_open(world, resource_version=version).take()) == [("ADDED", "a")]
    world.wait(2)
    with refusal(410, "Expired") as caught:
        _open(world, resource_version=version)
    assert caught.value.message.startswith(f"too old resource version: {version} (")


def test_history_is_bounded_by_count_too() -> None:
    world = World(history_cap=100)
    version = str(world.server.store.version)
    for number in range(1200):
        world.create(world.widgets, f"w{number}")
    with refusal(410, "Expired"):
        _open(world, resource_version=version)


def test_open_watches_can_be_expired(world: World) -> None:
    stream = _open(world)
    world.create(world.widgets, "a")
    world.server.expire_watches()
    events = stream.take()
    assert [event.type for event in events] == ["ADDED", "ERROR"]
    assert events[1].object["code"] == 410
    assert stream.ended
    with refusal(410, "Expired"):
        _open(world, resource_version=events[0].object["metadata"]["resourceVersion"][:-1] + "0")


def test_a_stream_ends_cleanly_after_its_timeout(world: World) -> None:
    stream = _open(world, timeout_s=90)

    async def read() -> list[str]:
        return [event.type async for batch in stream for event in batch]

    assert world.run(read()) == ["BOOKMARK"]
    assert world.loop.now_us == 90_000_000


def test_a_stream_without_a_timeout_ends_within_an_hour(world: World) -> None:
    stream = _open(world)
    world.wait(1799)
    assert not stream.ended
    world.wait(1801)
    assert stream.ended


def test_lag_delays_events_and_keeps_their_order() -> None:
    world = World(watch_lag=Uniform(0, 50_000))
    stream = _open(world, bookmarks=False)
    arrivals: list[int] = []
    names: list[str] = []

    async def read() -> None:
        async for batch in stream:
            arrivals.append(world.loop.now_us)
            names.extend(event.object["metadata"]["name"] for event in batch)

    world.loop.create_task(read())
    for number in range(200):
        world.create(world.widgets, f"w{number:03}")
        world.wait(0.001)
    world.wait(1)
    assert names == sorted(names)
    assert len(names) == 200
    assert arrivals[0] > 0
    assert len(arrivals) < 200


def test_events_that_travel_arrive_before_a_stream_ends() -> None:
    world = World(watch_lag=Constant(2_000_000))
    stream = _open(world, timeout_s=1, bookmarks=False)
    world.create(world.widgets, "a")

    async def read() -> list[str]:
        return [event.type async for batch in stream for event in batch]

    assert world.run(read()) == ["ADDED"]


def test_a_closed_stream_stops_its_reader_and_costs_nothing_more(world: World) -> None:
    stream = _open(world)

    async def read() -> int:
        return len([batch async for batch in stream])

    reader = world.loop.create_task(read())
    world.wait(0.001)
    stream.close()
    assert world.run(reader) == 0
    world.create(world.widgets, "a")
    assert stream.take() == []


def test_a_reader_far_behind_is_cut_off(world: World) -> None:
    stream = _open(world)
    for number in range(20_001):
        stream.push(WatchEvent("ADDED", {"n": number}))
    assert stream.ended


@pytest.mark.parametrize("seed", range(5))
def test_any_interleaving_replays_to_the_stored_state(seed: int) -> None:
    world = World(seed, watch_lag=Uniform(0, 20_000))
    chance = random.Random(seed)
    stream = _open(world, bookmarks=False)
    for _ in range(300):
        name = f"w{chance.randrange(8)}"
        if not world.exists(world.widgets, name):
            world.create(world.widgets, name)
        elif chance.random() < 0.3:
            world.delete(world.widgets, name)
        else:
            world.patch(world.widgets, name, {"spec": {"size": chance.randrange(5)}})
        world.wait(chance.random() / 100)
    world.wait(1)
    replayed: dict[str, object] = {}
    for event in stream.take():
        name = event.object["metadata"]["name"]
        if event.type == "DELETED":
            del replayed[name]
        else:
            assert (name in replayed) is (event.type == "MODIFIED")
            replayed[name] = event.object
    assert replayed == {one["metadata"]["name"]: one for one in world.server.items(world.widgets)}
