"""Defaults of pod specs and pod statuses, as the API server writes them (``SetDefaults_PodSpec`` and its kin).

Containers that many pods share (the very same object) are filled in once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from controller.ports import Document

_KEPT = 2048
_SPEC: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
    "securityContext": {},
}
_ON_CREATE: Mapping[str, Any] = {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
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
_MODED = ("secret", "configMap", "projected", "downwardAPI")
_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_TOLERATIONS = [
    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in (_NOT_READY, _UNREACHABLE)
]
_filled: dict[int, tuple[Document, Document]] = {}


def default_spec(spec: Document) -> Document:
    """A pod spec, or a pod template's, with its defaults."""
    full = {**_SPEC, **spec}
    for field in ("containers", "initContainers"):
        if isinstance(spec.get(field), list):
            full[field] = [default_container(one) for one in spec[field]]
    if spec.get("volumes"):
        full["volumes"] = [_volume(one) for one in spec["volumes"]]
    return full


def default_container(container: Document) -> Document:
    known = _filled.get(id(container))
    if known is not None:
        return known[1]
    full: dict[str, Any] = {**_CONTAINER, **container}
    if "imagePullPolicy" not in full:
        full["imagePullPolicy"] = pull_policy(full.get("image") or "")
    resources = full["resources"]
    if resources:
        limits, requests = resources.get("limits"), resources.get("requests") or {}
        if limits and not limits.keys() <= requests.keys():
            full["resources"] = {**resources, "requests": {**limits, **requests}}
    if full.get("ports"):
        full["ports"] = [{"protocol": "TCP", **port} for port in full["ports"]]
    if len(_filled) >= _KEPT:
        _filled.clear()
    _filled[id(container)] = (container, full)  # holding both keeps the ids theirs
    _filled[id(full)] = (full, full)
    return full


@lru_cache(maxsize=4096)
def pull_policy(image: str) -> str:
    """``Always`` for an image without a tag or tagged ``latest``, unless a digest pins it."""
    if "@" in image:
        return "IfNotPresent"
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return "IfNotPresent" if colon and tag != "latest" else "Always"


def _volume(volume: Document) -> Document:
    for source in _MODED:
        inner = volume.get(source)
        if inner is not None and "defaultMode" not in inner:
            return {**volume, source: {**inner, "defaultMode": 420}}
    return volume


def admitted_spec(spec: Document) -> Document:
    """What the Priority and DefaultTolerationSeconds plugins add to a new pod's spec."""
    own = spec.get("tolerations")
    if not own:
        return {**_ON_CREATE, **spec, "tolerations": _TOLERATIONS}
    missing = [one for one in _TOLERATIONS if not any(_tolerates(given, one["key"]) for given in own)]
    return {**_ON_CREATE, **spec, "tolerations": [*own, *missing]}


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
