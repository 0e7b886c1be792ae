"""A real API server as :class:`controller.ports.Cluster` and :class:`~controller.ports.LogReader`."""

import math
from typing import Any
from urllib.parse import quote

from kubernetes.aio.client import Configuration

from controller.live.connection import Connection
from controller.live.stream import LiveStream
from controller.ports import Document, PatchType, Propagation, Resource, WatchStream

Operations = list[Document]
_PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_WATCH_MAX_S = 3600.0  # an API server ends a watch that names no timeout after half an hour to an hour
_OVERDUE_S = 30.0


class LiveCluster:
    """Use as ``async with LiveCluster(await from_kubeconfig(path), "my-controller") as cluster``.

    ``name`` is the field manager and the User-Agent; ``timeout_s`` bounds every request but a watch. One object serves
    any number of tasks of one event loop. It neither retries nor throttles: that is the runtime's business.
    """

    def __init__(self, configuration: Configuration, name: str, *, timeout_s: float = 60.0) -> None:
        self._name = name
        self._connection = Connection(configuration, f"{name}/live", timeout_s=timeout_s)

    async def __aenter__(self) -> "LiveCluster":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; watches under way break."""
        await self._connection.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Document:
        return await self._connection.document("GET", _object(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
    ) -> Document:
        query = {
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "limit": str(limit or ""),
            "continue": continue_token,
            "resourceVersion": resource_version,
        }
        return await self._connection.document("GET", _collection(resource, namespace), _given(query))

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        return await self._connection.document("POST", _collection(resource, namespace), body=body)

    async def update(
        self, resource: Resource, namespace: str, name: str, body: Document, *, subresource: str = ""
    ) -> Document:
        return await self._connection.document("PUT", _object(resource, namespace, name, subresource), body=body)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Document | Operations,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> Document:
        # Whoever applies owns what it applies: controllers do not negotiate about their own fields.
        query = {"fieldManager": self._name, "force": "true"} if patch_type == "apply" else None
        path = _object(resource, namespace, name, subresource)
        return await self._connection.document("PATCH", path, query, body, _PATCHES[patch_type])

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_s: int | None = None,
    ) -> Document:
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if grace_period_s is not None:
            options["gracePeriodSeconds"] = grace_period_s
        conditions = _given({"uid": uid or "", "resourceVersion": resource_version or ""})
        if conditions:
            options["preconditions"] = conditions
        return await self._connection.document("DELETE", _object(resource, namespace, name), body=options)

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout_s: float | None = None,
        bookmarks: bool = True,
    ) -> WatchStream:
        query = {
            "watch": "true",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": "" if timeout_s is None else str(math.ceil(timeout_s)),
            "allowWatchBookmarks": "true" if bookmarks else "",
        }
        path = _collection(resource, namespace)
        within_s = (_WATCH_MAX_S if timeout_s is None else timeout_s) + _OVERDUE_S
        return LiveStream(await self._connection.open(path, _given(query), within_s), path)

    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        """As the kubelet cuts it: of the last ``lines``, the first ``limit_bytes``."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(limit_bytes)}
        path = _object(Resource("", "v1", "pods", "Pod"), namespace, pod, "log")
        raw = await self._connection.read("GET", path, _given(query), limit_bytes=limit_bytes + 4)
        return raw[:limit_bytes].decode(errors="replace")


def _given(query: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if value}


def _collection(resource: Resource, namespace: str) -> str:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{root}/namespaces/{_segment(namespace)}/{resource.plural}" if namespace else f"{root}/{resource.plural}"


def _object(resource: Resource, namespace: str, name: str, subresource: str = "") -> str:
    path = f"{_collection(resource, namespace)}/{_segment(name)}"
    return f"{path}/{subresource}" if subresource else path


def _segment(name: str) -> str:
    """Raises ValueError on what would address something else: the whole collection, or another path."""
    if name in ("", ".", ".."):
        raise ValueError(f"{name!r} is no name of an object")
    return quote(name, safe="")
