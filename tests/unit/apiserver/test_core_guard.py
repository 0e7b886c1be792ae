"""Debug mode: whoever changes a shared document is found out."""

import pytest
from core_world import World

from sim.apiserver.guard import Mutated


def test_a_changed_document_is_found_when_it_is_replaced() -> None:
    world = World()
    made = world.create(world.widgets, "a", spec={"size": 1})
    made["spec"]["size"] = 2  # type: ignore[index]
    with pytest.raises(Mutated, match="Widget default/a"):
        world.patch(world.widgets, "a", {"spec": {"note": "x"}})


def test_a_changed_document_is_found_at_the_end() -> None:
    world = World()
    made = world.create(world.widgets, "a", metadata={"labels": {"x": "y"}})
    world.server.verify()
    made["metadata"]["labels"]["x"] = "z"  # type: ignore[index]
    with pytest.raises(Mutated):
        world.server.verify()


def test_the_servers_own_work_changes_no_shared_document() -> None:
    world = World()
    owner = world.create(world.widgets, "a", metadata={"finalizers": ["example.com/hold"]})
    stored = {**owner, "metadata": dict(owner["metadata"])}
    world.patch(world.widgets, "a", {"status": {"phase": "Up"}}, subresource="status")
    world.delete(world.widgets, "a", propagation="Foreground")
    world.wait(5)
    world.server.verify()
    assert owner == stored
