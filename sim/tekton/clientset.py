"""A clientset: one identity's requests behind one rate limit, dry runs included."""

import asyncio

from controller.ports import Cluster, Document, Resource
from controller.runtime.throttle import Throttled
from sim.apiserver.identity import User
from sim.apiserver.server import ApiServer


class DryRuns:
    """Creates that store nothing. The ports know no dry run, for no controller of ours asks for one."""

    def __init__(self, server: ApiServer, user: User, component: str) -> None:
        self._server = server
        self._user = user
        self._component = component
        self._latency = server.latency.of("create")
        self._stream = server.streams(f"tekton.dry-runs.{component}")

    async def __call__(self, resource: Resource, namespace: str, body: Document) -> Document:
        """Validate and default as a create would. Raises ApiError."""
        await self._server.loop.pause(self._latency.sample_us(self._stream))
        self._server.calls[self._component, "create", resource.group_resource].count += 1
        return self._server.create(self._user, resource, namespace, body, dry_run=True)


class Limited(Throttled):
    """A clientset with a token bucket, from which dry runs are paid too."""

    def __init__(self, cluster: Cluster, dry_runs: DryRuns, qps: float, burst: int) -> None:
        super().__init__(cluster, qps, burst)
        self._dry_runs = dry_runs

    async def dry_run(self, resource: Resource, namespace: str, body: Document) -> Document:
        if wait_s := self._wait_s():
            await asyncio.sleep(wait_s)
        return await self._dry_runs(resource, namespace, body)


def limited(cluster: Cluster, qps: float | None, burst: int) -> Cluster:
    """``cluster`` behind a token bucket of its own, or as it is when ``qps`` is None."""
    return cluster if qps is None else Throttled(cluster, qps, burst)
