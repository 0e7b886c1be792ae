"""What a Deployment's status says: counts of its ReplicaSets, and whether it is available and getting on.

Source: kube-controller-manager's pkg/controller/deployment (sync.go, progress.go).
"""

from typing import Any

from controller.ports import Document
from sim.clock import Clock
from sim.cluster.workloads.children import seconds_since
from sim.cluster.workloads.rollout import available, bounds_of
from sim.cluster.workloads.statuses import transitioned

_COUNTS = ("replicas", "readyReplicas", "availableReplicas")
_ENOUGH = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
_TOO_FEW = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")


def status_of(owner: Document, newest: Document | None, olds: list[Document], clock: Clock) -> dict[str, Any]:
    """The whole status; what is zero stands there, too."""
    sets = [*olds, *((newest,) if newest else ())]
    counts = {key: sum((one.get("status") or {}).get(key, 0) for one in sets) for key in _COUNTS}
    replicas = owner["spec"].get("replicas", 1)
    status: dict[str, Any] = {
        "observedGeneration": owner["metadata"].get("generation", 1),
        **counts,
        "updatedReplicas": ((newest or {}).get("status") or {}).get("replicas", 0),
        "unavailableReplicas": max(replicas - counts["availableReplicas"], 0),
    }
    old, now = owner.get("status") or {}, clock.timestamp()
    enough = counts["availableReplicas"] >= replicas - bounds_of(owner["spec"]).unavailable
    verdict = _ENOUGH if enough else _TOO_FEW
    conditions = [transitioned(old, "Available", *verdict, now), _progressing(owner, old, newest, status, clock)]
    failed = [one for each in sets for one in (each.get("status") or {}).get("conditions") or ()]
    conditions += [
        transitioned(old, "ReplicaFailure", "True", one["reason"], one["message"], now) for one in failed[:1]
    ]
    known = [one["type"] for one in old.get("conditions") or ()]
    conditions.sort(key=lambda one: known.index(one["type"]) if one["type"] in known else len(known))
    return {**status, "conditions": conditions}


def _progressing(
    owner: Document, old: Document, newest: Document | None, status: dict[str, Any], clock: Clock
) -> dict[str, Any]:
    name, now = owner["metadata"]["name"], clock.timestamp()
    known = next((one for one in old.get("conditions") or () if one["type"] == "Progressing"), None)
    if newest is None:
        return dict(known) if known else transitioned(old, "Progressing", "True", "DeploymentCreated", name, now)
    set_name = newest["metadata"]["name"]
    replicas = owner["spec"].get("replicas", 1)
    complete = status["updatedReplicas"] == status["replicas"] == replicas and available(newest) >= replicas
    if complete:
        text = f'ReplicaSet "{set_name}" has successfully progressed.'
        return transitioned(old, "Progressing", "True", "NewReplicaSetAvailable", text, now)
    if known is None:
        text = f'Created new replica set "{set_name}"'
        return transitioned(old, "Progressing", "True", "NewReplicaSetCreated", text, now)
    moved = (
        status["updatedReplicas"] > old.get("updatedReplicas", 0)
        or status["readyReplicas"] > old.get("readyReplicas", 0)
        or status["availableReplicas"] > old.get("availableReplicas", 0)
        or status["replicas"] - status["updatedReplicas"] < old.get("replicas", 0) - old.get("updatedReplicas", 0)
        or owner["metadata"].get("generation", 1) != old.get("observedGeneration")
    )
    if moved:
        text = f'ReplicaSet "{set_name}" is progressing.'
        found = transitioned(old, "Progressing", "True", "ReplicaSetUpdated", text, now)
        return {**found, "lastUpdateTime": now}
    waited_s = seconds_since(known["lastUpdateTime"], clock.utcnow())
    late = waited_s >= owner["spec"].get("progressDeadlineSeconds", 600)
    if late and known["reason"] != "NewReplicaSetAvailable":
        text = f'ReplicaSet "{set_name}" has timed out progressing.'
        return transitioned(old, "Progressing", "False", "ProgressDeadlineExceeded", text, now)
    return dict(known)
