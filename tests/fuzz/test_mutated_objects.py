"""Objects with something missing, doubled, emptied or of a wrong kind, in every kind of write; then time passes."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from victim import Victim

from scenarios import workflows

MUTATIONS = 60
ODD = (None, "", 0, -1, 1.5, True, "x", "a" * 70, "1Gi", [], {}, [None], [{}], {"a": None}, "\0", 2**40, "$(x)")
POD: dict[str, Any] = {
    "containers": [
        {
            "name": "c",
            "image": "i",
            "env": [
                {"name": "a", "value": "b"},
                {"name": "f", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            ],
            "ports": [{"containerPort": 80, "name": "http"}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
        }
    ],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "x"}}],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "securityContext": {"runAsNonRoot": True},
    "nodeSelector": {"a": "b"},
    "activeDeadlineSeconds": 10,
}
SELECTOR = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": {"type": "string", "enum": ["x"], "default": "x"},
                "l": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                },
                "m": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "x-kubernetes-validations": [{"rule": "self.a == 'x'", "message": "no"}],
        }
    },
}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": SCHEMA},
    "subresources": {"status": {}},
    "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}],
}
NAMES = {"plural": "odds", "singular": "odd", "kind": "Odd"}
IN_DEFAULT = "namespaces/default"
OBJECTS: dict[str, dict[str, Any]] = {
    f"/api/v1/{IN_DEFAULT}/pods": {"spec": {**POD, "restartPolicy": "Never"}},
    f"/api/v1/{IN_DEFAULT}/configmaps": {"data": {"a": "b"}, "binaryData": {"b": "AA=="}},
    f"/api/v1/{IN_DEFAULT}/resourcequotas": {"spec": {"hard": {"pods": "900"}, "scopes": ["NotTerminating"]}},
    f"/api/v1/{IN_DEFAULT}/limitranges": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
    "/api/v1/nodes": {
        "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": "1"}, "conditions": [{"type": "Ready", "status": "True"}]},
    },
    f"/apis/apps/v1/{IN_DEFAULT}/deployments": {"spec": {"replicas": 1, "selector": SELECTOR, "template": TEMPLATE}},
    f"/apis/batch/v1/{IN_DEFAULT}/jobs": {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}},
    f"/apis/rbac.authorization.k8s.io/v1/{IN_DEFAULT}/roles": {
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    },
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {
        "spec": {"group": "odd.example.com", "scope": "Namespaced", "names": NAMES, "versions": [VERSION]}
    },
    f"/apis/odd.example.com/v1/{IN_DEFAULT}/odds": {
        "apiVersion": "odd.example.com/v1",
        "kind": "Odd",
        "spec": {"a": "x", "l": [{"k": "a"}], "m": {"a": "b"}},
    },
    f"/apis/tekton.dev/v1/{IN_DEFAULT}/pipelineruns": {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "spec": {"pipelineSpec": {"tasks": [{"name": "t", "taskSpec": {"steps": [{"name": "s", "image": "i"}]}}]}},
    },
    "/apis/kubernaut.ai/v1alpha1/namespaces/kubernaut-system/workflowexecutions": {
        **workflows.load_folder()["increase-memory"].execution("x", "kubernaut-system", "payment/Deployment/x"),
    },
}
KINDS = {
    "pods": "Pod",
    "configmaps": "ConfigMap",
    "resourcequotas": "ResourceQuota",
    "limitranges": "LimitRange",
    "nodes": "Node",
    "deployments": "Deployment",
    "jobs": "Job",
    "roles": "Role",
    "customresourcedefinitions": "CustomResourceDefinition",
}
WRITES = {
    "POST": "application/json",
    "PUT": "application/json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
BLAMED = "failed to create typed patch object"  # by a real server, too, with code 500


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from places(one, (*path, key))


def mutated(stream: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(document, default=dict))
    for _ in range(stream.choice((1, 1, 2))):
        *way, last = stream.choice([path for path in places(changed) if path not in (("kind",), ("apiVersion",))])
        holder: Any = changed
        for key in way:
            holder = holder[key]
        odd = json.loads(json.dumps(stream.choice(ODD)))
        choice = stream.random()
        if choice < 0.3:
            del holder[last]
        elif choice < 0.4 and isinstance(holder, list):
            holder.append(holder[last])
        elif choice < 0.5 and isinstance(holder, dict):
            holder["extra"] = odd
        else:
            holder[last] = odd
    return changed


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.rpartition("/")[2])
def test_whatever_is_written_is_taken_or_refused_and_time_goes_on(victim: Victim, path: str) -> None:
    stream = random.Random(path)
    metadata = {"name": "odds.odd.example.com" if path.endswith("definitions") else "odd", "labels": {"a": "b"}}
    group, _, plural = path.replace(f"/{IN_DEFAULT}", "").partition("/")[2].partition("/")[2].rpartition("/")
    typed = {"apiVersion": group, "kind": KINDS.get(plural, "")}
    whole = json.loads(json.dumps({**typed, **OBJECTS[path], "metadata": metadata}, default=dict))
    name = metadata["name"]
    assert victim.client.post(path, json=whole).status_code == 201
    for _ in range(MUTATIONS):
        write, media = stream.choice(list(WRITES.items()))
        url = path if write == "POST" else f"{path}/{name}?fieldManager=m{stream.randrange(2)}"
        method = write if write.isupper() else "PATCH"
        body = json.dumps(mutated(stream, whole)).encode()
        answer = victim.client.request(method, url, content=body, headers={"content-type": media})
        assert answer.status_code < 500 or BLAMED in answer.text, f"{method} {url} {body!r}: {answer.text}"
    for media in ("application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/yaml"):
        assert victim.client.get(path, headers={"accept": media}).status_code == 200

    victim.server.step("10m")
