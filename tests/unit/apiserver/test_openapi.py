"""Schemas: what kubectl explains and validates with, from definitions and from the fields of builtin kinds."""

import json
from typing import Any

import pytest
from asking import Client
from core_world import WIDGET_DEFINITION, World

from sim.apiserver.protobuf.wire import fields

V2_WIRE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
WIDGET = "com.example.v1.Widget"


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(World().server)


@pytest.fixture(scope="module")
def whole(client: Client) -> Any:
    return client.get("/openapi/v2")


def _references(document: Any) -> set[str]:
    if isinstance(document, dict):
        own = {document["$ref"]} if isinstance(document.get("$ref"), str) else set()
        return own.union(*(_references(one) for one in document.values()))
    return set().union(*(_references(one) for one in document)) if isinstance(document, list) else set()


def test_the_index_leads_to_a_document_for_every_group_version(client: Client) -> None:
    paths = client.get("/openapi/v3")["paths"]
    served = {"api/v1"} | {
        f"apis/{version['groupVersion']}" for group in client.get("/apis")["groups"] for version in group["versions"]
    }
    assert set(paths) == served
    for one in paths.values():
        address, _, digest = one["serverRelativeURL"].partition("?hash=")
        assert len(digest) == 128
        assert client.get(address)["openapi"] == "3.0.0"


def test_no_reference_leads_nowhere(client: Client, whole: Any) -> None:
    assert _references(whole) <= {f"#/definitions/{name}" for name in whole["definitions"]}
    for path in client.get("/openapi/v3")["paths"]:
        document = client.get(f"/openapi/v3/{path}")
        known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
        assert _references(document) <= known, path


def test_builtin_kinds_are_described_to_their_last_field(whole: Any) -> None:
    found = whole["definitions"]
    container = found["io.k8s.api.core.v1.Container"]
    assert container["required"] == ["name"]
    assert container["properties"]["ports"]["x-kubernetes-patch-merge-key"] == "containerPort"
    assert container["properties"]["ports"]["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    volume = found["io.k8s.api.core.v1.Volume"]["properties"]
    assert {"name", "configMap", "emptyDir"} <= set(volume)
    kinds = found["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"]
    assert kinds == [{"group": "apps", "version": "v1", "kind": "Deployment"}]


def test_every_stored_kind_can_be_found_by_its_group_version_and_kind(client: Client, whole: Any) -> None:
    told = {
        (one["group"], one["version"], one["kind"])
        for schema in whole["definitions"].values()
        for one in schema.get("x-kubernetes-group-version-kind", ())
    }
    listed = {("", "v1", one["kind"]) for one in client.get("/api/v1")["resources"] if "/" not in one["name"]}
    assert listed <= told
    assert ("example.com", "v1", "Widget") in told


def test_a_custom_kind_is_described_by_its_definition(client: Client) -> None:
    schema = client.get("/openapi/v3/apis/example.com/v1")["components"]["schemas"][WIDGET]
    assert schema["properties"]["spec"]["properties"]["size"] == {"type": "integer", "maximum": 10, "default": 1}
    assert schema["properties"]["metadata"]["$ref"].endswith("meta.v1.ObjectMeta")


def test_the_second_version_of_the_format_says_only_what_it_can(whole: Any) -> None:
    size = whole["definitions"][WIDGET]["properties"]["spec"]["properties"]["size"]
    assert size == {"type": "integer", "maximum": 10}


def test_patches_say_that_they_can_be_tried_and_validated(client: Client) -> None:
    path = client.get("/openapi/v3/apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert path["patch"]["x-kubernetes-group-version-kind"]["kind"] == "Deployment"
    assert {"dryRun", "fieldValidation", "force"} <= {one["name"] for one in path["patch"]["parameters"]}
    assert "application/strategic-merge-patch+json" in path["patch"]["requestBody"]["content"]


def test_a_changed_definition_changes_its_hash_and_no_other() -> None:
    world = World()
    client = Client(world.server)
    before = client.get("/openapi/v3")["paths"]
    name = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com"
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"other": {"type": "string"}}}}}
    version = {**WIDGET_DEFINITION["spec"]["versions"][0], "schema": {"openAPIV3Schema": schema}}
    patch = {"spec": {"versions": [version]}}
    patched = client.ask("PATCH", name, patch, headers={"content-type": "application/merge-patch+json"})
    assert patched.status == 200
    after = client.get("/openapi/v3")["paths"]
    assert [path for path in before if before[path] != after[path]] == ["apis/example.com/v1"]


def test_older_clients_get_the_same_as_protobuf(client: Client, whole: Any) -> None:
    answer = client.ask("GET", "/openapi/v2", accept=V2_WIRE)
    assert answer.headers["content-type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert isinstance(answer.body, bytes)
    top = {number: value for number, _, value in fields(memoryview(answer.body))}
    assert bytes(top[1]) == b"2.0"  # type: ignore[arg-type]
    named = [
        bytes(part).decode()  # type: ignore[arg-type]
        for _, _, schema in fields(top[9])  # type: ignore[arg-type]
        for number, _, part in fields(schema)  # type: ignore[arg-type]
        if number == 1
    ]
    assert named == list(whole["definitions"])


def test_what_is_not_served_is_not_described(client: Client) -> None:
    assert client.ask("GET", "/openapi/v3/apis/none.example.com/v1").status == 404
    assert client.ask("GET", "/openapi/v3/apis/apps/v1", accept="text/html").status == 406


def test_documents_are_plain_json(client: Client) -> None:
    answer = client.ask("GET", "/openapi/v3/api/v1")
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["info"]["title"] == "Kubernetes"
