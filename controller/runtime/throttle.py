"""Client-side throttling: what a clientset's QPS and burst do to the controllers that share it."""

import asyncio
from collections.abc import Callable

from controller.ports import Cluster, Document, PatchType, Propagation, Resource, WatchStream
from controller.runtime.bucket import TokenBucket

JsonPatch = list[Document]


class Throttled:
    """A Cluster behind a token bucket, as client-go's flow control: every request takes a token, first come first
    served; a watch takes one when it is opened. Share one instance where controllers share a clientset.

    ``on_wait`` is told the seconds of every wait.
    """

    def __init__(self, cluster: Cluster, qps: float, burst: int, *, on_wait: Callable[[float], None] | None = None):
        self._cluster = cluster
        self._bucket = TokenBucket(qps, burst)
        self._on_wait = on_wait

    def _wait_s(self) -> float:
        """Take a token; answers the seconds until it is valid. Most calls wait for nothing, so no coroutine for it."""
        wait_s = self._bucket.reserve_s(asyncio.get_running_loop().time())
        if wait_s and self._on_wait is not None:
            self._on_wait(wait_s)
        return wait_s

    async def get(self, resource: Resource, namespace: str, name: str) -> Document:
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.get(resource, namespace, name)

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
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.list(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
        )

    async def create(self, resource: Resource, namespace: str, body: Document) -> Document:
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.create(resource, namespace, body)

    async def update(
        self, resource: Resource, namespace: str, name: str, body: Document, *, subresource: str = ""
    ) -> Document:
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.update(resource, namespace, name, body, subresource=subresource)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Document | JsonPatch,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
    ) -> Document:
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.patch(
            resource, namespace, name, body, patch_type=patch_type, subresource=subresource
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
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.delete(
            resource,
            namespace,
            name,
            propagation=propagation,
            uid=uid,
            resource_version=resource_version,
            grace_period_s=grace_period_s,
        )

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
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._cluster.watch(
            resource,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
            timeout_s=timeout_s,
            bookmarks=bookmarks,
        )
