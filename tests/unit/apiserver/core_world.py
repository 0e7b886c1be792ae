"""A bare server with a small custom kind, and what every core test does with them."""

from collections.abc import Coroutine
from typing import Any

import pytest

from controller.ports import ApiError, Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.workload.distributions import Constant

HOLD = "example.com/hold"
_SPEC = {
    "type": "object",
    "properties": {"size": {"type": "integer", "maximum": 10, "default": 1}, "note": {"type": "string"}},
}
WIDGET_DEFINITION: Document = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": _SPEC,
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


class World:
    """A server with guard on, its loop, and the admin's shorthand for the verbs."""

    def __init__(self, seed: int = 1, **options: Any) -> None:
        self.loop = Loop()
        self.server = ApiServer(
            self.loop, Streams(seed), Clock(self.loop), guard=True, **{"collector_lag": Constant(10_000), **options}
        )
        self.widgets = self.server.install_crd(WIDGET_DEFINITION)
        self.configmaps = self.server.resource("", "configmaps")
        self.namespaces = self.server.resource("", "namespaces")
        self.pods = self.server.resource("", "pods")
        self.events = self.server.resource("", "events")

    def create(self, resource: Resource, name: str, namespace: str = "default", **fields: Any) -> Document:
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **fields}
        return self.server.create(ADMIN, resource, namespace, body)

    def get(self, resource: Resource, name: str, namespace: str = "default") -> Document:
        return self.server.get(ADMIN, resource, namespace, name)

    def update(self, resource: Resource, body: Document, **options: Any) -> Document:
        return self.server.update(ADMIN, resource, "default", body["metadata"]["name"], body, **options)

    def patch(self, resource: Resource, name: str, body: Any, **options: Any) -> Document:
        return self.server.patch(ADMIN, resource, "default", name, body, **options)

    def delete(self, resource: Resource, name: str, **options: Any) -> Document:
        return self.server.delete(ADMIN, resource, "default", name, **options)

    def names(self, resource: Resource, namespace: str = "default", **options: Any) -> list[str]:
        found = self.server.list(ADMIN, resource, namespace, **options)
        return [one["metadata"]["name"] for one in found["items"]]

    def exists(self, resource: Resource, name: str) -> bool:
        return self.server.find(resource, "default", name) is not None

    def wait(self, seconds: float) -> None:
        self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000))

    def run(self, task: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(task)


def refusal(code: int, reason: str) -> Any:
    """Expect an ApiError; use as ``with refusal(409, "Conflict") as caught``."""
    return pytest.raises(ApiError, check=lambda error: (error.code, error.reason) == (code, reason))


def owned_by(owner: Document, **flags: bool) -> dict[str, Any]:
    """Metadata that names ``owner``."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        **flags,
    }
    return {"ownerReferences": [reference]}
