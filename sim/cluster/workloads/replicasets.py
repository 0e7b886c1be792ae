"""The ReplicaSet controller: as many pods as are wanted, and what can be said of them.

Source: kube-controller-manager's pkg/controller/replicaset. Orphans are not adopted.
"""

from random import Random

from controller.ports import ApiError, Document, Resource
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import PODS, Api, component_user
from sim.cluster.workloads.children import Children, is_active, phase_of, pod_of, ready_since, seconds_since
from sim.cluster.workloads.queue import Key, Queue
from sim.cluster.workloads.statuses import Event, changed_status, transitioned
from sim.loop import Loop

REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
_BURST = 500  # pods created or deleted at one look
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class ReplicaSets:
    def __init__(self, server: ApiServer, loop: Loop, clock: Clock, stream: Random) -> None:
        user = component_user("system:serviceaccount:kube-system:replicaset-controller")
        self._api = Api(server, user, "replicaset-controller")
        self._clock = clock
        self._queue = Queue(loop, stream, self._sync)
        self._pods = Children(server, PODS, self._pod_changed)
        self._events = Event(self._api, clock, "replicaset-controller")
        server.observe(lambda _type, _resource, _old, new: self._queue.add(_key(new)), REPLICASETS)
        for document in server.items(REPLICASETS):
            self._queue.add(_key(document))

    def _pod_changed(self, namespace: str, kind: str, name: str) -> None:
        if kind == "ReplicaSet":
            self._queue.add((namespace, name))

    def _sync(self, key: Key) -> None:
        found = self._api.find(REPLICASETS, *key)
        if found is None:
            return
        failure = None if "deletionTimestamp" in found["metadata"] else self._manage(found)
        self._write_status(found, failure)
        if failure is not None:
            raise failure

    def _manage(self, owner: Document) -> ApiError | None:
        """Create or delete pods; answers why one could not be created."""
        active = [pod for pod in self._pods.of(owner) if is_active(pod)]
        missing = owner["spec"].get("replicas", 1) - len(active)
        namespace = owner["metadata"]["namespace"]
        for _ in range(min(missing, _BURST)):
            try:
                pod = self._api.create(PODS, namespace, pod_of(owner, REPLICASETS, owner["spec"]["template"]))
            except ApiError as error:
                text = f"Error creating: {error.message}"
                self._events.tell(REPLICASETS, owner, "Warning", "FailedCreate", text)
                return error
            self._events.tell(
                REPLICASETS, owner, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}"
            )
        for pod in sorted(active, key=_worth)[: max(-missing, 0)][:_BURST]:
            self._api.delete_pod(pod)
            text = f"Deleted pod: {pod['metadata']['name']}"
            self._events.tell(REPLICASETS, owner, "Normal", "SuccessfulDelete", text)
        return None

    def _write_status(self, owner: Document, failure: ApiError | None) -> None:
        pods = [pod for pod in self._pods.of(owner) if is_active(pod)]
        since = [at for pod in pods if (at := ready_since(pod)) is not None]
        wait_s, now = owner["spec"].get("minReadySeconds", 0), self._clock.utcnow()
        left_s = [wait_s - seconds_since(at, now) for at in since]
        young = [one for one in left_s if one > 0]
        if young:
            self._queue.add_after(_key(owner), int(min(young) * 1_000_000) + 1)
        old = owner.get("status") or {}
        conditions = [one for one in old.get("conditions") or () if one["type"] != "ReplicaFailure"]
        if failure is not None:
            now_text = self._clock.timestamp()
            conditions.append(
                transitioned(old, "ReplicaFailure", "True", "FailedCreate", failure.message, now_text, updates=False)
            )
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": len(since),
            "availableReplicas": len(since) - len(young),
            "observedGeneration": owner["metadata"].get("generation", 1),
            "conditions": conditions,
        }
        body = changed_status(old, status, always=("replicas",))
        if body:
            metadata = owner["metadata"]
            self._api.patch(REPLICASETS, metadata["namespace"], metadata["name"], body, subresource="status")


def _key(document: Document) -> Key:
    return document["metadata"]["namespace"], document["metadata"]["name"]


def _worth(pod: Document) -> tuple[bool, int, bool, str]:
    """Who goes first: who has no node, has not started, is not ready, and is younger."""
    age = "".join(chr(0x10FFFF - ord(letter)) for letter in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), _PHASES.get(phase_of(pod), 1), ready_since(pod) is not None, age
