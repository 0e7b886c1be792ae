"""Misspelled fields of builtin kinds, however deep: refused, told or silently dropped, as the client wants it."""

from typing import Any

import pytest
from asking import Client
from core_world import World

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
JSON = {"content-type": "application/json"}
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
def client() -> Client:
    return Client(World(managed_fields=True).server)


def _deployment(**container: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "A", "vaule": "x"}], **container}]},
    }
    spec = {"replcias": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "lables": {}}, "spec": spec}


PATHS = ["metadata.lables", "spec.replcias", "spec.template.spec.containers[0].env[0].vaule"]


def test_under_strict_they_are_refused_by_their_paths(client: Client) -> None:
    answer = client.ask("POST", DEPLOYMENTS, _deployment(), fieldValidation="Strict")
    assert answer.status == 400
    assert isinstance(answer.body, dict)
    listed = ", ".join(f'unknown field "{path}"' for path in PATHS)
    assert answer.body["message"] == (
        f'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: {listed}'
    )


def test_otherwise_they_are_told_and_not_stored(client: Client) -> None:
    answer = client.ask("POST", DEPLOYMENTS, _deployment())
    assert answer.headers["warning"] == [f'299 - "unknown field \\"{path}\\""' for path in PATHS]
    stored = client.get(f"{DEPLOYMENTS}/d")
    assert "replcias" not in stored["spec"]
    assert stored["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A"}]


def test_however_many_there_are_headers_stay_short(client: Client) -> None:
    body = {
        **_deployment(),
        "spec": {**_deployment()["spec"], **{f"{number:03d}{'x' * 400}": 1 for number in range(100)}},
    }
    warnings = client.ask("POST", DEPLOYMENTS, body).headers["warning"]
    assert 4096 // 256 <= len(warnings) <= 4096 // 256 + len(PATHS)
    assert max(map(len, warnings)) < 300


def test_who_wants_to_hear_nothing_hears_nothing(client: Client) -> None:
    answer = client.ask("POST", DEPLOYMENTS, _deployment(), fieldValidation="Ignore")
    assert (answer.status, "warning" in answer.headers) == (201, False)


def test_of_a_patch_they_make_the_patch_invalid(client: Client) -> None:
    client.post(DEPLOYMENTS, _deployment(), fieldValidation="Ignore")
    patch = {"spec": {"replcias": 3}}
    refused = client.ask("PATCH", f"{DEPLOYMENTS}/d", patch, headers=MERGE, fieldValidation="Strict")
    assert refused.status == 422
    assert isinstance(refused.body, dict)
    assert [one["field"] for one in refused.body["details"]["causes"]] == ["patch"]
    assert refused.body["message"].endswith('strict decoding error: unknown field "spec.replcias"')
    told = client.ask("PATCH", f"{DEPLOYMENTS}/d", patch, headers=MERGE)
    assert told.headers["warning"] == ['299 - "unknown field \\"spec.replcias\\""']


def test_what_may_hold_anything_holds_anything(client: Client) -> None:
    body = {"metadata": {"name": "c", "annotations": {"any.thing/at-all": "x"}}, "data": {"any": "x"}}
    answer = client.ask("POST", "/api/v1/namespaces/default/configmaps", body, fieldValidation="Strict")
    assert answer.status == 201
