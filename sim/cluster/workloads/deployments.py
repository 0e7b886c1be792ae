"""The Deployment controller: one ReplicaSet for every template, and the way from one to the next.

Source: kube-controller-manager's pkg/controller/deployment. Orphans are not adopted; a paused Deployment is scaled in
its newest ReplicaSet alone.
"""

from random import Random
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api, component_user
from sim.cluster.workloads.children import Children, owned_by, seconds_since
from sim.cluster.workloads.progress import status_of
from sim.cluster.workloads.queue import Key, Queue
from sim.cluster.workloads.replicasets import REPLICASETS
from sim.cluster.workloads.rollout import HASH, bounds_of, grown, same_template, shrunk, size, template_hash
from sim.cluster.workloads.statuses import Event, changed_status
from sim.loop import Loop

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MOST = "deployment.kubernetes.io/max-replicas"


class Deployments:
    def __init__(self, server: ApiServer, loop: Loop, clock: Clock, stream: Random) -> None:
        user = component_user("system:serviceaccount:kube-system:deployment-controller")
        self._api = Api(server, user, "deployment-controller")
        self._clock = clock
        self._queue = Queue(loop, stream, self._sync)
        self._sets = Children(server, REPLICASETS, self._set_changed)
        self._events = Event(self._api, clock, "deployment-controller")
        server.observe(lambda _type, _resource, _old, new: self._queue.add(_key(new)), DEPLOYMENTS)
        for document in server.items(DEPLOYMENTS):
            self._queue.add(_key(document))

    def _set_changed(self, namespace: str, kind: str, name: str) -> None:
        if kind == "Deployment":
            self._queue.add((namespace, name))

    def _sync(self, key: Key) -> None:
        found = self._api.find(DEPLOYMENTS, *key)
        if found is None:
            return
        if "deletionTimestamp" not in found["metadata"]:
            newest, olds = self._divided(found)
            if found["spec"].get("paused"):
                self._resize(found, newest, found["spec"].get("replicas", 1))
            elif (found["spec"].get("strategy") or {}).get("type") == "Recreate":
                self._recreate(found, newest, olds)
            else:
                self._roll(found, newest, olds)
        self._write_status(key)

    def _divided(self, owner: Document) -> tuple[Document | None, list[Document]]:
        """The ReplicaSet of the present template and the others, the oldest first."""
        sets = sorted(self._sets.of(owner), key=lambda one: (one["metadata"]["creationTimestamp"], _revision(one)))
        template = owner["spec"]["template"]
        newest = next((one for one in sets if same_template(one["spec"]["template"], template)), None)
        return newest, [one for one in sets if one is not newest]

    def _roll(self, owner: Document, newest: Document | None, olds: list[Document]) -> None:
        total = sum(size(one) for one in (*olds, *((newest,) if newest else ())))
        wanted = grown(owner["spec"], size(newest) if newest else 0, total)
        if newest is None:
            newest = self._begin(owner, olds, wanted)
        elif size(newest) != wanted:
            self._resize(owner, newest, wanted)
            return
        self._note_revision(owner, newest, olds)
        sizes = shrunk(owner["spec"], newest, olds)
        for one in olds:
            if one["metadata"]["name"] in sizes:
                self._resize(owner, one, sizes[one["metadata"]["name"]])
        self._tidy(owner, newest, olds)

    def _recreate(self, owner: Document, newest: Document | None, olds: list[Document]) -> None:
        for one in olds:
            self._resize(owner, one, 0)
        if any((one.get("status") or {}).get("replicas", 0) for one in olds):
            return
        replicas = owner["spec"].get("replicas", 1)
        if newest is None:
            newest = self._begin(owner, olds, replicas)
        self._resize(owner, newest, replicas)
        self._note_revision(owner, newest, olds)
        self._tidy(owner, newest, olds)

    def _begin(self, owner: Document, olds: list[Document], replicas: int) -> Document:
        """A ReplicaSet for a template that has none yet."""
        spec, metadata = owner["spec"], owner["metadata"]
        label = {HASH: template_hash(spec["template"])}
        inner = spec["template"].get("metadata") or {}
        selector = spec["selector"]
        template = {**spec["template"], "metadata": {**inner, "labels": {**(inner.get("labels") or {}), **label}}}
        annotations = {_DESIRED: str(spec.get("replicas", 1)), _MOST: str(_most(spec)), REVISION: _next(olds)}
        body = {
            "apiVersion": REPLICASETS.api_version,
            "kind": REPLICASETS.kind,
            "metadata": {
                "name": f"{metadata['name']}-{label[HASH]}",
                "labels": {**(inner.get("labels") or {}), **label},
                "annotations": annotations,
                "ownerReferences": [owned_by(owner, DEPLOYMENTS)],
            },
            "spec": {
                "replicas": replicas,
                "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **label}},
                "template": template,
                **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            },
        }
        created = self._api.create(REPLICASETS, metadata["namespace"], body)
        if replicas:
            self._tell_scaled(owner, created, 0, replicas)
        return created

    def _resize(self, owner: Document, one: Document | None, replicas: int) -> None:
        if one is None or size(one) == replicas:
            return
        metadata = one["metadata"]
        annotations = {_DESIRED: str(owner["spec"].get("replicas", 1)), _MOST: str(_most(owner["spec"]))}
        body = {"metadata": {"annotations": annotations}, "spec": {"replicas": replicas}}
        self._api.patch(REPLICASETS, metadata["namespace"], metadata["name"], body)
        self._tell_scaled(owner, one, size(one), replicas)

    def _tell_scaled(self, owner: Document, one: Document, before: int, after: int) -> None:
        way = "up" if after > before else "down"
        text = f"Scaled {way} replica set {one['metadata']['name']} from {before} to {after}"
        self._events.tell(DEPLOYMENTS, owner, "Normal", "ScalingReplicaSet", text)

    def _note_revision(self, owner: Document, newest: Document, olds: list[Document]) -> None:
        """An older template that is rolled back to becomes the newest revision."""
        revision = _revision(newest)
        if olds and revision <= max(_revision(one) for one in olds):
            revision = int(_next(olds))
            metadata = newest["metadata"]
            body = {"metadata": {"annotations": {REVISION: str(revision)}}}
            self._api.patch(REPLICASETS, metadata["namespace"], metadata["name"], body)
        if _revision(owner) != revision:
            metadata = owner["metadata"]
            body = {"metadata": {"annotations": {REVISION: str(revision)}}}
            self._api.patch(DEPLOYMENTS, metadata["namespace"], metadata["name"], body)

    def _tidy(self, owner: Document, newest: Document, olds: list[Document]) -> None:
        """Once a rollout is through, only so many old ReplicaSets are kept."""
        status = newest.get("status") or {}
        if status.get("availableReplicas", 0) < owner["spec"].get("replicas", 1):
            return
        limit = owner["spec"].get("revisionHistoryLimit", 10)
        idle = [one for one in olds if not size(one) and not (one.get("status") or {}).get("replicas", 0)]
        for one in sorted(idle, key=_revision)[: max(len(idle) - limit, 0)]:
            if "deletionTimestamp" not in one["metadata"]:
                self._api.delete(REPLICASETS, one["metadata"]["namespace"], one["metadata"]["name"])

    def _write_status(self, key: Key) -> None:
        owner = self._api.find(DEPLOYMENTS, *key)
        if owner is None:
            return
        newest, olds = self._divided(owner)
        old: dict[str, Any] = owner.get("status") or {}
        status = status_of(owner, newest, olds, self._clock)
        body = changed_status(old, status)
        if body:
            self._api.patch(DEPLOYMENTS, *key, body, subresource="status")
        self._await_deadline(key, owner, status)

    def _await_deadline(self, key: Key, owner: Document, status: dict[str, Any]) -> None:
        """Look again when a rollout that makes no progress has to be called late."""
        for one in status["conditions"]:
            if one["type"] == "Progressing" and one["reason"] in ("ReplicaSetUpdated", "NewReplicaSetCreated"):
                passed_s = seconds_since(one["lastUpdateTime"], self._clock.utcnow())
                left_s = owner["spec"].get("progressDeadlineSeconds", 600) - passed_s
                self._queue.add_after(key, max(int(left_s * 1_000_000), 0) + 1_000_000)


def _key(document: Document) -> Key:
    return document["metadata"]["namespace"], document["metadata"]["name"]


def _revision(document: Document) -> int:
    text = (document["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def _next(olds: list[Document]) -> str:
    return str(max((_revision(one) for one in olds), default=0) + 1)


def _most(spec: Document) -> int:
    return int(spec.get("replicas", 1)) + bounds_of(spec).surge
