"""Defaults of pod specs and pod statuses, as the API server writes them (``SetDefaults_PodSpec`` and its kin).

Containers that many pods share (the very same object) are filled in once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.apiserver.quantity import thousandths

_KEPT = 2048
_SPEC: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
    "securityContext": {},
}
_CONTAINER: Mapping[str, Any] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_STATUS: Mapping[str, Any] = {
    "lastState": {},
    "state": {},
    "image": "",
    "imageID": "",
    "ready": False,
    "restartCount": 0,
}
_CONTAINERS = ("containers", "initContainers")
_MODED = ("secret", "configMap", "projected", "downwardAPI")
_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_TOLERATIONS = [
    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in (_NOT_READY, _UNREACHABLE)
]
_NEW_SPEC = {**_SPEC, "priority": 0, "preemptionPolicy": "PreemptLowerPriority", "tolerations": _TOLERATIONS}
_filled: dict[int, tuple[Document, Document]] = {}


def default_spec(spec: Document) -> dict[str, Any]:
    """A pod spec, or a pod template's, with its defaults. Raises ValueError for a bad quantity."""
    return _with_parts({**_SPEC, **spec})


def new_pod_spec(spec: Document) -> dict[str, Any]:
    """A new pod's spec: the defaults and what the Priority and DefaultTolerationSeconds plugins add."""
    full = _with_parts({**_NEW_SPEC, **spec})
    own = full["tolerations"]
    if own is not _TOLERATIONS:
        missing = [one for one in _TOLERATIONS if not any(_tolerates(given, one["key"]) for given in own or ())]
        full["tolerations"] = [*(own or ()), *missing]
    return full


def _with_parts(full: dict[str, Any]) -> dict[str, Any]:
    containers, init = full.get("containers"), full.get("initContainers")
    if containers:
        full["containers"] = [default_container(one) for one in containers]
    if init:
        full["initContainers"] = [default_container(one) for one in init]
    if full.get("volumes"):
        full["volumes"] = [_volume(one) for one in full["volumes"]]
    return full


def default_container(container: Document) -> Document:
    """A container with its defaults. Raises ValueError, the API server's text, for a bad quantity."""
    known = _filled.get(id(container))
    if known is not None:
        return known[1]
    full: dict[str, Any] = {**_CONTAINER, **container}
    if "imagePullPolicy" not in full:
        full["imagePullPolicy"] = pull_policy(full.get("image") or "")
    resources = full["resources"]
    if resources:
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for amount in (*limits.values(), *requests.values()):
            thousandths(amount)
        if not limits.keys() <= requests.keys():
            full["resources"] = {**resources, "requests": {**limits, **requests}}
    if full.get("ports"):
        full["ports"] = [{"protocol": "TCP", **port} for port in full["ports"]]
    if len(_filled) >= _KEPT:
        _filled.clear()
    _filled[id(container)] = (container, full)  # holding it keeps the id its own
    return full


@lru_cache(maxsize=4096)
def pull_policy(image: str) -> str:
    """``Always`` for an image without a tag or tagged ``latest``, unless a digest pins it."""
    if "@" in image:
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "IfNotPresent" if colon and tag != "latest" else "Always"


def _volume(volume: Document) -> Document:
    if "emptyDir" in volume:
        return volume
    for source in _MODED:
        inner = volume.get(source)
        if inner is not None and "defaultMode" not in inner:
            return {**volume, source: {**inner, "defaultMode": 420}}
    return volume


def _tolerates(toleration: Document, key: object) -> bool:
    return toleration.get("key", key) == key and toleration.get("effect", "NoExecute") in ("", "NoExecute")


def default_status(status: Document) -> Document:
    """A pod status with the fields that container statuses always show."""
    changed: dict[str, Any] = {}
    for field in ("containerStatuses", "initContainerStatuses"):
        statuses = status.get(field)
        if statuses and any("lastState" not in one or "restartCount" not in one for one in statuses):
            changed[field] = [{**_STATUS, **one} for one in statuses]
    return {**status, **changed} if changed else status


def qos_class(spec: Document) -> str:
    """Guaranteed, Burstable or BestEffort, from cpu and memory of all containers."""
    if not any(one["resources"] for field in _CONTAINERS for one in spec.get(field) or ()):
        return "BestEffort"
    guaranteed, any_set = True, False
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources")
        if not resources:
            guaranteed = False
            continue
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        for key in ("cpu", "memory"):
            asked, most = requests.get(key), limits.get(key)
            any_set = any_set or asked is not None or most is not None
            guaranteed = guaranteed and most is not None and (asked is None or asked == most)
    if not any_set:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
