"""Many objects: indexes and packing make them cheap and change no answer."""

import random

import pytest
from core_world import World

from controller.ports import Document
from sim.apiserver.identity import ADMIN


@pytest.fixture
def world() -> World:
    return World(history_cap=1_000)


def _plainly(world: World, namespace: str, label: str, value: str) -> list[str]:
    found = world.server.items(world.widgets, namespace)
    return [one["metadata"]["name"] for one in found if one["metadata"].get("labels", {}).get(label) == value]


@pytest.mark.parametrize("seed", range(3))
def test_an_indexed_selector_finds_what_looking_at_all_finds(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.create(world.namespaces, "other", namespace="")
    for number in range(900):
        namespace = chance.choice(("default", "other"))
        name = f"w{chance.randrange(500)}"
        labels = {"app": str(chance.randrange(5)), "tier": str(chance.randrange(2))}
        found = world.server.find(world.widgets, namespace, name)
        if found is None:
            world.create(world.widgets, name, namespace=namespace, metadata={"labels": labels})
        elif chance.random() < 0.3:
            world.server.delete(ADMIN, world.widgets, namespace, name)
        else:
            world.server.patch(ADMIN, world.widgets, namespace, name, {"metadata": {"labels": labels}})
        if number % 100 == 99:
            for space in ("default", "other", ""):
                assert world.names(world.widgets, space, label_selector="app=3") == _plainly(world, space, "app", "3")
    assert "label app" in world.server.registry.find(world.widgets).table.indexes
    both = world.names(world.widgets, "", label_selector="tier=1,app in (1,2),app!=2")
    assert both == world.names(world.widgets, "", label_selector="app=1,tier==1") != []


def _event(world: World, number: int) -> Document:
    regarding = {"kind": "Widget", "name": f"w{number % 100}", "namespace": "default"}
    return world.create(world.events, f"e{number:04}", involvedObject=regarding, message=f"m{number}", count=1)


def test_old_events_are_packed_and_answer_as_before(world: World) -> None:
    made = [_event(world, number) for number in range(1_000)]
    table = world.server.registry.find(world.events).table
    assert len(table.rows["default"]) < 300
    assert table.count("default") == table.count() == 1_000
    assert list(world.server.items(world.events, "default")) == made
    assert world.get(world.events, "e0001") == made[1]
    assert world.names(world.events, field_selector="involvedObject.name=w7") == [
        f"e{n:04}" for n in range(7, 1000, 100)
    ]


def test_a_packed_event_can_be_written_and_deleted(world: World) -> None:
    for number in range(1_000):
        _event(world, number)
    assert world.patch(world.events, "e0001", {"count": 2})["count"] == 2
    world.delete(world.events, "e0002")
    assert world.get(world.events, "e0001")["count"] == 2
    assert not world.exists(world.events, "e0002")
    assert len(world.names(world.events)) == 999


def test_packed_events_expire_each_at_its_own_time(world: World) -> None:
    for number in range(700):
        _event(world, number)
        world.wait(0.5)
    world.patch(world.events, "e0003", {"count": 2})
    world.wait(3600 - 350 + 5)
    assert world.names(world.events)[:3] == ["e0003", "e0011", "e0012"]
    world.wait(3600)
    assert world.names(world.events) == []


def test_one_namespaces_end_takes_its_packed_events(world: World) -> None:
    world.create(world.namespaces, "other", namespace="")
    for number in range(700):
        regarding = {"kind": "Widget", "name": "w", "namespace": "other"}
        world.create(world.events, f"e{number}", namespace="other", involvedObject=regarding)
    world.server.delete(ADMIN, world.namespaces, "", "other")
    world.wait(20)
    assert world.server.find(world.namespaces, "", "other") is None
    assert world.names(world.events, "") == []


def test_events_expire_in_time_after_a_long_silence(world: World) -> None:
    for number in range(900):
        _event(world, number)
        world.wait(0.25)
    world.wait(3600 - 225 + 100.1)
    assert world.names(world.events) == [f"e{number:04}" for number in range(401, 900)]
    assert world.server.registry.find(world.events).table.count() == 499
