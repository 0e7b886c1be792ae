"""Creating: what the server makes, and what it refuses."""

import re

import pytest
from core_world import World, refusal

from sim.apiserver.identity import ADMIN


@pytest.fixture
def world() -> World:
    return World()


def test_a_new_object_carries_what_the_server_makes(world: World) -> None:
    made = world.create(world.widgets, "a", spec={"note": "x"})
    metadata = made["metadata"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", metadata["uid"])
    assert metadata["creationTimestamp"] == "2026-01-05T08:00:00Z"
    assert metadata["generation"] == 1
    assert metadata["namespace"] == "default"
    assert made["spec"] == {"size": 1, "note": "x"}


def test_creation_time_is_cut_to_the_second(world: World) -> None:
    world.wait(1.9)
    assert world.create(world.widgets, "a")["metadata"]["creationTimestamp"] == "2026-01-05T08:00:01Z"


def test_versions_are_one_sequence_over_all_kinds(world: World) -> None:
    made = [world.create(kind, "a") for kind in (world.widgets, world.configmaps)]
    made.append(world.create(world.namespaces, "b", namespace=""))
    versions = [int(one["metadata"]["resourceVersion"]) for one in made]
    assert versions == list(range(versions[0], versions[0] + 3))


def test_what_a_client_may_not_set_is_replaced(world: World) -> None:
    forged = {"uid": "u", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 9, "deletionTimestamp": "x"}
    metadata = world.create(world.widgets, "a", metadata=forged, status={"phase": "Done"})["metadata"]
    assert metadata["uid"] != "u"
    assert metadata["creationTimestamp"] == "2026-01-05T08:00:00Z"
    assert metadata["generation"] == 1
    assert "deletionTimestamp" not in metadata
    assert "status" not in world.get(world.widgets, "a")


def test_a_body_with_a_version_is_refused_as_the_real_server_does(world: World) -> None:
    with refusal(500, "") as caught:
        world.create(world.configmaps, "a", metadata={"resourceVersion": "7"})
    assert caught.value.message == "resourceVersion should not be set on objects to be created"


def test_a_second_object_of_the_name_is_refused(world: World) -> None:
    world.create(world.widgets, "a")
    with refusal(409, "AlreadyExists") as caught:
        world.create(world.widgets, "a")
    assert caught.value.message == 'widgets.example.com "a" already exists'
    assert caught.value.details == {"name": "a", "group": "example.com", "kind": "widgets"}


def test_a_name_whose_object_is_dying_says_so(world: World) -> None:
    world.create(world.widgets, "a", metadata={"finalizers": ["example.com/hold"]})
    world.delete(world.widgets, "a")
    with refusal(409, "AlreadyExists") as caught:
        world.create(world.widgets, "a")
    assert caught.value.message.startswith("object is being deleted: ")


def test_generated_names_use_the_real_alphabet_and_limit(world: World) -> None:
    body = {"metadata": {"generateName": "x" * 70}}
    name = world.server.create(ADMIN, world.configmaps, "default", body)["metadata"]["name"]
    assert re.fullmatch("x{58}[bcdfghjklmnpqrstvwxz2456789]{5}", name)


def test_the_same_seed_makes_the_same_names_and_uids() -> None:
    def made(seed: int) -> tuple[str, str]:
        world = World(seed)
        body = {"metadata": {"generateName": "x-"}}
        metadata = world.server.create(ADMIN, world.configmaps, "default", body)["metadata"]
        return metadata["name"], metadata["uid"]

    assert made(5) == made(5)
    assert made(5) != made(6)


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "Bad_NAME"}, "metadata.name"),
        ({"name": ""}, "metadata.name"),
        ({"name": "a", "labels": {"x": "not ok!"}}, "metadata.labels"),
        ({"name": "a", "labels": {"a/b/c": "x"}}, "metadata.labels"),
        ({"name": "a", "annotations": {"bad key": "x"}}, "metadata.annotations"),
        ({"name": "a", "annotations": {"x": "y" * 262_145}}, "metadata.annotations"),
        ({"name": "a", "finalizers": ["unqualified"]}, "metadata.finalizers"),
        ({"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]},
         "metadata.ownerReferences.uid"),
    ],
)  # fmt: skip
def test_bad_metadata_is_refused_with_its_field(world: World, metadata: dict[str, object], field: str) -> None:
    with refusal(422, "Invalid") as caught:
        world.server.create(ADMIN, world.configmaps, "default", {"metadata": metadata})
    assert [cause["field"] for cause in caught.value.details["causes"]] == [field]


def test_namespaces_must_exist_and_agree(world: World) -> None:
    with refusal(404, "NotFound"):
        world.create(world.configmaps, "a", namespace="nope")
    with refusal(400, "BadRequest"):
        world.create(world.configmaps, "a", metadata={"namespace": "other"})


def test_another_kind_or_version_is_refused(world: World) -> None:
    for body in ({"apiVersion": "example.com/v9", "kind": "Widget"}, {"kind": "Widget"}):
        with refusal(400, "BadRequest"):
            world.server.create(ADMIN, world.widgets, "default", {**body, "metadata": {"name": "a"}})


def test_unknown_fields_are_pruned_warned_about_or_refused(world: World) -> None:
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"odd": 1}}
    warnings: list[str] = []
    world.server.warn = warnings.append
    with refusal(400, "BadRequest"):
        world.server.create(ADMIN, world.widgets, "default", body, field_validation="Strict")
    assert "odd" not in world.server.create(ADMIN, world.widgets, "default", body)["spec"]
    assert warnings == ['unknown field "spec.odd"']


def test_a_dry_run_answers_and_leaves_nothing(world: World) -> None:
    stream = world.server.watch(ADMIN, world.configmaps, "default")
    stream.take()
    body = {"metadata": {"name": "a"}}
    assert world.server.create(ADMIN, world.configmaps, "default", body, dry_run=True)["metadata"]["uid"]
    assert not world.exists(world.configmaps, "a")
    assert stream.take() == []
