"""What the server says of itself: the resources it serves at this very moment, its version and its health."""

from typing import Any

import pytest
from asking import Client
from core_world import World

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.server)


def _named(resources: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in resources if one["name"] == name)


def _definition(group: str, *versions: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"plural": "things", "kind": "Thing", "shortNames": ["tg"], "categories": ["all"]},
            "versions": [
                {"name": one, "served": True, "storage": one == versions[0], "schema": schema} for one in versions
            ],
        },
    }


def test_a_resource_is_listed_with_its_verbs_and_its_subresources(client: Client) -> None:
    found = client.get("/api/v1")["resources"]
    assert _named(found, "pods")["verbs"][:3] == ["create", "delete", "deletecollection"]
    assert "deletecollection" not in _named(found, "namespaces")["verbs"]
    assert _named(found, "pods/log") == {
        "name": "pods/log",
        "singularName": "",
        "namespaced": True,
        "kind": "Pod",
        "verbs": ["get"],
    }
    assert _named(found, "pods/eviction")["group"] == "policy"
    assert _named(found, "serviceaccounts/token")["verbs"] == ["create"]


def test_the_storage_hash_is_the_one_of_every_kubernetes(client: Client) -> None:
    assert _named(client.get("/api/v1")["resources"], "pods")["storageVersionHash"] == "xPOwRZ+Yhw8="


def test_versions_are_listed_stable_before_beta_before_alpha(client: Client) -> None:
    client.post(CRDS, _definition("made.example.org", "v1alpha1", "v2", "v1beta2", "v10", "v1"))
    group = client.get("/apis/made.example.org")
    assert [one["version"] for one in group["versions"]] == ["v10", "v2", "v1", "v1beta2", "v1alpha1"]
    assert group["preferredVersion"]["version"] == "v10"


def test_a_definition_shows_at_once_and_is_gone_at_once(world: World, client: Client) -> None:
    path = "/apis/made.example.org/v1"
    assert client.ask("GET", path).status == 404
    client.post(CRDS, _definition("made.example.org", "v1"))
    thing = _named(client.get(path)["resources"], "things")
    assert (thing["shortNames"], thing["categories"], thing["namespaced"]) == (["tg"], ["all"], False)
    client.ask("DELETE", f"{CRDS}/things.made.example.org")
    world.wait(1)
    assert client.ask("GET", path).status == 404
    groups = [one["name"] for one in client.get("/apis")["groups"]]
    assert "made.example.org" not in groups


def test_aggregated_discovery_tells_everything_in_one_document(client: Client) -> None:
    answer = client.ask("GET", "/apis", accept=AGGREGATED)
    assert answer.headers["content-type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    assert isinstance(answer.body, dict)
    by_name = {one["metadata"]["name"]: one for one in answer.body["items"]}
    widget = by_name["example.com"]["versions"][0]["resources"][0]
    assert widget["responseKind"] == {"group": "example.com", "version": "v1", "kind": "Widget"}
    assert [one["subresource"] for one in widget["subresources"]] == ["status"]
    core = client.get("/api", accept=AGGREGATED)["items"]
    assert [one["metadata"] for one in core] == [{}]


def test_the_older_form_of_aggregated_discovery_is_spoken_too(client: Client) -> None:
    accept = AGGREGATED.replace("v=v2;", "v=v2beta1;")
    assert client.get("/apis", accept=accept)["apiVersion"] == "apidiscovery.k8s.io/v2beta1"


def test_whoever_prefers_the_plain_form_gets_it(client: Client) -> None:
    assert client.get("/apis", accept=f"application/json,{AGGREGATED}")["kind"] == "APIGroupList"


def test_the_version_is_told_with_and_without_a_slash(client: Client) -> None:
    assert client.get("/version") == client.get("/version/")
    assert client.get("/version")["gitVersion"].startswith("v1.36")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_told_in_one_word_or_check_by_check(client: Client, path: str) -> None:
    assert client.get(path) == "ok"
    told = client.get(path, verbose="", exclude="ping,odd")
    assert told.startswith("[+]ping excluded: ok\n[+]log ok\n")
    assert told.endswith(f'no matches for "odd"\n{path[1:]} check passed\n')
    assert client.get(f"{path}/ping") == "ok"
    assert client.ask("GET", f"{path}/odd").status == 404


def test_strangers_may_ask_for_health_and_version_only(client: Client) -> None:
    stranger = client.as_("")
    assert stranger.get("/version")["major"] == "1"
    refused = stranger.ask("GET", "/apis")
    assert refused.status == 403
    assert isinstance(refused.body, dict)
    assert refused.body["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'


def test_the_root_lists_where_to_look(client: Client) -> None:
    assert {"/api/v1", "/apis/example.com/v1", "/openapi/v3"} <= set(client.get("/")["paths"])


def test_discovery_in_a_form_that_nobody_speaks_is_406(client: Client) -> None:
    assert client.ask("GET", "/apis", accept="text/html").status == 406


def test_people_get_indented_json(client: Client) -> None:
    asked = client.ask("GET", "/version", pretty="true")
    by_hand = client.ask("GET", "/version", headers={"user-agent": "curl/8.5.0"})
    assert asked.body == by_hand.body
    assert isinstance(asked.body, bytes)
    assert asked.body.startswith(b'{\n  "major": "1",\n')
    assert isinstance(client.ask("GET", "/version", headers={"user-agent": "curl/8.5.0"}, pretty="false").body, dict)
