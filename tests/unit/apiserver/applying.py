"""A server on which several managers apply."""

from collections.abc import Mapping
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
THINGS = Resource("example.com", "v1", "things", "Thing")
_PORT = {
    "type": "object",
    "required": ["port"],
    "properties": {
        "port": {"type": "integer"},
        "protocol": {"type": "string", "default": "TCP"},
        "name": {"type": "string"},
    },
}
_SPEC = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer", "default": 1},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": _PORT,
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "steps": {"type": "array", "items": {"type": "string"}},
        "whole": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        },
        "inner": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
_STATUS = {"type": "object", "properties": {"phase": {"type": "string"}}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _SPEC, "status": _STATUS}}},
            }
        ],
    },
}


class Applying:
    def __init__(self, *, managed_fields: bool = True) -> None:
        self.loop = Loop()  # type: ignore[abstract]
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True, managed_fields=managed_fields)
        self.server.install_crd(DEFINITION)

    def apply(
        self, resource: Resource, manager: str, *, force: bool = False, subresource: str = "", **content: Any
    ) -> Document:
        """Of the object ``a``; ``metadata`` is added to its name."""
        metadata = {"name": "a", **content.pop("metadata", {})}
        config = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}
        self.loop.run_until(self.loop.now_us + 1_000_000)
        server = self.server
        return server.apply(
            ADMIN, resource, "default", "a", config, manager=manager, force=force, subresource=subresource
        )[0]

    def patch(self, resource: Resource, manager: str, body: Any, **options: Any) -> Document:
        self.loop.run_until(self.loop.now_us + 1_000_000)
        return self.server.patch(ADMIN, resource, "default", "a", body, manager=manager, **options)


def owners(document: Document) -> dict[str, Mapping[str, Any]]:
    """Field sets by ``manager operation[ subresource]``, in the order of the entries."""
    entries = document["metadata"].get("managedFields", ())
    return {
        " ".join(filter(None, (one["manager"], one["operation"], one.get("subresource")))): one["fieldsV1"]
        for one in entries
    }
