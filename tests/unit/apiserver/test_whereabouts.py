"""Packed objects are found again, and only while they count."""

import random

from core_world import World

from sim.apiserver.identity import ADMIN
from sim.apiserver.whereabouts import Whereabouts, fingerprint


def test_every_name_is_found_in_its_block_however_many_there_are() -> None:
    places = Whereabouts()
    living = range(1, 200)
    for number in range(10_000):
        places.put(fingerprint("default", f"e{number}"), 1 + number // 64, living)
    assert all(1 + n // 64 in places.candidates(fingerprint("default", f"e{n}")) for n in range(10_000))
    assert not any(places.candidates(fingerprint("other", f"e{n}")) for n in range(100))


def test_blocks_that_no_longer_count_are_forgotten_when_the_table_grows() -> None:
    places = Whereabouts()
    for number in range(100_000):
        places.put(fingerprint("", str(number)), number, range(number - 100, number + 1))
    assert places.candidates(fingerprint("", "7")) == []
    assert places.candidates(fingerprint("", "99999")) == [99_999]


def test_one_fingerprint_may_mean_several_blocks() -> None:
    places = Whereabouts()
    places.put(5, 1, (1, 2))
    places.put(5, 2, (1, 2))
    assert places.candidates(5) == [1, 2]


def test_events_answer_alike_whether_they_are_packed_or_not() -> None:
    world, chance = World(), random.Random(4)
    world.create(world.namespaces, "other", namespace="")
    kept: dict[tuple[str, str], int] = {}
    for number in range(2_500):
        space = chance.choice(("default", "other"))
        key = (space, f"e{chance.randrange(1_200)}")
        known = key in kept
        assert (world.server.find(world.events, *key) is not None) is known
        if not known:
            regarding = {"kind": "Widget", "name": "w", "namespace": space}
            world.create(world.events, key[1], namespace=space, involvedObject=regarding, count=number)
            kept[key] = number
        elif chance.random() < 0.5:
            world.server.patch(ADMIN, world.events, *key, {"count": number})
            kept[key] = number
        else:
            world.server.delete(ADMIN, world.events, *key)
            del kept[key]
    found = world.server.items(world.events)
    assert {(e["metadata"]["namespace"], e["metadata"]["name"]): e["count"] for e in found} == kept
    table = world.server.registry.find(world.events).table
    assert table.count() == len(kept)
    assert table.count("other") == sum(1 for space, _ in kept if space == "other")
    world.wait(3601)
    assert world.names(world.events, "") == []
    assert table.count() == 0
