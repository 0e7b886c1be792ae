"""Reading: order, selectors, pages, and lists of the past."""

import pytest
from core_world import World, refusal

from sim.apiserver.identity import ADMIN


@pytest.fixture
def world() -> World:
    world = World()
    for name, labels in (("c", {"app": "x", "tier": "1"}), ("a", {"app": "y"}), ("b", {}), ("d", {"app": "x"})):
        world.create(world.widgets, name, metadata={"labels": labels}, spec={})
    return world


def test_lists_are_sorted_by_namespace_and_name(world: World) -> None:
    world.create(world.namespaces, "another", namespace="")
    world.create(world.widgets, "z", namespace="another")
    assert world.names(world.widgets) == ["a", "b", "c", "d"]
    assert world.names(world.widgets, namespace="") == ["z", "a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=x", "cd"),
        ("app==x", "cd"),
        ("app!=x", "ab"),
        ("app in (x, y)", "acd"),
        ("app notin (x)", "ab"),
        ("app", "acd"),
        ("!app", "b"),
        ("app=x,!tier", "d"),
        ("tier>0", "c"),
        ("", "abcd"),
    ],
)
def test_label_selectors_find(world: World, selector: str, names: str) -> None:
    assert world.names(world.widgets, label_selector=selector) == list(names)


@pytest.mark.parametrize("selector", ["app in x", "=x", "app=x=y", "app in (", "app=x,", "a b", "app=-bad-", "tier>x"])
def test_a_malformed_label_selector_is_refused(world: World, selector: str) -> None:
    with refusal(400, "BadRequest"):
        world.names(world.widgets, label_selector=selector)


def test_field_selectors_are_those_of_the_kind(world: World) -> None:
    assert world.names(world.widgets, field_selector="metadata.name=b") == ["b"]
    assert world.names(world.widgets, field_selector="metadata.name!=b,metadata.namespace=default") == ["a", "c", "d"]
    with refusal(400, "BadRequest") as caught:
        world.names(world.widgets, field_selector="spec.size=1")
    assert caught.value.message == "field label not supported: spec.size"


def test_pods_are_found_by_node_and_phase(world: World) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    world.create(world.pods, "here", spec={**spec, "nodeName": "n1"})
    world.create(world.pods, "free", spec=spec)
    assert world.names(world.pods, field_selector="spec.nodeName=n1") == ["here"]
    assert world.names(world.pods, field_selector="spec.nodeName=,status.phase=Pending") == ["free"]


def _pages(world: World, between: object = None) -> list[str]:
    names: list[str] = []
    token = ""
    while True:
        page = world.server.list(ADMIN, world.widgets, "default", limit=3, continue_token=token)
        names += [one["metadata"]["name"] for one in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            return names
        assert page["metadata"]["remainingItemCount"] == 4 - len(names)
        if callable(between):
            between()


def test_pages_show_everything_once(world: World) -> None:
    assert _pages(world) == ["a", "b", "c", "d"]


def test_pages_stand_still_while_the_world_moves(world: World) -> None:
    def meddle() -> None:
        world.create(world.widgets, "e")
        world.delete(world.widgets, "d")
        world.create(world.widgets, "aa")

    assert _pages(world, meddle) == ["a", "b", "c", "d"]
    assert world.names(world.widgets) == ["a", "aa", "b", "c", "e"]


def test_an_old_page_token_expires(world: World) -> None:
    token = world.server.list(ADMIN, world.widgets, "default", limit=1)["metadata"]["continue"]
    world.create(world.configmaps, "x")
    world.wait(400)
    with refusal(410, "Expired"):
        world.server.list(ADMIN, world.widgets, "default", limit=1, continue_token=token)


def test_a_garbage_token_is_refused(world: World) -> None:
    for token in ("garbage", "!!", "e30"):
        with refusal(400, "BadRequest"):
            world.server.list(ADMIN, world.widgets, "default", continue_token=token)


def test_a_list_can_be_asked_as_of_a_version(world: World) -> None:
    version = world.server.list(ADMIN, world.widgets, "default")["metadata"]["resourceVersion"]
    world.delete(world.widgets, "a")
    world.patch(world.widgets, "b", {"spec": {"size": 9}})
    past = world.server.list(ADMIN, world.widgets, "default", resource_version=version, version_match="Exact")
    assert [(one["metadata"]["name"], one["spec"]["size"]) for one in past["items"]][:2] == [("a", 1), ("b", 1)]
    assert past["metadata"]["resourceVersion"] == version
    assert world.names(world.widgets, resource_version=version) == ["b", "c", "d"]


def test_a_version_from_the_future_times_out(world: World) -> None:
    with refusal(504, "Timeout") as caught:
        world.names(world.widgets, resource_version="999999999")
    assert caught.value.retry_after_s == 1.0


def test_builtin_items_carry_no_kind_and_custom_ones_do(world: World) -> None:
    world.create(world.configmaps, "a")
    assert "kind" not in world.server.list(ADMIN, world.configmaps, "default")["items"][0]
    assert world.server.list(ADMIN, world.widgets, "default")["items"][0]["kind"] == "Widget"


def test_events_vanish_after_an_hour(world: World) -> None:
    regarding = {"kind": "Widget", "name": "a", "namespace": "default"}
    world.create(world.events, "early", involvedObject=regarding)
    world.wait(1800)
    world.create(world.events, "late", involvedObject=regarding)
    world.patch(world.events, "early", {"count": 2})
    world.create(world.events, "third", involvedObject={**regarding, "name": "b"})
    assert world.names(world.events, field_selector="involvedObject.name=a") == ["early", "late"]
    world.wait(3599)
    assert len(world.names(world.events)) == 3
    world.wait(1)
    assert world.names(world.events) == []


def test_an_unserved_resource_is_not_found(world: World) -> None:
    with refusal(404, "NotFound"):
        world.server.resource("example.com", "gizmos")


def test_events_have_two_faces_with_their_own_field_names(world: World) -> None:
    newer = world.server.resource("events.k8s.io", "events")
    regarding = {"kind": "Widget", "name": "a", "namespace": "default"}
    made = world.create(newer, "e", regarding=regarding, note="n", reason="Made")
    assert (made["note"], made["regarding"]) == ("n", regarding)
    core = world.get(world.events, "e")
    assert (core["message"], core["involvedObject"], core["apiVersion"]) == ("n", regarding, "v1")
    world.patch(newer, "e", {"note": "m"})
    assert world.get(world.events, "e")["message"] == "m"
    assert world.names(newer, field_selector="regarding.name=a") == ["e"]
