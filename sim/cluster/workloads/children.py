"""What belongs to whom: objects by the uid of the controller that owns them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from controller.ports import Document, Resource, WatchType
from sim.apiserver.server import ApiServer
from sim.cluster.podstatus import TERMINAL

Changed = Callable[[str, str, str], None]
"""Namespace, kind and name of an owner of whom a child has changed."""


def controller_of(document: Document) -> Mapping[str, Any] | None:
    """The owner reference of the one that controls an object."""
    references = document["metadata"].get("ownerReferences") or ()
    return next((one for one in references if one.get("controller")), None)


class Children:
    """Keeps the controlled objects of one kind; tells of every change who owns the object."""

    def __init__(self, server: ApiServer, resource: Resource, changed: Changed) -> None:
        self._owned: dict[str, dict[str, Document]] = {}
        self._changed = changed
        for document in server.items(resource):
            self._seen("ADDED", resource, None, document)
        server.observe(self._seen, resource)

    def of(self, owner: Document) -> list[Document]:
        """In the order in which they came."""
        return list(self._owned.get(owner["metadata"]["uid"], {}).values())

    def _seen(self, type_: WatchType, _resource: Resource, _old: Document | None, document: Document) -> None:
        reference = controller_of(document)
        if reference is None:
            return
        metadata, uid = document["metadata"], reference["uid"]
        owned = self._owned.setdefault(uid, {})
        if type_ == "DELETED":
            owned.pop(metadata["name"], None)
            if not owned:
                del self._owned[uid]
        else:
            owned[metadata["name"]] = document
        self._changed(metadata["namespace"], reference["kind"], reference["name"])


def owned_by(owner: Document, resource: Resource) -> dict[str, Any]:
    """The reference that makes ``owner`` the controller of an object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_of(owner: Document, resource: Resource, template: Document) -> dict[str, Any]:
    """A pod of a template; its name is made of its owner's."""
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations", "finalizers") if metadata.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **kept,
            "generateName": f"{owner['metadata']['name']}-",
            "ownerReferences": [owned_by(owner, resource)],
        },
        "spec": template["spec"],
    }


def is_active(pod: Document) -> bool:
    """Whether a pod counts: neither ended nor about to go."""
    return "deletionTimestamp" not in pod["metadata"] and phase_of(pod) not in TERMINAL


def phase_of(pod: Document) -> str:
    return str((pod.get("status") or {}).get("phase", "Pending"))


def ready_since(pod: Document) -> str | None:
    """Since when a pod has been ready, as a timestamp; None while it is not."""
    for one in (pod.get("status") or {}).get("conditions") or ():
        if one["type"] == "Ready":
            return str(one["lastTransitionTime"]) if one["status"] == "True" else None
    return None


def seconds_since(timestamp: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(timestamp)).total_seconds()
