"""Who is told to have set what, and how that changes with every write."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from controller.ports import Document, Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api
from sim.loop import Loop
from sim.streams import Streams

PODS = Resource("", "v1", "pods", "Pod")
MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SPEC = {"containers": [{"name": "a", "image": "i"}]}


class Cluster:
    def __init__(self, *, managed_fields: bool = True) -> None:
        self.loop = Loop()  # type: ignore[abstract]
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True, managed_fields=managed_fields)

    def create(self, resource: Resource, name: str, manager: str, **content: Any) -> Document:
        metadata = {"name": name, **content.pop("metadata", {})}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}
        return self.server.create(ADMIN, resource, "default", body, manager=manager)

    def patch(
        self, resource: Resource, name: str, manager: str, body: Any, subresource: str = "", seconds: int = 0
    ) -> Document:
        self.loop.run_until(self.loop.now_us + seconds * 1_000_000)
        server = self.server
        return server.patch(ADMIN, resource, "default", name, body, subresource=subresource, manager=manager)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.server.verify()
    made.loop.close()


def owners(document: Document) -> dict[str, Mapping[str, Any]]:
    """Field sets by ``manager[/subresource]``, in the order of the entries."""
    entries = document["metadata"].get("managedFields", ())
    return {"/".join(filter(None, (one["manager"], one.get("subresource", "")))): one["fieldsV1"] for one in entries}


def test_the_creator_owns_what_it_sent_and_what_the_schema_added(cluster: Cluster) -> None:
    created = cluster.create(MAPS, "a", "maker", data={"k": "1"}, metadata={"labels": {"x": "y"}})
    assert created["metadata"]["managedFields"] == [
        {
            "manager": "maker",
            "operation": "Update",
            "apiVersion": "v1",
            "time": created["metadata"]["creationTimestamp"],
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}, "f:data": {".": {}, "f:k": {}}},
        }
    ]


def test_a_field_goes_to_whom_changed_it_last(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "maker", data={"k": "1", "l": "1"})
    changed = cluster.patch(MAPS, "a", "changer", {"data": {"k": "2", "m": "3"}})
    assert owners(changed) == {"changer": {"f:data": {"f:k": {}, "f:m": {}}}, "maker": {"f:data": {".": {}, "f:l": {}}}}


def test_who_owns_nothing_any_more_is_not_told(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "maker", data={"k": "1"})
    cluster.patch(MAPS, "a", "second", {"data": {"k": "2", "l": "2"}})
    assert list(owners(cluster.patch(MAPS, "a", "third", {"data": {"k": "3", "l": "3"}}))) == ["maker", "third"]
    assert list(owners(cluster.patch(MAPS, "a", "third", {"data": None}))) == []


def test_of_what_nobody_owns_anything_nobody_comes_to_own_by_updates(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "maker")
    assert owners(cluster.patch(MAPS, "a", "second", {"data": {"k": "1"}})) == {}


def test_removing_takes_a_field_from_everybody_and_gives_it_to_nobody(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "maker", data={"k": "1", "l": "1"})
    changed = cluster.patch(MAPS, "a", "changer", {"data": {"l": None}}, seconds=5)
    assert owners(changed) == {"maker": {"f:data": {".": {}, "f:k": {}}}}
    assert changed["metadata"]["managedFields"][0]["time"] == changed["metadata"]["creationTimestamp"]


def test_entries_are_told_by_time_and_then_by_name(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "zoe", data={"k": "1"})
    assert list(owners(cluster.patch(MAPS, "a", "ann", {"data": {"l": "1"}}))) == ["ann", "zoe"]
    assert list(owners(cluster.patch(MAPS, "a", "ann", {"data": {"m": "1"}}, seconds=2))) == ["zoe", "ann"]


def test_a_write_that_changes_nothing_changes_no_owner_and_no_time(cluster: Cluster) -> None:
    created = cluster.create(MAPS, "a", "maker", data={"k": "1"})
    assert cluster.patch(MAPS, "a", "other", {"data": {"k": "1"}}, seconds=3) == created


def test_a_status_has_an_owner_of_its_own_who_cannot_take_the_rest(cluster: Cluster) -> None:
    cluster.create(PODS, "p", "maker", spec=SPEC)
    body = {
        "spec": {"nodeName": "x"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    changed = owners(cluster.patch(PODS, "p", "kubelet", body, "status"))
    ready = {".": {}, "f:status": {}, "f:type": {}}
    assert changed["kubelet/status"] == {
        "f:status": {"f:conditions": {".": {}, 'k:{"type":"Ready"}': ready}, "f:phase": {}}
    }
    assert "f:status" not in changed["maker"]


def test_lists_of_a_pod_are_owned_item_by_item_where_the_api_says_so(cluster: Cluster) -> None:
    container = {
        "name": "a",
        "image": "i",
        "env": [{"name": "E", "value": "1"}],
        "ports": [{"containerPort": 80}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "command": ["x"],
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"a": "b"},
    }
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u-1"}
    metadata = {"ownerReferences": [owner], "finalizers": ["mine/cleanup"]}
    fields = owners(cluster.create(PODS, "p", "maker", spec=spec, metadata=metadata))["maker"]
    inner = fields["f:spec"]["f:containers"]['k:{"name":"a"}']
    assert "." not in fields["f:spec"]
    assert "." not in fields["f:spec"]["f:containers"]
    assert inner["f:env"] == {".": {}, 'k:{"name":"E"}': {".": {}, "f:name": {}, "f:value": {}}}
    assert list(inner["f:ports"]) == [".", 'k:{"containerPort":80,"protocol":"TCP"}']
    assert inner["f:volumeMounts"]['k:{"mountPath":"/v"}'] == {".": {}, "f:name": {}, "f:mountPath": {}}
    assert inner["f:command"] == {}
    assert inner["f:resources"] == {}
    assert fields["f:spec"]["f:volumes"]['k:{"name":"v"}'] == {".": {}, "f:name": {}, "f:emptyDir": {}}
    assert fields["f:spec"]["f:tolerations"] == {}
    assert fields["f:spec"]["f:nodeSelector"] == {}
    assert fields["f:metadata"] == {
        "f:ownerReferences": {".": {}, 'k:{"uid":"u-1"}': {}},
        "f:finalizers": {".": {}, 'v:"mine/cleanup"': {}},
    }


def test_an_item_of_a_keyed_list_has_its_own_owner(cluster: Cluster) -> None:
    cluster.create(PODS, "p", "maker", spec=SPEC)
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}]
    cluster.patch(PODS, "p", "one", {"status": {"conditions": conditions}}, "status")
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "True"}]
    changed = owners(cluster.patch(PODS, "p", "two", {"status": {"conditions": conditions}}, "status"))
    assert changed["two/status"] == {"f:status": {"f:conditions": {'k:{"type":"Ready"}': {"f:status": {}}}}}
    assert 'k:{"type":"Initialized"}' in changed["one/status"]["f:status"]["f:conditions"]


def test_what_a_webhook_adds_belongs_to_nobody(cluster: Cluster) -> None:
    def mutate(request: AdmissionRequest) -> Document:
        return {**(request.new or {}), "data": {"k": "1", "added": "yes"}}

    cluster.server.admission.mutate(mutate, resources=("configmaps",))
    created = cluster.create(MAPS, "a", "maker", data={"k": "1"})
    assert created["data"]["added"] == "yes"
    assert owners(created) == {"maker": {"f:data": {".": {}, "f:k": {}}}}


def test_a_client_may_have_the_past_forgotten(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "maker", data={"k": "1"})
    changed = cluster.patch(MAPS, "a", "other", {"metadata": {"managedFields": [{}]}, "data": {"l": "1"}})
    assert "managedFields" not in changed["metadata"]
    assert "managedFields" not in cluster.patch(MAPS, "a", "other", {"data": {"l": "2"}})["metadata"]


def test_the_oldest_of_more_than_ten_are_told_as_one(cluster: Cluster) -> None:
    cluster.create(MAPS, "a", "m0", data={"k0": "1"})
    for number in range(1, 12):
        cluster.patch(MAPS, "a", f"m{number}", {"data": {f"k{number}": "1"}}, seconds=1)
    told = owners(cluster.server.get(ADMIN, MAPS, "default", "a"))
    assert list(told) == ["ancient-changes", *(f"m{number}" for number in range(3, 12))]
    assert told["ancient-changes"] == {"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}}}


def test_pod_statuses_of_components_are_owned_like_any_other(cluster: Cluster) -> None:
    pod = cluster.create(PODS, "p", "maker", spec=SPEC)
    Api(cluster.server, ADMIN, "kubelet").write_pod_status(pod, {**pod.get("status", {}), "phase": "Running"})
    stored = cluster.server.get(ADMIN, PODS, "default", "p")
    assert owners(stored)["kubelet/status"] == {"f:status": {"f:phase": {}}}
    assert owners(pod).keys() == {"maker"}


def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    cluster = Cluster(managed_fields=False)
    cluster.create(MAPS, "a", "maker", data={"k": "1"})
    assert "managedFields" not in cluster.patch(MAPS, "a", "other", {"data": {"k": "2"}})["metadata"]
    cluster.loop.close()
