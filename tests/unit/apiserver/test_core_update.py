"""Replacing: versions, generations, what a write may touch, and writes that change nothing."""

import pytest
from core_world import HOLD, World, refusal

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN


@pytest.fixture
def world() -> World:
    return World()


def test_a_stale_version_conflicts_and_changes_nothing(world: World) -> None:
    old = world.create(world.widgets, "a", spec={"size": 1})
    world.patch(world.widgets, "a", {"spec": {"size": 2}})
    with refusal(409, "Conflict") as caught:
        world.update(world.widgets, {**old, "spec": {"size": 3}})
    assert caught.value.message == (
        'Operation cannot be fulfilled on widgets.example.com "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert world.get(world.widgets, "a")["spec"]["size"] == 2


def test_custom_kinds_want_a_version_and_builtin_ones_do_not(world: World) -> None:
    world.create(world.widgets, "a")
    world.create(world.configmaps, "a")
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}
    with refusal(422, "Invalid"):
        world.update(world.widgets, body)
    assert world.update(world.configmaps, {"metadata": {"name": "a"}, "data": {"k": "v"}})["data"] == {"k": "v"}


def test_generation_follows_the_spec_only(world: World) -> None:
    world.create(world.widgets, "a")

    def generation(change: object, subresource: str = "") -> int:
        return world.patch(world.widgets, "a", change, subresource=subresource)["metadata"]["generation"]

    assert generation({"metadata": {"labels": {"x": "y"}}}) == 1
    assert generation({"status": {"phase": "Up"}}, "status") == 1
    assert generation({"spec": {"size": 2}}) == 2
    assert generation({"metadata": {"generation": 77}}) == 2


def test_main_writes_keep_the_status_and_status_writes_keep_the_rest(world: World) -> None:
    made = world.create(world.widgets, "a", spec={"size": 2})
    status = {**made, "spec": {"size": 5}, "status": {"phase": "Up"}}
    status["metadata"] = {**made["metadata"], "labels": {"x": "y"}}
    written = world.update(world.widgets, status, subresource="status")
    assert written["status"] == {"phase": "Up"}
    assert written["spec"] == {"size": 2}
    assert "labels" not in written["metadata"]
    kept = world.update(world.widgets, {**written, "status": {"phase": "Down"}, "spec": {"size": 3}})
    assert (kept["status"], kept["spec"]) == ({"phase": "Up"}, {"size": 3})


def test_a_write_that_changes_nothing_keeps_the_version_and_tells_nobody(world: World) -> None:
    made = world.create(world.widgets, "a", metadata={"labels": {"x": "y"}}, spec={"size": 1})
    stream = world.server.watch(ADMIN, world.widgets, resource_version=made["metadata"]["resourceVersion"])
    assert world.update(world.widgets, made)["metadata"] == made["metadata"]
    same = world.patch(world.widgets, "a", {"metadata": {"labels": {"x": "y"}}, "spec": {"size": 1}})
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert stream.take() == []


def test_identity_cannot_be_changed(world: World) -> None:
    made = world.create(world.widgets, "a")
    for change, code in (({"uid": "u"}, 409), ({"creationTimestamp": "2001-01-01T00:00:00Z"}, 422)):
        body = {**made, "metadata": {**made["metadata"], **change}}
        with pytest.raises(ApiError) as caught:
            world.update(world.widgets, body)
        assert caught.value.code == code


def test_the_name_in_the_body_must_be_the_one_in_the_request(world: World) -> None:
    world.create(world.configmaps, "a")
    with refusal(400, "BadRequest"):
        world.server.update(ADMIN, world.configmaps, "default", "a", {"metadata": {"name": "b"}})


def test_a_version_in_a_merge_patch_is_a_precondition(world: World) -> None:
    made = world.create(world.widgets, "a")
    version = made["metadata"]["resourceVersion"]
    world.patch(world.widgets, "a", {"metadata": {"resourceVersion": version}, "spec": {"size": 2}})
    with refusal(409, "Conflict"):
        world.patch(world.widgets, "a", {"metadata": {"resourceVersion": version}, "spec": {"size": 3}})


def test_a_patch_that_breaks_the_schema_changes_nothing(world: World) -> None:
    world.create(world.widgets, "a", spec={})
    with refusal(422, "Invalid"):
        world.patch(world.widgets, "a", {"spec": {"size": 11}})
    assert world.get(world.widgets, "a")["spec"]["size"] == 1


def test_json_patches_edit_and_refuse(world: World) -> None:
    world.create(world.configmaps, "a", metadata={"finalizers": [HOLD, "example.com/b"], "annotations": {"k/e": "1"}})
    operations = [
        {"op": "test", "path": "/metadata/annotations/k~1e", "value": "1"},
        {"op": "move", "from": "/metadata/annotations/k~1e", "path": "/metadata/annotations/moved"},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/c"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]
    patched = world.patch(world.configmaps, "a", operations, patch_type="json")
    assert patched["metadata"]["annotations"] == {"moved": "1"}
    assert patched["metadata"]["finalizers"] == ["example.com/b", "example.com/c"]
    for wrong in (
        [{"op": "test", "path": "/metadata/annotations/moved", "value": "2"}],
        [{"op": "remove", "path": "/data/nope"}],
    ):
        with refusal(422, "Invalid"):
            world.patch(world.configmaps, "a", wrong, patch_type="json")


def test_patches_share_what_they_do_not_change(world: World) -> None:
    made = world.create(world.widgets, "a", spec={"note": "n"}, metadata={"labels": {"x": "y"}})
    patched = world.patch(world.widgets, "a", {"status": {"phase": "Up"}}, subresource="status")
    assert patched["spec"] is made["spec"]
    assert patched["metadata"]["labels"] is made["metadata"]["labels"]


def test_an_unknown_subresource_is_not_found(world: World) -> None:
    world.create(world.widgets, "a")
    with refusal(404, "NotFound"):
        world.patch(world.widgets, "a", {}, subresource="scale")
