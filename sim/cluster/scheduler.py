"""The scheduler: one attempt at a time, the least allocated node that fits, back-off for pods that fit nowhere.

Pods that fit nowhere wait in classes of equal requests. When a node's capacity is freed, the head of every class that
now fits there is tried again, and its success wakes the next: so a full cluster costs nothing while nothing changes.
Preemption, affinity, spreading and the five-minute flush of left-overs are not modelled.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random

from controller.ports import Document
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api, component_user
from sim.cluster.fleet import Fleet
from sim.cluster.podstatus import TERMINAL, Conditions
from sim.cluster.requests import PodRequest, request_of
from sim.loop import Loop
from sim.workload.distributions import Distribution

_BACKOFF_FIRST_US = 1_000_000
_BACKOFF_MAX_US = 10_000_000
_NAME = "default-scheduler"


class _Pending:
    """A pod without a node."""

    __slots__ = ("attempts", "pod", "request", "tried_at_us", "waking")

    def __init__(self, pod: Document) -> None:
        self.pod = pod
        self.request = request_of(pod)
        self.attempts = 0
        self.tried_at_us = 0
        self.waking = False


class Scheduler:
    def __init__(
        self, server: ApiServer, loop: Loop, clock: Clock, stream: Random, attempt: Distribution, fleet: Fleet
    ) -> None:
        self._api = Api(server, component_user("system:kube-scheduler"), "kube-scheduler")
        self._loop = loop
        self._clock = clock
        self._draw: Callable[[], int] = partial(attempt.sample_us, stream)
        self._fleet = fleet
        self._pending: dict[str, _Pending] = {}
        self._active: list[tuple[int, int, str]] = []
        self._waiting: dict[PodRequest, dict[str, _Pending]] = {}
        self._holding: dict[str, tuple[str, PodRequest]] = {}
        self._arrivals = 0
        self._busy = False

    def unbound(self, pod: Document) -> None:
        """A pod without a node was seen, new or changed."""
        uid = pod["metadata"]["uid"]
        pending = self._pending.get(uid)
        if pending is not None:
            pending.pod = pod
            return
        if pod["spec"].get("schedulerName", _NAME) != _NAME or pod["spec"].get("schedulingGates"):
            return
        self._pending[uid] = _Pending(pod)
        self._enqueue(uid, pod)

    def bound(self, pod: Document) -> None:
        """A pod on a node was seen; whoever put it there, it takes its place."""
        uid = pod["metadata"]["uid"]
        if uid not in self._holding and pod["status"].get("phase") not in TERMINAL:
            self._forget(uid)
            self._hold(uid, pod["spec"]["nodeName"], request_of(pod))

    def over(self, uid: str) -> None:
        """The pod ended or is gone: what it held is free again."""
        held = self._holding.pop(uid, None)
        if held is None:
            self._forget(uid)
            return
        node, request = held
        self._fleet.give_back(node, request)
        if self._waiting:
            self.node_changed(node)

    def node_changed(self, node: str) -> None:
        """The node may take what it could not before."""
        for request, pods in self._waiting.items():
            if self._fleet.fits_on(node, request):
                self._wake(pods)

    def _enqueue(self, uid: str, pod: Document) -> None:
        self._arrivals += 1
        heappush(self._active, (-pod["spec"].get("priority", 0), self._arrivals, uid))
        if not self._busy:
            self._busy = True
            self._loop.after(self._draw(), self._attempt)

    def _attempt(self) -> None:
        active, pending = self._active, None
        while active and pending is None:
            uid = heappop(active)[2]
            pending = self._pending.get(uid)
            if pending is not None and "deletionTimestamp" in pending.pod["metadata"]:
                pending = None
        if pending is not None:
            self._place(uid, pending)
        if active:
            self._loop.after(self._draw(), self._attempt)
        else:
            self._busy = False

    def _place(self, uid: str, pending: _Pending) -> None:
        pending.attempts += 1
        pending.tried_at_us = self._loop.now_us
        request = pending.request
        node = self._fleet.find(request)
        if node is None:
            self._postpone(uid, pending)
            self._report(pending)
            return
        self._hold(uid, node, request)
        self._api.bind(pending.pod, node)
        self._pending.pop(uid, None)
        alike = self._waiting.get(request)
        if alike and self._fleet.find(request) is not None:
            self._wake(alike)

    def _hold(self, uid: str, node: str, request: PodRequest) -> None:
        self._holding[uid] = (node, request)
        self._fleet.take(node, request)

    def _forget(self, uid: str) -> None:
        """The pod needs no node any more; if it was to have room that is there, another takes its turn."""
        pending = self._pending.pop(uid, None)
        alike = self._waiting.get(pending.request) if pending is not None else None
        if pending is None or alike is None:
            return
        alike.pop(uid, None)
        if not alike:
            del self._waiting[pending.request]
        elif self._fleet.find(pending.request) is not None:
            self._wake(alike)

    def _postpone(self, uid: str, pending: _Pending) -> None:
        pending.waking = False
        self._waiting.setdefault(pending.request, {})[uid] = pending

    def _wake(self, pods: dict[str, _Pending]) -> None:
        uid, head = next(iter(pods.items()))
        if not head.waking:
            head.waking = True
            ready_us = head.tried_at_us + _back_off_us(head.attempts)
            self._loop.after(max(ready_us - self._loop.now_us, 0), self._again, uid)

    def _again(self, uid: str) -> None:
        pending = self._pending.get(uid)
        if pending is None:
            return
        alike = self._waiting.get(pending.request)
        if alike is not None and alike.pop(uid, None) is not None and not alike:
            del self._waiting[pending.request]
        pending.waking = False
        self._enqueue(uid, pending.pod)

    def _report(self, pending: _Pending) -> None:
        pod = pending.pod
        now = self._clock.timestamp()
        conditions = Conditions((pod.get("status") or {}).get("conditions", ()))
        before = conditions.listed()
        conditions.set("PodScheduled", "False", now, "Unschedulable", self._fleet.explain(pending.request))
        if conditions.listed() == before:
            return
        status = {**(pod.get("status") or {}), "conditions": conditions.listed()}
        self._api.write_pod_status(pod, status)


def _back_off_us(attempts: int) -> int:
    return min(_BACKOFF_FIRST_US << min(max(attempts, 1) - 1, 10), _BACKOFF_MAX_US)
