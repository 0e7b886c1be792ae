"""One recorded state of a pod as the status document that was played."""

import json
from collections.abc import Mapping
from typing import Any

from controller.ports import Clock, Document

_IMAGE_ID = "reg.local/x@sha256:" + "a" * 64


def pod_status(entry: Mapping[str, Any], pod: Document, clock: Clock) -> dict[str, Any]:
    """``entry`` is one ``status`` line of a pod's script; ``pod`` says which of its containers are init containers."""
    inits = {one["name"] for one in pod["spec"].get("initContainers") or ()}
    statuses = [_container(name, state, entry, clock) for name, state in entry.get("containers", {}).items()]
    unfinished = [
        one["name"]
        for one in statuses
        if one["name"] in inits and one["state"].get("terminated", {}).get("exitCode") != 0
    ]
    status: dict[str, Any] = {
        "phase": entry["phase"],
        "conditions": [_condition(type_, text, unfinished) for type_, text in entry["conditions"].items()],
        "initContainerStatuses": [one for one in statuses if one["name"] in inits],
        "containerStatuses": [one for one in statuses if one["name"] not in inits],
    }
    for key in ("reason", "message"):
        if key in entry:
            status[key] = entry[key]
    return status


def _container(name: str, state: list[Any], entry: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    word, exit_code, reason = state
    now = clock.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    details: dict[str, Any] = {}
    if word == "waiting":
        details = {"reason": reason}
        if name in entry.get("waiting_messages", {}):
            details["message"] = entry["waiting_messages"][name]
    elif word == "running":
        details = {"startedAt": now}
    else:
        details = {"exitCode": exit_code, "reason": reason, "startedAt": now, "finishedAt": now}
        if name.startswith("step-") and name not in entry.get("silent", ()):
            details["message"] = _termination(entry, name, clock)
    return {
        "name": name,
        "image": "",
        "imageID": "" if word == "waiting" else _IMAGE_ID,
        "ready": word == "running",
        "restartCount": 0,
        "state": {word: details},
    }


def _termination(entry: Mapping[str, Any], name: str, clock: Clock) -> str:
    """What Tekton's entrypoint would have left in the termination message."""
    now = clock.utcnow().isoformat(timespec="milliseconds")[:23] + "Z"
    entries: list[dict[str, Any]] = [{"key": "StartedAt", "value": now, "type": 3}]
    reason = entry.get("entrypoint_reasons", {}).get(name, "")
    if reason:
        entries.append({"key": "Reason", "value": reason, "type": 3})
    entries += ({"key": one["name"], "value": one["value"], "type": 1} for one in entry.get("results", ()))
    return json.dumps(entries)


def _condition(type_: str, text: str, unfinished: list[str]) -> dict[str, Any]:
    status, _, reason = text.partition(":")
    condition = {"type": type_, "status": status}
    if reason:
        condition["reason"] = reason
    if reason == "ContainersNotInitialized":
        condition["message"] = f"containers with incomplete status: [{' '.join(unfinished)}]"
    elif reason == "Unschedulable":
        condition["message"] = "0/1 nodes are available: 1 Insufficient cpu."
    return condition
