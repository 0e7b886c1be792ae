"""Builtin kinds take only what fits the Go types of the real server."""

from collections.abc import Mapping
from typing import Any

import pytest

from controller.ports import ApiError, Resource
from sim.apiserver.gotypes import decoded
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

POD = {
    "metadata": {"name": "a"},
    "spec": {
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "c",
                "image": "i",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
            }
        ],
    },
    "status": {"startTime": "2026-01-05T08:00:00Z"},
}
REFUSED = [
    ("", "configmaps", {"data": [1]}, "cannot unmarshal array into Go struct field ConfigMap.data of type map[string]"),
    (
        "",
        "configmaps",
        {"data": {"a": 1}},
        "cannot unmarshal number into Go struct field ConfigMap.data of type string",
    ),
    ("", "configmaps", {"binaryData": {"a": "a?=="}}, "illegal base64 data at input byte 1"),
    ("", "pods", {"spec": 5}, "cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec"),
    ("", "pods", {"spec": {"containers": [5]}}, "into Go struct field PodSpec.containers of type v1.Container"),
    ("", "pods", {"spec": {"activeDeadlineSeconds": 1.5}}, "cannot unmarshal number 1.5 into Go struct field PodSpec."),
    ("", "pods", {"spec": {"overhead": {"cpu": "x y"}}}, "quantities must match the regular expression"),
    ("", "pods", {"status": {"startTime": "now"}}, 'parsing time "now" as "2006-01-02T15:04:05Z07:00"'),
    ("apps", "deployments", {"spec": {"replicas": 3_000_000_000}}, "cannot unmarshal number 3000000000 into Go struct"),
]


@pytest.fixture
def server() -> ApiServer:
    loop = Loop()
    return ApiServer(loop, Streams(1), Clock(loop), managed_fields=True)


@pytest.mark.parametrize(("group", "plural", "body", "complaint"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_does_not_fit_is_refused(
    server: ApiServer, group: str, plural: str, body: Mapping[str, Any], complaint: str
) -> None:
    with pytest.raises(ApiError) as error:
        server.create(ADMIN, server.resource(group, plural), "default", {"metadata": {"name": "a"}, **body})

    assert error.value.code == 400
    assert complaint in error.value.message


def test_a_patch_cannot_bring_in_what_does_not_fit(server: ApiServer) -> None:
    maps: Resource = server.resource("", "configmaps")
    server.create(ADMIN, maps, "default", {"metadata": {"name": "a"}, "data": {"k": "v"}})

    with pytest.raises(ApiError, match=r"ConfigMap\.data of type string"):
        server.patch(ADMIN, maps, "default", "a", {"data": {"k": 1}})


def test_what_fits_stays_the_same_document(server: ApiServer) -> None:
    assert decoded(server.registry.named("", "pods"), POD) is POD


def test_nulls_are_as_good_as_absent_and_zero_where_they_are_items(server: ApiServer) -> None:
    body = {"spec": {"nodeName": None, "containers": [None]}, "status": None}

    assert decoded(server.registry.named("", "pods"), body) == {"spec": {"containers": [{}]}}


def test_times_are_written_as_go_writes_them(server: ApiServer) -> None:
    metadata = {"creationTimestamp": "2026-01-05T10:00:00.25+02:00"}
    spec = {"renewTime": "2026-01-05T08:00:00.123456+00:00"}

    leases = server.registry.named("coordination.k8s.io", "leases")
    assert decoded(leases, {"metadata": metadata, "spec": spec}) == {
        "metadata": {"creationTimestamp": "2026-01-05T08:00:00Z"},
        "spec": {"renewTime": "2026-01-05T08:00:00.123456Z"},
    }


def test_a_client_that_spells_times_its_own_way_can_send_back_what_it_read(server: ApiServer) -> None:
    maps = server.resource("", "configmaps")
    created = server.create(ADMIN, maps, "default", {"metadata": {"name": "a"}})
    respelled = created["metadata"]["creationTimestamp"].replace("Z", "+00:00")
    body = {**created, "metadata": {**created["metadata"], "creationTimestamp": respelled}, "data": {"k": "v"}}

    assert server.update(ADMIN, maps, "default", "a", body)["data"] == {"k": "v"}


def test_a_schema_may_be_a_list_or_a_truth_value_where_go_says_so(server: ApiServer) -> None:
    definitions = server.registry.named("apiextensions.k8s.io", "customresourcedefinitions")
    schema = {"additionalProperties": True, "items": [{"type": "string"}], "dependencies": {"a": ["b"]}}

    def body(found: Mapping[str, Any]) -> dict[str, Any]:
        versions = [{"name": "v1", "schema": {"openAPIV3Schema": found}}]
        return {"metadata": {"name": "a"}, "spec": {"versions": versions}}

    assert decoded(definitions, body(schema)) == body(schema)
    assert decoded(definitions, body({"items": 5})) == body({"items": {}})
    for wrong in ({"additionalProperties": "x"}, {"items": [5]}, {"properties": {"a": True}}):
        with pytest.raises(ApiError) as error:
            decoded(definitions, body(wrong))
        assert error.value.code == 400
