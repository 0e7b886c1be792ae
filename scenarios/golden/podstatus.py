"""One recorded state of a pod as the status document that was played."""

import json
from collections.abc import Mapping
from typing import Any

from controller.ports import Clock, Document

_UNSCHEDULABLE = "0/1 nodes are available: 1 Insufficient cpu."  # where Tekton does not repeat what was said
_CONTAINER_ID = "containerd://" + "c" * 64
_IMAGE_ID = "reg.local/x@sha256:" + "a" * 64


def pod_status(entry: Mapping[str, Any], pod: Document, clock: Clock) -> dict[str, Any]:
    """``entry`` is one ``status`` line of a pod's script; ``pod`` says which of its containers are init containers."""
    inits = {one["name"] for one in pod["spec"].get("initContainers") or ()}
    started = _started(pod)
    statuses = [_container(name, state, entry, clock, started) for name, state in entry.get("containers", {}).items()]
    unfinished = [
        one["name"]
        for one in statuses
        if one["name"] in inits and one["state"].get("terminated", {}).get("exitCode") != 0
    ]
    told = entry.get("condition_messages", {})
    status: dict[str, Any] = {
        "phase": entry["phase"],
        "conditions": [
            _condition(type_, text, unfinished, told) for type_, text in entry.get("conditions", {}).items()
        ],
        "initContainerStatuses": [one for one in statuses if one["name"] in inits],
        "containerStatuses": [one for one in statuses if one["name"] not in inits],
    }
    for key in ("reason", "message"):
        if key in entry:
            status[key] = entry[key]
    return status


def _started(pod: Document) -> dict[str, str]:
    """When each container began to run, which its end does not change."""
    status = pod.get("status") or {}
    states = {
        one["name"]: one["state"]
        for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    }
    return {name: state["running"]["startedAt"] for name, state in states.items() if "running" in state}


def _container(
    name: str, state: list[Any], entry: Mapping[str, Any], clock: Clock, started: Mapping[str, str]
) -> dict[str, Any]:
    word, exit_code, reason = state
    now = clock.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    details: dict[str, Any] = {}
    if word == "waiting":
        details = {"reason": reason}
        if name in entry.get("waiting_messages", {}):
            details["message"] = entry["waiting_messages"][name]
    elif word == "running":
        details = {"startedAt": started.get(name, now)}
    else:
        details = {"exitCode": exit_code, "reason": reason, "startedAt": started.get(name, now), "finishedAt": now}
        details["containerID"] = _CONTAINER_ID
        message = _termination(name, entry, clock)
        if message:
            details["message"] = message
    return {
        "name": name,
        "image": "",
        "imageID": "" if word == "waiting" else _IMAGE_ID,
        "ready": word == "running",
        "restartCount": 0,
        "state": {word: details},
    }


def _termination(name: str, entry: Mapping[str, Any], clock: Clock) -> str:
    """What Tekton's entrypoint would have left in the termination message."""
    left = entry.get("messages", {}).get(name, [])
    if not name.startswith("step-") or isinstance(left, str):
        return left if isinstance(left, str) else ""
    now = clock.utcnow().isoformat(timespec="milliseconds")[:23] + "Z"
    entries = [["StartedAt", now, 3], *left]
    return json.dumps([{"key": key, "value": value, "type": type_} for key, value, type_ in entries])


def _condition(type_: str, text: str, unfinished: list[str], told: Mapping[str, str]) -> dict[str, Any]:
    status, _, reason = text.partition(":")
    condition = {"type": type_, "status": status}
    if reason:
        condition["reason"] = reason
    if type_ in told:
        condition["message"] = told[type_]
    elif reason == "ContainersNotInitialized":
        condition["message"] = f"containers with incomplete status: [{' '.join(unfinished)}]"
    elif reason == "Unschedulable":
        condition["message"] = _UNSCHEDULABLE
    return condition
