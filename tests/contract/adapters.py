"""The adapters of the Cluster port, each with a small world behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from served import Served

from controller.live.access import from_kubeconfig
from controller.live.cluster import LiveCluster
from controller.ports import Cluster, Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.workload.distributions import Constant

_LIMIT_S = 10.0
_FIELDS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_WIDGETS: Document = {
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
                            "spec": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 10}}},
                            "status": _FIELDS,
                        },
                    }
                },
            }
        ],
    },
}
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")
Body = Callable[[Cluster], Awaitable[Any]]


def new_server() -> ApiServer:
    loop = Loop()
    server = ApiServer(loop, Streams(1), Clock(loop), collector_lag=Constant(1_000), guard=True)
    server.install_crd(_WIDGETS)
    loop.run_until(100_000)
    return server


class Simulated:
    def __init__(self) -> None:
        self._server = new_server()

    def run(self, body: Body) -> Any:
        """Run ``body`` as a client of the cluster, for ten seconds at most."""

        async def bounded() -> Any:
            async with asyncio.timeout(_LIMIT_S):
                return await body(self._server.client(ADMIN))

        return self._server.loop.run_until_complete(bounded())

    def change(self, act: Callable[[ApiServer], Any]) -> Any:
        """Do something to the API server itself."""
        return act(self._server)


class Live:
    def __init__(self, served: Served, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self.change = served.call

    def run(self, body: Body) -> Any:
        async def connected() -> Any:
            async with asyncio.timeout(_LIMIT_S), LiveCluster(await from_kubeconfig(self._kubeconfig), "test") as live:
                return await body(live)

        return asyncio.run(connected())


Adapter = Simulated | Live
