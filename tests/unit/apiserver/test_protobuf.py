"""Builtin kinds as protobuf: what typed Go clients post, and what they read when they take nothing else."""

from typing import Any

import pytest
from asking import Client
from core_world import WIDGET_DEFINITION, World
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.apiserver.protobuf.envelope import packed, unpacked
from sim.apiserver.protobuf.wire import chunk, fields, signed, tagged, varint

WIRE = "application/vnd.kubernetes.protobuf"
SENT = {"content-type": WIRE}
SHARED = World()
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
_META = b"".join((chunk(1, b"c"), chunk(2, b""), chunk(3, b""), chunk(5, b""), tagged(7, 0) + b"\x00", chunk(8, b"")))
POSTED = b"".join(
    (
        b"k8s\x00",
        chunk(1, chunk(1, b"v1") + chunk(2, b"ConfigMap")),
        chunk(2, chunk(1, _META) + chunk(2, chunk(1, b"a") + chunk(2, b"b"))),
        chunk(3, b""),
        chunk(4, b""),
    )
)
"""What ``kubectl create configmap c --from-literal=a=b`` posts: Go writes empty fields, too."""
DEPLOYMENT = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "d", "labels": {"a": "b"}, "creationTimestamp": "2026-01-05T08:00:00Z"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "metadata": {"labels": {"app": "a"}},
            "spec": {
                "volumes": [{"name": "v", "configMap": {"name": "cm", "defaultMode": 420}}],
                "containers": [
                    {
                        "name": "c",
                        "image": "nginx",
                        "env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "k"}}}],
                        "resources": {"limits": {"cpu": "500m"}},
                        "livenessProbe": {"httpGet": {"port": "web"}, "periodSeconds": 3},
                        "readinessProbe": {"tcpSocket": {"port": 8080}},
                        "securityContext": {"runAsUser": 0, "privileged": False},
                    }
                ],
            },
        },
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
    },
    "status": {},
}
SECRET = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {"name": "s", "finalizers": ["a/b", "c/d"]},
    "data": {"k": "AAEC/w=="},
    "type": "Opaque",
    "immutable": False,
}
LEASE = {
    "kind": "Lease",
    "apiVersion": "coordination.k8s.io/v1",
    "metadata": {"name": "l"},
    "spec": {"holderIdentity": "", "leaseDurationSeconds": 15, "renewTime": "2026-01-05T08:00:00.123456Z"},
}
REVIEW = {
    "kind": "SubjectAccessReview",
    "apiVersion": "authorization.k8s.io/v1",
    "metadata": {},
    "spec": {"user": "x", "extra": {"scopes": ["a", "b"]}, "resourceAttributes": {"verb": "get", "resource": "pods"}},
    "status": {"allowed": False},
}


@pytest.fixture
def client() -> Client:
    return Client(World().server)


@pytest.mark.parametrize(
    "document", [DEPLOYMENT, SECRET, LEASE, REVIEW, WIDGET_DEFINITION], ids=lambda one: one["kind"]
)
def test_a_document_survives_the_way_there_and_back(document: dict[str, Any]) -> None:
    wire = packed(document)
    assert wire is not None
    assert unpacked(wire, document["kind"]) == document


@given(st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1))
def test_numbers_of_any_sign_and_size_survive(number: int) -> None:
    [(_, _, found)] = fields(memoryview(tagged(1, 0) + varint(number)))
    assert isinstance(found, int)
    assert signed(found) == number


def test_what_kubectl_posts_becomes_the_object(client: Client) -> None:
    created = client.post(CONFIGMAPS, POSTED, headers=SENT)
    assert created["data"] == {"a": "b"}
    assert created["metadata"]["name"] == "c"
    assert "generateName" not in created["metadata"]


def test_a_namespace_is_created_from_protobuf(client: Client) -> None:
    wire = packed({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}, "spec": {}, "status": {}})
    assert client.post("/api/v1/namespaces", wire, headers=SENT)["status"] == {"phase": "Active"}


def test_delete_options_come_as_protobuf_too(client: Client) -> None:
    client.post(CONFIGMAPS, POSTED, headers=SENT)
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
    refused = client.ask("DELETE", f"{CONFIGMAPS}/c", packed(options), headers=SENT)
    assert refused.status == 409
    assert client.ask("DELETE", f"{CONFIGMAPS}/c", packed({**options, "preconditions": {}}), headers=SENT).status == 200


def test_who_takes_nothing_else_gets_objects_lists_and_refusals_as_protobuf(client: Client) -> None:
    client.post(CONFIGMAPS, POSTED, headers=SENT)
    for path, kind, status in (
        (f"{CONFIGMAPS}/c", "ConfigMap", 200),
        (CONFIGMAPS, "ConfigMapList", 200),
        (f"{CONFIGMAPS}/none", "Status", 404),
    ):
        answer = client.ask("GET", path, accept=WIRE)
        assert (answer.status, answer.headers["content-type"]) == (status, WIRE)
        assert isinstance(answer.body, bytes)
        assert unpacked(answer.body, kind)["kind"] == kind
    found = unpacked(client.ask("GET", CONFIGMAPS, accept=WIRE).body, "ConfigMapList")  # type: ignore[arg-type]
    assert found["items"][0]["data"] == {"a": "b"}


def test_who_also_takes_json_gets_that(client: Client) -> None:
    assert client.get(CONFIGMAPS, accept=f"{WIRE},application/json")["kind"] == "ConfigMapList"
    assert client.get(CONFIGMAPS, accept=f"{WIRE}, */*")["kind"] == "ConfigMapList"


def test_custom_kinds_have_no_protobuf(client: Client) -> None:
    path = "/apis/example.com/v1/namespaces/default/widgets"
    assert client.ask("GET", path, accept=WIRE).status == 406
    assert client.ask("POST", path, POSTED, headers=SENT).status == 415


def test_a_kind_that_nobody_describes_is_415(client: Client) -> None:
    odd = b"k8s\x00" + chunk(1, chunk(1, b"odd.example.com/v1") + chunk(2, b"Odd"))
    assert client.ask("POST", CONFIGMAPS, odd, headers=SENT).status == 415


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "expected prefix [107 56 115 0] (<empty>)"),
        (b"{}", "expected prefix [107 56 115 0] (7b7d)"),
        (b"k8s\x00\x0a\xff", "unexpected EOF"),
        (b"k8s\x00\x00\x00", "illegal tag 0 (wire type 0)"),
        (b"k8s\x00\x0b\x00", "illegal wireType 3"),
    ],
)
def test_a_broken_message_is_400_and_says_why(client: Client, body: bytes, complaint: str) -> None:
    answer = client.ask("POST", CONFIGMAPS, body, headers=SENT)
    assert answer.status == 400
    assert isinstance(answer.body, dict)
    assert complaint in answer.body["message"]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(POSTED) - 1), st.binary(max_size=6))
def test_garbage_in_a_message_never_gets_further_than_a_refusal(at: int, garbage: bytes) -> None:
    broken = POSTED[:at] + garbage + POSTED[at + len(garbage) :]
    answer = Client(SHARED.server).ask("POST", f"{CONFIGMAPS}", broken, headers=SENT, dryRun="All")
    assert answer.status in (201, 400, 415, 422), answer.body
