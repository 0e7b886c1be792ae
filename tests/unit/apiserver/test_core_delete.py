"""Deleting: preconditions, finalizers, grace, and what the garbage collector does later."""

import pytest
from core_world import HOLD, World, owned_by, refusal

from controller.ports import Document
from sim.apiserver.identity import ADMIN

POD = {"containers": [{"name": "c", "image": "busybox"}]}


@pytest.fixture
def world() -> World:
    return World()


def test_an_object_without_finalizers_goes_at_once(world: World) -> None:
    made = world.create(world.widgets, "a")
    answer = world.delete(world.widgets, "a")
    assert answer["status"] == "Success"
    assert answer["details"]["uid"] == made["metadata"]["uid"]
    with refusal(404, "NotFound"):
        world.delete(world.widgets, "a")


@pytest.mark.parametrize("wrong", [{"uid": "other"}, {"resource_version": "1"}])
def test_preconditions_guard(world: World, wrong: dict[str, str]) -> None:
    made = world.create(world.widgets, "a")
    with refusal(409, "Conflict"):
        world.delete(world.widgets, "a", **wrong)
    metadata = made["metadata"]
    world.delete(world.widgets, "a", uid=metadata["uid"], resource_version=metadata["resourceVersion"])
    assert not world.exists(world.widgets, "a")


def test_finalizers_hold_and_the_last_one_lets_go(world: World) -> None:
    world.create(world.widgets, "a", metadata={"finalizers": [HOLD, "example.com/b"]})
    marked = world.delete(world.widgets, "a")
    assert marked["metadata"]["deletionTimestamp"] == "2026-01-05T08:00:00Z"
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    assert marked["metadata"]["generation"] == 2
    assert world.delete(world.widgets, "a") is marked
    world.patch(world.widgets, "a", {"metadata": {"finalizers": [HOLD]}})
    assert world.exists(world.widgets, "a")
    last = world.patch(world.widgets, "a", {"metadata": {"finalizers": None}})
    assert "finalizers" not in last["metadata"]
    assert not world.exists(world.widgets, "a")


def test_a_dying_object_takes_no_new_finalizer_and_stays_writable(world: World) -> None:
    world.create(world.widgets, "a", metadata={"finalizers": [HOLD]})
    world.delete(world.widgets, "a")
    with refusal(422, "Invalid"):
        world.patch(world.widgets, "a", {"metadata": {"finalizers": [HOLD, "example.com/b"]}})
    assert world.patch(world.widgets, "a", {"spec": {"size": 4}})["spec"]["size"] == 4
    with refusal(422, "Invalid"):
        world.patch(world.widgets, "a", {"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}})


def test_a_pod_on_a_node_waits_for_its_kubelet(world: World) -> None:
    world.create(world.pods, "p", spec={**POD, "nodeName": "n1", "terminationGracePeriodSeconds": 20})
    marked = world.delete(world.pods, "p")
    assert marked["metadata"]["deletionTimestamp"] == "2026-01-05T08:00:20Z"
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 20
    world.patch(world.pods, "p", {"status": {"phase": "Running"}}, subresource="status")
    assert world.exists(world.pods, "p")
    assert world.delete(world.pods, "p", grace_period_s=5)["metadata"]["deletionGracePeriodSeconds"] == 5
    world.delete(world.pods, "p", grace_period_s=0)
    assert not world.exists(world.pods, "p")


def test_a_pod_without_node_or_finished_goes_at_once(world: World) -> None:
    world.create(world.pods, "free", spec=POD)
    world.create(world.pods, "done", spec={**POD, "nodeName": "n1"})
    world.patch(world.pods, "done", {"status": {"phase": "Failed"}}, subresource="status")
    for name in ("free", "done"):
        assert world.delete(world.pods, name)["kind"] == "Pod"
        assert not world.exists(world.pods, name)


@pytest.mark.parametrize("node", [{}, {"nodeName": "n1"}], ids=["unscheduled", "bound"])
def test_the_end_of_a_pods_grace_is_seen_before_it_goes(world: World, node: dict[str, str]) -> None:
    world.create(world.pods, "p", spec={**POD, **node})
    if node:
        world.delete(world.pods, "p")
    seen: list[tuple[str, int]] = []
    world.server.observe(
        lambda type_, _resource, _old, new: seen.append((type_, new["metadata"]["deletionGracePeriodSeconds"])),
        world.pods,
    )

    world.delete(world.pods, "p", grace_period_s=0)

    assert seen == [("MODIFIED", 0), ("DELETED", 0)]


def test_deleting_a_collection_honours_selectors(world: World) -> None:
    for name, label in (("a", "1"), ("b", "2"), ("c", "1")):
        world.create(world.widgets, name, metadata={"labels": {"x": label}})
    world.server.delete_collection(ADMIN, world.widgets, "default", label_selector="x=1")
    assert world.names(world.widgets) == ["b"]


def _family(world: World, **flags: bool) -> Document:
    owner = world.create(world.widgets, "owner")
    world.create(world.configmaps, "child", metadata=owned_by(owner, **flags))
    return owner


def test_background_takes_dependents_later_and_not_at_once(world: World) -> None:
    _family(world)
    world.delete(world.widgets, "owner")
    assert not world.exists(world.widgets, "owner")
    assert world.exists(world.configmaps, "child")
    world.wait(1)
    assert not world.exists(world.configmaps, "child")


def test_a_chain_goes_link_by_link(world: World) -> None:
    _family(world)
    child = world.get(world.configmaps, "child")
    world.create(world.widgets, "grandchild", metadata=owned_by({"apiVersion": "v1", "kind": "ConfigMap", **child}))
    world.delete(world.widgets, "owner")
    world.wait(1)
    assert not world.exists(world.widgets, "grandchild")


def test_foreground_keeps_the_owner_until_blocking_dependents_are_gone(world: World) -> None:
    _family(world, blockOwnerDeletion=True)
    world.patch(world.configmaps, "child", {"metadata": {"finalizers": [HOLD]}})
    marked = world.delete(world.widgets, "owner", propagation="Foreground")
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    world.wait(5)
    assert world.exists(world.widgets, "owner")
    assert "deletionTimestamp" in world.get(world.configmaps, "child")["metadata"]
    world.patch(world.configmaps, "child", {"metadata": {"finalizers": None}})
    world.wait(1)
    assert not world.exists(world.widgets, "owner")


def test_foreground_does_not_wait_for_dependents_that_do_not_block(world: World) -> None:
    _family(world)
    world.patch(world.configmaps, "child", {"metadata": {"finalizers": [HOLD]}})
    world.delete(world.widgets, "owner", propagation="Foreground")
    world.wait(1)
    assert not world.exists(world.widgets, "owner")


def test_orphaned_dependents_stay_and_lose_the_reference(world: World) -> None:
    _family(world)
    world.delete(world.widgets, "owner", propagation="Orphan")
    world.wait(1)
    assert not world.exists(world.widgets, "owner")
    assert "ownerReferences" not in world.get(world.configmaps, "child")["metadata"]


def test_ownership_is_by_uid_not_by_name(world: World) -> None:
    _family(world)
    world.server.collector.pause()
    world.delete(world.widgets, "owner")
    world.create(world.widgets, "owner")
    world.wait(60)
    assert world.exists(world.configmaps, "child")
    world.server.collector.resume()
    world.wait(1)
    assert not world.exists(world.configmaps, "child")


def test_an_owner_that_never_was_collects_its_dependents(world: World) -> None:
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": "u"}}
    world.create(world.widgets, "a", metadata=owned_by(ghost))
    world.wait(1)
    assert not world.exists(world.widgets, "a")


def test_with_two_owners_a_dependent_outlives_the_first(world: World) -> None:
    owners = [world.create(world.widgets, name) for name in ("one", "two")]
    references = [owned_by(owner)["ownerReferences"][0] for owner in owners]
    world.create(world.configmaps, "child", metadata={"ownerReferences": references})
    world.delete(world.widgets, "one")
    world.wait(1)
    assert world.get(world.configmaps, "child")["metadata"]["ownerReferences"] == [references[1]]
    world.delete(world.widgets, "two")
    world.wait(1)
    assert not world.exists(world.configmaps, "child")


def test_an_owner_in_another_namespace_does_not_count_and_is_reported(world: World) -> None:
    world.create(world.namespaces, "elsewhere", namespace="")
    owner = world.create(world.widgets, "owner", namespace="elsewhere")
    world.create(world.configmaps, "child", metadata=owned_by(owner))
    world.wait(1)
    assert not world.exists(world.configmaps, "child")
    reasons = [one["reason"] for one in world.server.items(world.events, "default")]
    assert reasons == ["OwnerRefInvalidNamespace"]


def test_a_terminating_namespace_takes_nothing_new_and_empties(world: World) -> None:
    world.create(world.namespaces, "short", namespace="")
    world.create(world.widgets, "a", namespace="short", metadata={"finalizers": [HOLD]})
    marked = world.server.delete(ADMIN, world.namespaces, "", "short")
    assert marked["status"]["phase"] == "Terminating"
    with refusal(403, "Forbidden") as caught:
        world.create(world.widgets, "b", namespace="short")
    assert caught.value.message == (
        'widgets.example.com "b" is forbidden: unable to create new content in namespace short '
        "because it is being terminated"
    )
    assert caught.value.details["causes"][0]["reason"] == "NamespaceTerminating"
    world.wait(20)
    assert world.server.find(world.namespaces, "", "short") is not None
    world.server.patch(ADMIN, world.widgets, "short", "a", {"metadata": {"finalizers": None}})
    world.wait(20)
    assert world.server.find(world.namespaces, "", "short") is None


def test_system_namespaces_cannot_be_deleted(world: World) -> None:
    with refusal(403, "Forbidden"):
        world.server.delete(ADMIN, world.namespaces, "", "kube-system")


def test_deleting_a_definition_takes_its_objects_along(world: World) -> None:
    definitions = world.server.resource("apiextensions.k8s.io", "customresourcedefinitions")
    world.create(world.widgets, "a")
    world.server.delete(ADMIN, definitions, "", "widgets.example.com")
    world.wait(1)
    with refusal(404, "NotFound"):
        world.names(world.widgets)
    assert world.server.find(definitions, "", "widgets.example.com") is None
