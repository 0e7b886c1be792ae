"""One place through which every call of a client passes, so that a fault is one function."""

from collections.abc import Awaitable, Callable
from typing import Any

from controller.ports import Cluster, Document, PatchType, Propagation, Resource, WatchStream

Around = Callable[[str, Resource, str, Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""``(verb, resource, name, call) -> answer``; may call, call twice, not call, or never answer."""

Operations = list[Document]  # named out here: inside the class, list is the verb


VERBS = ("get", "list", "create", "update", "patch", "delete", "watch")


class Intercepted:
    """The Cluster port with ``around`` wrapped about each call of ``verbs``; the others go straight through."""

    def __init__(self, cluster: Cluster, around: Around, *, verbs: tuple[str, ...] = VERBS) -> None:
        self._cluster = cluster
        self._around = around
        for verb in VERBS:
            if verb not in verbs:
                setattr(self, verb, getattr(cluster, verb))

    async def get(self, resource: Resource, namespace: str, name: str) -> Document:
        return await self._around("get", resource, name, lambda: self._cluster.get(resource, namespace, name))  # type: ignore[no-any-return]

    async def list(self, resource: Resource, namespace: str = "", **options: Any) -> Document:
        return await self._around("list", resource, "", lambda: self._cluster.list(resource, namespace, **options))  # type: ignore[no-any-return]

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        name = body["metadata"].get("name", "")
        return await self._around("create", resource, name, lambda: self._cluster.create(resource, namespace, body))  # type: ignore[no-any-return]

    async def update(
        self, resource: Resource, namespace: str, name: str, body: Document, *, subresource: str = ""
    ) -> Document:
        return await self._around(  # type: ignore[no-any-return]
            "update",
            resource,
            name,
            lambda: self._cluster.update(resource, namespace, name, body, subresource=subresource),
        )

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
        return await self._around(  # type: ignore[no-any-return]
            "patch",
            resource,
            name,
            lambda: self._cluster.patch(
                resource, namespace, name, body, patch_type=patch_type, subresource=subresource
            ),
        )

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
        return await self._around(  # type: ignore[no-any-return]
            "delete",
            resource,
            name,
            lambda: self._cluster.delete(
                resource,
                namespace,
                name,
                propagation=propagation,
                uid=uid,
                resource_version=resource_version,
                grace_period_s=grace_period_s,
            ),
        )

    async def watch(self, resource: Resource, namespace: str = "", **options: Any) -> WatchStream:
        return await self._around("watch", resource, "", lambda: self._cluster.watch(resource, namespace, **options))  # type: ignore[no-any-return]
