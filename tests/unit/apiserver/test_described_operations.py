"""Every operation that the server describes of itself can be asked for, with bodies that say next to nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from asking import PARTIAL, TABLE, Client
from core_world import World

NAMED = {"metadata": {"name": "x"}}
CONTAINERS = {"containers": [{"name": "c", "image": "i"}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": CONTAINERS}
OBJECTS: dict[str, dict[str, Any]] = {
    "/api/v1/namespaces/default/pods": {"spec": CONTAINERS},
    "/api/v1/namespaces/default/configmaps": {},
    "/api/v1/namespaces/default/secrets": {},
    "/api/v1/namespaces/default/serviceaccounts": {},
    "/api/v1/namespaces/default/resourcequotas": {},
    "/api/v1/namespaces/default/limitranges": {},
    "/api/v1/nodes": {},
    "/apis/apps/v1/namespaces/default/deployments": {
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
    },
    "/apis/batch/v1/namespaces/default/jobs": {
        "spec": {"template": {"spec": {**CONTAINERS, "restartPolicy": "Never"}}}
    },
    "/apis/coordination.k8s.io/v1/namespaces/default/leases": {},
    "/apis/rbac.authorization.k8s.io/v1/clusterroles": {},
}
NOTHING = {"spec": None, "status": None, "data": None, "rules": None, "subjects": None, "webhooks": None}
BODIES: list[Any] = [{}, NAMED, {**NAMED, "spec": {}, "status": {}}, {**NAMED, **NOTHING}, []]
AS_THE_REAL_SERVER = "target.name: Required value"


@pytest.fixture(scope="module")
def client() -> Client:
    client = Client(World(managed_fields=True).server)
    for path, body in OBJECTS.items():
        client.post(path, {**body, **NAMED})
    return client


def _operations(client: Client) -> Iterator[tuple[str, str]]:
    for document in client.get("/openapi/v3")["paths"]:
        for path, item in client.get(f"/openapi/v3/{document}")["paths"].items():
            filled = path.replace("{namespace}", "default").replace("{name}", "x")
            yield from ((method, filled) for method in ("get", "post", "put", "patch", "delete") if method in item)


def test_no_described_operation_ends_in_an_error_of_the_server(client: Client) -> None:
    asked = 0
    for method, path in _operations(client):
        headers = {"content-type": "application/merge-patch+json"} if method == "patch" else {}
        query = {} if method == "get" else {"dryRun": "All"}
        for body in BODIES if method in ("post", "put", "patch") else [None]:
            answer = client.ask(method.upper(), path, body, headers=headers, **query)
            assert answer.status < 500 or AS_THE_REAL_SERVER in str(answer.body), (method, path, body, answer.body)
            asked += 1
    assert asked > 300


@pytest.mark.parametrize("accept", [TABLE, PARTIAL, "application/yaml", "application/vnd.kubernetes.protobuf"])
def test_everything_that_can_be_read_can_be_read_in_every_form(client: Client, accept: str) -> None:
    for method, path in _operations(client):
        if method == "get":
            answer = client.ask("GET", path, accept=accept)
            assert answer.status in (200, 204, 400, 404, 406), (path, answer.body)
