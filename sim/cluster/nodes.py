"""Node objects: what a kubelet registers, and the changes that others make to them."""

from collections.abc import Iterator
from typing import Any

from controller.ports import Document, Resource
from sim.cluster.options import NodePool

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
VERSION = "v1.36.2"

_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def names(pool: NodePool) -> Iterator[str]:
    return (f"{pool.name}-{index}" for index in range(pool.count))


def document(pool: NodePool, name: str, address: str, now: str) -> Document:
    """The Node as its kubelet registers it, healthy."""
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        **dict(pool.labels),
    }
    capacity = {"cpu": pool.cpu, "memory": pool.memory, "pods": str(pool.pods)}
    spec: dict[str, Any] = {}
    if pool.taints:
        spec["taints"] = [{"key": key, "value": value, "effect": effect} for key, value, effect in pool.taints]
    conditions = [condition(*healthy, now) for healthy in _HEALTHY]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "nodeInfo": {
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kernelVersion": "6.12.30-amd64",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "kubeProxyVersion": "",
                "kubeletVersion": VERSION,
                "containerRuntimeVersion": "containerd://2.1.4",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }


def condition(type_: str, status: str, reason: str, message: str, now: str) -> Document:
    return {
        "type": type_,
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def with_condition(node: Document, changed: Document) -> Document:
    """The node's status with one condition replaced; the others, and their times, stay."""
    status = node["status"]
    conditions = [changed if one["type"] == changed["type"] else one for one in status["conditions"]]
    return {**status, "conditions": conditions}


def with_taint(node: Document, key: str, effect: str, now: str = "") -> Document:
    """The node's spec with a taint added, once; ``now`` is when (NoExecute taints say so)."""
    spec = node["spec"]
    taints = [one for one in spec.get("taints", ()) if (one["key"], one["effect"]) != (key, effect)]
    taint = {"key": key, "effect": effect}
    if now:
        taint["timeAdded"] = now
    return {**spec, "taints": [*taints, taint]}


def without_taint(node: Document, key: str) -> Document:
    spec = node["spec"]
    return {**spec, "taints": [one for one in spec.get("taints", ()) if one["key"] != key]}
