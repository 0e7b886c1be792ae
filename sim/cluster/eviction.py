"""Eviction by a kubelet whose node runs out of memory, and the draining of nodes through the API.

A kubelet looks every ten seconds whether less than 100 MiB are available; it evicts one pod per look, without grace,
until there is room, and reports the pressure for at least five minutes. Nothing is computed while memory is ample.
"""

from typing import TYPE_CHECKING

from controller.ports import Document
from sim.cluster import nodes, stopping
from sim.cluster.api import PODS, Api
from sim.cluster.containers import Container
from sim.cluster.memory import request_bytes
from sim.cluster.quantities import binary

if TYPE_CHECKING:
    from sim.cluster.kubelet import Kubelet
    from sim.cluster.worker import PodWorker

THRESHOLD_BYTES = 100 * 1024**2
LOOK_US = 10_000_000
PRESSURE_US = 300_000_000
PRESSURE_TAINT = "node.kubernetes.io/memory-pressure"


class NodeMemory:
    """What the containers of one node use. ``capacity`` in bytes."""

    __slots__ = ("_kubelet", "_looking", "_pressed_at_us", "_used", "_using", "capacity")

    def __init__(self, kubelet: "Kubelet", capacity: int) -> None:
        self.capacity = capacity
        self._kubelet = kubelet
        self._used = 0
        self._using: dict[tuple[str, str], tuple[PodWorker, Container, int]] = {}
        self._looking = False
        self._pressed_at_us: int | None = None

    def take(self, worker: "PodWorker", container: Container, amount: int) -> None:
        """A container uses up to ``amount`` from now on; never more than its limit."""
        limit = (container.spec.get("resources") or {}).get("limits") or {}
        if "memory" in limit:
            amount = min(amount, request_bytes({"resources": {"requests": limit}}))
        self._using[worker.uid, container.name] = (worker, container, amount)
        self._used += amount
        if not self._looking and self._short():
            self._look_later()

    def give_back(self, worker: "PodWorker", container: Container) -> None:
        if self._using:
            found = self._using.pop((worker.uid, container.name), None)
            if found is not None:
                self._used -= found[2]

    def _short(self) -> bool:
        return self.capacity - self._used < THRESHOLD_BYTES

    def _look_later(self) -> None:
        self._looking = True
        now_us = self._kubelet.loop.now_us
        self._kubelet.loop.after(LOOK_US - now_us % LOOK_US, self._look)

    def _look(self) -> None:
        self._looking = False
        if self._kubelet.memory is self and self._short():
            self._press()
            self._evict()
            self._look_later()

    def _evict(self) -> None:
        """End the pod that exceeds its requests most, at once."""
        candidates = [found for found in self._using.values() if not found[0].stopping]
        if not candidates:
            return
        worker, container, amount = max(candidates, key=lambda found: found[2] - request_bytes(found[1].spec))
        request = request_bytes(container.spec)
        message = (
            f"The node was low on resource: memory. Threshold quantity: {binary(THRESHOLD_BYTES)}, "
            f"available: {max(self.capacity - self._used, 0) // 1024}Ki. "
            f"Container {container.name} was using {amount // 1024}Ki, request is {binary(request) if request else 0}, "
            "has larger consumption of memory. "
        )
        evict(worker, message)

    def _press(self) -> None:
        first = self._pressed_at_us is None
        self._pressed_at_us = self._kubelet.loop.now_us
        if first:
            self._report("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
            self._kubelet.loop.after(PRESSURE_US, self._relieve)

    def _relieve(self) -> None:
        if self._kubelet.memory is not self:
            return  # the node died meanwhile
        assert self._pressed_at_us is not None
        rest_us = self._pressed_at_us + PRESSURE_US - self._kubelet.loop.now_us
        if rest_us > 0:
            self._kubelet.loop.after(rest_us, self._relieve)
            return
        self._pressed_at_us = None
        self._report("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")

    def _report(self, status: str, reason: str, message: str) -> None:
        """The node's condition, and the taint that the node controller derives from it."""
        kubelet = self._kubelet
        now = kubelet.clock.timestamp()
        node = kubelet.api.find(nodes.NODES, "", kubelet.node)
        if node is None:
            return
        changed = nodes.with_condition(node, nodes.condition("MemoryPressure", status, reason, message, now))
        kubelet.api.patch(nodes.NODES, "", kubelet.node, {"status": changed}, subresource="status")
        if status == "True":
            spec = nodes.with_taint(node, PRESSURE_TAINT, "NoSchedule")
        else:
            spec = nodes.without_taint(node, PRESSURE_TAINT)
        kubelet.api.patch(nodes.NODES, "", kubelet.node, {"spec": spec})


def evict(worker: "PodWorker", message: str) -> None:
    """Fail the pod as a kubelet does under pressure; ``message`` is what its status will say."""
    now = worker.kubelet.clock.timestamp()
    worker.conditions.set("DisruptionTarget", "True", now, "TerminationByKubelet", message)
    stopping.fail(worker, "Evicted", message, 0)


def drain(api: Api, node: str) -> list[Document]:
    """Cordon the node and evict its unfinished pods through the API, as ``kubectl drain``; answers those pods."""
    api.patch(nodes.NODES, "", node, {"spec": {"unschedulable": True}})
    drained = []
    for pod in list(api.server.items(PODS)):
        phase = (pod.get("status") or {}).get("phase")
        if pod["spec"].get("nodeName") == node and phase not in ("Succeeded", "Failed"):
            api.evict_pod(pod)
            drained.append(pod)
    return drained
