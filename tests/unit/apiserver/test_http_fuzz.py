"""Nothing that a client sends makes the server fail where a real one would not."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from http_world import Answer, HttpWorld
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEFAULT = "namespaces/default"
_SEGMENTS = """api v1 apis apps namespaces default configmaps pods deployments nodes a status scale eviction binding log
    events events.k8s.io coordination.k8s.io leases .. %2f é rbac.authorization.k8s.io clusterroles apiextensions.k8s.io
    customresourcedefinitions openapi v2 v3 version healthz livez authorization.k8s.io selfsubjectaccessreviews"""
_PLACES = f"""/api/v1/namespaces /api/v1/{DEFAULT}/configmaps /api/v1/{DEFAULT}/configmaps/a /api/v1/{DEFAULT}/pods
    /api/v1/{DEFAULT}/pods/a/status /api/v1/nodes /api/v1/events /apis/apps/v1/{DEFAULT}/deployments
    /apis/apps/v1/{DEFAULT}/deployments/a/scale /apis/apiextensions.k8s.io/v1/customresourcedefinitions
    /apis/coordination.k8s.io/v1/{DEFAULT}/leases /apis/rbac.authorization.k8s.io/v1/clusterrolebindings
    /apis/authorization.k8s.io/v1/subjectaccessreviews /api/v1/{DEFAULT}/pods/a/eviction /api/v1/{DEFAULT}/pods/a/log
    /api/v1/{DEFAULT}/serviceaccounts/default/token /apis/authentication.k8s.io/v1/tokenreviews"""
_WORDS = """a default v1 Pod ConfigMap Deployment true false 0 -1 5m a=b a,in,(b !x metadata.name=a All Strict
    Background NotOlderThan Exact 99999999999999999999 é 2026-01-05T08:00:00Z 1e3 100Mi"""
_OPTIONS = """labelSelector fieldSelector limit continue resourceVersion resourceVersionMatch dryRun pretty fieldManager
    fieldValidation force timeout propagationPolicy gracePeriodSeconds container sendInitialEvents orphanDependents
    tailLines limitBytes includeObject"""
_FIELDS = """kind apiVersion metadata name namespace labels annotations spec status data uid resourceVersion finalizers
    ownerReferences containers replicas selector template op path value generateName creationTimestamp managedFields
    rules subjects roleRef versions group"""
_TYPES = """application/json application/yaml application/merge-patch+json application/json-patch+json text/plain ;
    application/strategic-merge-patch+json application/apply-patch+yaml application/vnd.kubernetes.protobuf"""
_ACCEPTS = """*/* application/json application/json;as=Table;v=v1;g=meta.k8s.io text/html application/yaml ,;=
    application/vnd.kubernetes.protobuf application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"""
_METHODS = "GET POST PUT PATCH DELETE HEAD OPTIONS TRACE BREW"

WORDS = st.sampled_from(["", *_WORDS.split()]) | st.text(max_size=12)
PATHS = st.sampled_from(_PLACES.split()) | st.lists(st.sampled_from(_SEGMENTS.split()), max_size=7).map(
    lambda parts: "/" + "/".join(parts)
)
OPTIONS = st.dictionaries(st.sampled_from(_OPTIONS.split()), WORDS, max_size=3)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS.split()) | WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40) | st.just(b"")
TYPES = st.sampled_from(["", *_TYPES.split()])
ACCEPTS = st.sampled_from(["", *_ACCEPTS.split()])
METHODS = st.sampled_from(_METHODS.split())

_POD = {
    "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "a", "value": "b"}]}]
}
_WIDGETS = {
    "group": "f.example.com",
    "scope": "Namespaced",
    "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["w"]},
    "versions": [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
            "schema": {
                "openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 1}}}
                    },
                }
            },
        }
    ],
}
_RBAC = "rbac.authorization.k8s.io"
KINDS: dict[str, dict[str, Any]] = {
    f"/api/v1/{DEFAULT}/configmaps": {"data": {"k": "v"}, "binaryData": {"b": "aGk="}, "immutable": False},
    f"/api/v1/{DEFAULT}/secrets": {"type": "Opaque", "data": {"k": "aGk="}, "stringData": {"s": "t"}},
    f"/api/v1/{DEFAULT}/pods": {"spec": _POD},
    f"/api/v1/{DEFAULT}/resourcequotas": {"spec": {"hard": {"pods": "1", "requests.cpu": "2"}}},
    f"/api/v1/{DEFAULT}/limitranges": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
    f"/apis/apps/v1/{DEFAULT}/deployments": {
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD},
        }
    },
    f"/apis/batch/v1/{DEFAULT}/jobs": {"spec": {"template": {"spec": {**_POD, "restartPolicy": "Never"}}}},
    f"/apis/coordination.k8s.io/v1/{DEFAULT}/leases": {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}},
    f"/apis/{_RBAC}/v1/clusterroles": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    f"/apis/{_RBAC}/v1/clusterrolebindings": {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "User", "name": "a", "apiGroup": _RBAC}],
    },
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {"spec": _WIDGETS},
    "/apis/authorization.k8s.io/v1/subjectaccessreviews": {
        "spec": {"user": "a", "resourceAttributes": {"verb": "get", "resource": "pods"}}
    },
}


def _places(document: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [above, *(place for key, value in inside for place in _places(value, (*above, key)))]


def _replaced(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    new = dict(document) if isinstance(document, dict) else list(document)
    new[place[0]] = _replaced(document[place[0]], place[1:], value)
    return new


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Any, Any]:
    """A path, an object that can be created there, and the same with one value that does not belong there."""
    path = draw(st.sampled_from(list(KINDS)))
    name = "widgets.f.example.com" if path.endswith("definitions") else "a"
    whole = {"metadata": {"name": name, "labels": {"l": "x"}, "finalizers": ["example.com/f"]}, **KINDS[path]}
    place = draw(st.sampled_from(_places(whole)))
    return path, whole, _replaced(whole, place, draw(VALUES))


def _failed(answer: Answer) -> bool:
    """A real server, too, answers 500 to versions that are no numbers; its own faults have a reason."""
    found: Any = answer.json if answer.headers.get("content-type") == "application/json" and answer.text else {}
    return answer.status >= 500 and isinstance(found, dict) and found.get("reason") == "InternalError"


_settings = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@_settings
@given(METHODS, PATHS, OPTIONS, BODIES, TYPES, ACCEPTS)
def test_no_request_is_the_servers_fault(
    method: str, path: str, options: dict[str, str], body: bytes, content_type: str, accept: str
) -> None:
    async def run() -> tuple[Answer, Answer]:
        world = HttpWorld(strangers=True)
        query = urlencode(options, errors="replace")
        answer = await world.ask(method, path, body, query=query, content_type=content_type, accept=accept)
        return answer, await world.ask("GET", "/api/v1/namespaces/kube-system")

    answer, after = asyncio.run(run())

    assert not _failed(answer), answer.text
    assert after.status == 200


@_settings
@given(damaged(), st.sampled_from(["create", "update", "merge", "apply", "dry run"]))
def test_no_object_is_the_servers_fault(objects: tuple[str, Any, Any], verb: str) -> None:
    path, whole, broken = objects

    async def run() -> list[Answer]:
        world = HttpWorld(strangers=True)
        answers = []
        if verb not in ("create", "dry run"):
            answers.append(await world.ask("POST", path, whole))
        at = f"{path}/{whole['metadata']['name']}"
        if verb in ("create", "dry run"):
            answers.append(await world.ask("POST", path, broken, query="" if verb == "create" else "dryRun=All"))
        elif verb == "update":
            answers.append(await world.ask("PUT", at, broken))
        else:
            kind = "application/merge-patch+json" if verb == "merge" else "application/apply-patch+yaml"
            answers.append(await world.ask("PATCH", at, broken, query="fieldManager=f", content_type=kind))
        await world.pump.step(1_000_000)
        answers.append(await world.ask("GET", path))
        answers.append(await world.ask("GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io"))
        answers.append(await world.ask("DELETE", at))
        assert world.pump.broken is None
        return answers

    for answer in asyncio.run(run()):
        assert not _failed(answer), answer.text
