"""The loss of a node: its kubelet falls silent, the control plane notices, its pods are given up.

Heartbeats are not sent; their absence is computed. A node controller marks the node after its grace of 40 s and the
pods that do not tolerate that for longer are deleted 300 s later; being deleted, they stay until the node is back.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.ports import Document
from sim.apiserver.server import ApiServer
from sim.cluster import nodes
from sim.cluster.api import PODS, Api, component_user
from sim.loop import Loop

if TYPE_CHECKING:
    from sim.clock import Clock
    from sim.cluster.kubelet import Kubelet

GRACE_US = 40_000_000
TOLERATION_US = 300_000_000
UNREACHABLE = "node.kubernetes.io/unreachable"


class NodeController:
    """``kubelet`` finds a node's kubelet; it must know the node."""

    def __init__(self, server: ApiServer, loop: Loop, clock: "Clock", kubelet: Callable[[str], "Kubelet"]) -> None:
        self._api = Api(server, component_user("system:kube-controller-manager"), "kube-controller-manager")
        self._loop = loop
        self._clock = clock
        self._kubelet = kubelet
        self._losses: dict[str, int] = {}

    def lose(self, node: str) -> None:
        """The node dies at this instant: nothing of it runs or answers any more."""
        kubelet = self._kubelet(node)
        if kubelet.down:
            return
        kubelet.die()
        loss = self._losses[node] = self._losses.get(node, 0) + 1
        self._loop.after(GRACE_US, self._notice, node, loss)

    def recover(self, node: str) -> None:
        """The node boots: its kubelet finds none of its containers and reports so."""
        kubelet = self._kubelet(node)
        if not kubelet.down:
            return
        self._losses[node] += 1
        self._mark(node, "True", "KubeletReady", "kubelet is posting ready status")
        kubelet.boot(self._pods(node))

    def _pods(self, node: str) -> list[Document]:
        return [
            pod
            for pod in self._api.server.items(PODS)
            if pod["spec"].get("nodeName") == node
            and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        ]

    def _notice(self, node: str, loss: int) -> None:
        if self._losses[node] != loss:
            return
        self._mark(node, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        for pod in self._pods(node):
            self._unready(pod)
        self._loop.after(TOLERATION_US, self._evict, node, loss)

    def _unready(self, pod: Document) -> None:
        """The pod counts as ready no longer."""
        status = pod.get("status") or {}
        now = self._clock.timestamp()
        conditions = [
            {**one, "status": "False", "lastTransitionTime": now}
            if one["type"] == "Ready" and one["status"] == "True"
            else one
            for one in status.get("conditions", ())
        ]
        if conditions != status.get("conditions"):
            self._api.write_pod_status(pod, {**status, "conditions": conditions})

    def _evict(self, node: str, loss: int) -> None:
        if self._losses[node] != loss:
            return
        for pod in self._pods(node):
            if "deletionTimestamp" not in pod["metadata"]:
                self._api.delete_pod(pod)

    def _mark(self, name: str, ready: str, reason: str, message: str) -> None:
        node = self._api.find(nodes.NODES, "", name)
        if node is None:
            return
        now = self._clock.timestamp()
        changed = nodes.with_condition(node, nodes.condition("Ready", ready, reason, message, now))
        self._api.patch(nodes.NODES, "", name, {"status": changed}, subresource="status")
        if ready == "True":
            spec = nodes.without_taint(node, UNREACHABLE)
        else:
            spec = nodes.with_taint(node, UNREACHABLE, "NoSchedule")
            spec = nodes.with_taint({"spec": spec}, UNREACHABLE, "NoExecute", now)
        self._api.patch(nodes.NODES, "", name, {"spec": spec})
