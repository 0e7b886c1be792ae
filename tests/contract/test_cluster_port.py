"""What every adapter of ``controller.ports.Cluster`` has to keep to, whatever is behind it."""

import asyncio
from typing import Any

import pytest
from adapters import WIDGETS, Adapter

from controller.ports import ApiError, Cluster, Document, Resource, WatchEvent, WatchStream

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")


def widget(name: str, **metadata: Any) -> Document:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, **metadata},
        "spec": {"size": 1},
    }


def names(listed: Document) -> list[str]:
    return [one["metadata"]["name"] for one in listed["items"]]


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def events(stream: WatchStream, count: int) -> list[WatchEvent]:
    """Exactly the next ``count``, bookmarks apart."""
    found: list[WatchEvent] = []
    while len(found) < count:
        found += [event for event in await anext(stream) if event.type != "BOOKMARK"]
    assert len(found) == count
    return found


def test_what_was_created_can_be_read(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        created = await cluster.create(WIDGETS, "default", widget("a", labels={"k": "v"}))
        assert created["metadata"]["uid"]
        assert await cluster.get(WIDGETS, "default", "a") == created

    adapter.run(body)


def test_cluster_scoped_objects_live_in_no_namespace(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        await cluster.create(NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
        assert (await cluster.get(NAMESPACES, "", "other"))["metadata"]["name"] == "other"

    adapter.run(body)


def test_a_missing_object_is_refused_in_the_api_servers_words(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        error = await refused(cluster.get(WIDGETS, "default", "none"))
        assert (error.code, error.reason) == (404, "NotFound")
        assert error.message == 'widgets.example.com "none" not found'
        assert error.details == {"name": "none", "group": "example.com", "kind": "widgets"}

    adapter.run(body)


def test_a_name_that_is_taken_and_a_value_that_is_not_allowed_are_told_apart(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        await cluster.create(WIDGETS, "default", widget("a"))
        taken = await refused(cluster.create(WIDGETS, "default", widget("a")))
        assert (taken.code, taken.reason) == (409, "AlreadyExists")
        wrong = await refused(cluster.create(WIDGETS, "default", {**widget("b"), "spec": {"size": 11}}))
        assert (wrong.code, wrong.reason) == (422, "Invalid")
        assert [cause["field"] for cause in wrong.details["causes"]] == ["spec.size"]

    adapter.run(body)


def test_an_update_of_an_old_version_conflicts(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        old = await cluster.create(WIDGETS, "default", widget("a"))
        new = await cluster.update(WIDGETS, "default", "a", {**old, "spec": {"size": 2}})
        assert new["spec"] == {"size": 2}
        error = await refused(cluster.update(WIDGETS, "default", "a", {**old, "spec": {"size": 3}}))
        assert (error.code, error.reason) == (409, "Conflict")

    adapter.run(body)


def test_the_status_subresource_changes_nothing_else(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        old = await cluster.create(WIDGETS, "default", widget("a"))
        changed = {**old, "spec": {"size": 5}, "status": {"phase": "Running"}}
        new = await cluster.update(WIDGETS, "default", "a", changed, subresource="status")
        assert (new["spec"], new["status"]) == ({"size": 1}, {"phase": "Running"})
        new = await cluster.patch(WIDGETS, "default", "a", {"status": {"phase": None}}, subresource="status")
        assert new["status"] == {}

    adapter.run(body)


def test_merge_and_json_patches_are_both_understood(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        await cluster.create(WIDGETS, "default", widget("a", annotations={"x/y": "1"}))
        new = await cluster.patch(WIDGETS, "default", "a", {"metadata": {"annotations": {"x/y": None, "z": "ü\n"}}})
        assert new["metadata"]["annotations"] == {"z": "ü\n"}
        operations: list[Document] = [{"op": "replace", "path": "/spec/size", "value": 7}]
        new = await cluster.patch(WIDGETS, "default", "a", operations, patch_type="json")
        assert new["spec"] == {"size": 7}

    adapter.run(body)


def test_a_version_inside_a_merge_patch_is_a_precondition(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        old = await cluster.create(WIDGETS, "default", widget("a"))
        version = old["metadata"]["resourceVersion"]
        patch: Document = {"metadata": {"resourceVersion": version}, "spec": {"size": 2}}
        await cluster.patch(WIDGETS, "default", "a", patch)
        error = await refused(cluster.patch(WIDGETS, "default", "a", {**patch, "spec": {"size": 3}}))
        assert (error.code, error.reason) == (409, "Conflict")

    adapter.run(body)


def test_a_deletion_keeps_to_its_preconditions(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        created = await cluster.create(WIDGETS, "default", widget("a"))
        error = await refused(cluster.delete(WIDGETS, "default", "a", uid="another"))
        assert (error.code, error.reason) == (409, "Conflict")
        error = await refused(cluster.delete(WIDGETS, "default", "a", resource_version="1"))
        assert error.code == 409
        await cluster.delete(WIDGETS, "default", "a", uid=created["metadata"]["uid"])
        assert (await refused(cluster.get(WIDGETS, "default", "a"))).code == 404

    adapter.run(body)


def test_a_foreground_deletion_leaves_the_object_until_its_dependents_are_gone(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        owner = await cluster.create(WIDGETS, "default", widget("owner"))
        reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner["metadata"]["uid"]}
        held = widget("held", ownerReferences=[{**reference, "blockOwnerDeletion": True}], finalizers=["x.y/z"])
        await cluster.create(WIDGETS, "default", held)
        answer = await cluster.delete(WIDGETS, "default", "owner", propagation="Foreground")
        assert answer["metadata"]["finalizers"] == ["foregroundDeletion"]
        assert "deletionTimestamp" in (await cluster.get(WIDGETS, "default", "owner"))["metadata"]

    adapter.run(body)


def test_a_grace_period_of_nothing_removes_a_bound_pod(adapter: Adapter) -> None:
    pod: Document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    }

    async def body(cluster: Cluster) -> None:
        await cluster.create(PODS, "default", pod)
        await cluster.delete(PODS, "default", "p")
        assert (await cluster.get(PODS, "default", "p"))["metadata"]["deletionGracePeriodSeconds"] == 30
        await cluster.delete(PODS, "default", "p", grace_period_s=0)
        assert (await refused(cluster.get(PODS, "default", "p"))).code == 404

    adapter.run(body)


def test_a_list_comes_in_pages_and_by_labels(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        for name in ("a", "b", "c"):
            await cluster.create(WIDGETS, "default", widget(name, labels={"odd": str(name != "b")}))
        first = await cluster.list(WIDGETS, "default", limit=2)
        rest = await cluster.list(WIDGETS, "default", limit=2, continue_token=first["metadata"]["continue"])
        assert (names(first), names(rest)) == (["a", "b"], ["c"])
        assert names(await cluster.list(WIDGETS, label_selector="odd in (True)")) == ["a", "c"]
        assert names(await cluster.list(WIDGETS, field_selector="metadata.name=b")) == ["b"]

    adapter.run(body)


def test_a_watch_tells_in_order_what_happens_after_its_version(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        before = await cluster.create(WIDGETS, "default", widget("before"))
        stream = await cluster.watch(WIDGETS, resource_version=before["metadata"]["resourceVersion"])
        created = await cluster.create(WIDGETS, "default", widget("a"))
        patched = await cluster.patch(WIDGETS, "default", "a", {"spec": {"size": 2}})
        await cluster.delete(WIDGETS, "default", "a")
        told = await events(stream, 3)
        stream.close()
        assert [event.type for event in told] == ["ADDED", "MODIFIED", "DELETED"]
        assert [event.object for event in told[:2]] == [created, patched]
        assert int(told[2].object["metadata"]["resourceVersion"]) > int(patched["metadata"]["resourceVersion"])

    adapter.run(body)


def test_a_watch_without_a_version_begins_with_what_is_there(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        await cluster.create(WIDGETS, "default", widget("a", labels={"k": "v"}))
        await cluster.create(WIDGETS, "default", widget("b"))
        stream = await cluster.watch(WIDGETS, "default", label_selector="k=v")
        [event] = await events(stream, 1)
        stream.close()
        assert (event.type, event.object["metadata"]["name"]) == ("ADDED", "a")

    adapter.run(body)


def test_a_version_that_history_no_longer_has_is_refused(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        old = await cluster.create(WIDGETS, "default", widget("a"))
        await cluster.create(WIDGETS, "default", widget("b"))
        adapter.change(lambda server: server.expire_watches())

        async def opened() -> None:
            stream = await cluster.watch(WIDGETS, resource_version=old["metadata"]["resourceVersion"])
            await anext(stream)

        error = await refused(opened())
        assert (error.code, error.reason) == (410, "Expired")

    adapter.run(body)


def test_an_open_watch_is_told_of_its_expiry_and_ends(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        stream = await cluster.watch(WIDGETS, "default")
        await cluster.create(WIDGETS, "default", widget("a"))
        await events(stream, 1)
        adapter.change(lambda server: server.expire_watches())
        [event] = await events(stream, 1)
        assert (event.type, event.object["code"]) == ("ERROR", 410)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    adapter.run(body)


def test_the_server_ends_a_watch_after_the_time_that_was_asked_for(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        created = await cluster.create(WIDGETS, "default", widget("a"))
        version = created["metadata"]["resourceVersion"]
        stream = await cluster.watch(WIDGETS, "default", resource_version=version, timeout_s=1, bookmarks=False)
        assert [batch async for batch in stream] == []

    adapter.run(body)


def test_a_closed_watch_ends_for_whoever_waits_for_it(adapter: Adapter) -> None:
    async def body(cluster: Cluster) -> None:
        created = await cluster.create(WIDGETS, "default", widget("a"))
        stream = await cluster.watch(WIDGETS, resource_version=created["metadata"]["resourceVersion"])
        waiting = asyncio.ensure_future(anext(stream))  # type: ignore[arg-type]  # an awaitable it is
        await asyncio.sleep(0)
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await waiting
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    adapter.run(body)
