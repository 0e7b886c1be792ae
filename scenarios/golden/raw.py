"""The raw recorder's form of a recording, split into what was played and what Tekton wrote in answer.

What was played (pod states, script actions, registry answers) becomes the input; what the controller wrote becomes
the expectation.
"""

import json
import re
from typing import Any

from scenarios.golden.circumstances import Circumstances
from scenarios.golden.form import KINDS, Incarnations, collapsed, normal_labels, normal_owners, normal_status
from scenarios.golden.milestones import recorded_order
from scenarios.golden.recording import Recording

_PLAYED_REASONS = ("Skipped", "TimeoutExceeded", "Continued")
_QUOTA = re.compile(r"exceeded quota: ([a-z-]+), requested: ([a-z./]+)=")
_UNCOUNTED = re.compile(r"status unknown for quota: [a-z-]+, resources: [a-z./]+")
_NO_ANSWER = re.compile(r'failed to call webhook: Post "[^"]*": (.*)')
_RETRIEVE = "cannot retrieve the oci image: "


def convert(raw: dict[str, Any]) -> Recording:
    """``raw`` is one file as the recorder wrote it. Raises KeyError or ValueError for what cannot be understood."""
    events = [event for event in raw["events"] if event["resource"] in KINDS]
    symbols = Incarnations()
    for event in events:
        symbols.of(event["uid"], KINDS[event["resource"]], event["name"])
    answer = raw["createCall"].get("body") or {}
    actions = _actions(raw["actions"])
    return Recording(
        scenario=raw["scenario"],
        version=raw["tektonVersion"],
        namespace=raw["namespace"],
        offset_ms=round(raw["submitOffsetWithinCreationSecond_s"] * 1000),
        submit=raw["submitted"],
        returned_spec=raw["returnedOnCreate_spec"],
        refusal=[answer["code"], answer["reason"], answer["message"], answer.get("details", {})] if answer else [],
        circumstances=_circumstances(raw, events, actions),
        actions=actions,
        pods=_pod_scripts(events, symbols),
        expect=_expectations(events, symbols),
        order=recorded_order(_all_writes(events, symbols)),
        events=sorted(_told(raw["events"])),
    )


def _circumstances(raw: dict[str, Any], events: list[dict[str, Any]], actions: list[dict[str, Any]]) -> Circumstances:
    text = json.dumps(raw["events"])
    uncounted = _UNCOUNTED.search(text)
    quota = _QUOTA.search(text)
    unanswered = _NO_ANSWER.search((raw["createCall"].get("body") or {}).get("message", ""))
    return Circumstances(
        quota={"name": quota[1], "resource": quota[2]} if quota else {},
        uncounted=uncounted[0] if uncounted else "",
        bundle=_bundle(raw, events),
        webhook_error=unanswered[1] if unanswered else "",
        controller_down=bool(actions) and actions[0] == {**actions[0], "do": "start", "component": "controller"},
    )


def _actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"at_ms": round(action["tMs"]), **_action(action)} for action in actions if not _is_remark(action["action"])
    ]


def _is_remark(text: str) -> bool:
    return text in ("observed done", "all done", "re-create accepted")


def _action(action: dict[str, Any]) -> dict[str, Any]:
    text = action["action"]
    if text.startswith("PATCH spec.status="):
        return {"do": "patch", "spec": {"status": text.rpartition("=")[2]}}
    if text.startswith("PATCH taskrun spec.status="):
        return {"do": "patch task", "spec": {"status": text.rpartition("=")[2]}}
    if text.startswith("DELETE propagationPolicy="):
        return {"do": "delete", "propagation": text.partition("=")[2].split()[0]}
    if text.startswith("DELETE blocker pod"):
        return {"do": "free quota"}
    if text.startswith("DELETE pod"):
        return {"do": "delete pod"}
    if text == "first re-create attempt":
        return {"do": "recreate until accepted", "first_refusal": action["body"]["message"]}
    if text.startswith("re-created"):
        return {"do": "recreate"}
    if text == "garbage collector paused (SIGSTOP)":
        return {"do": "pause", "component": "garbage collector"}
    if text == "garbage collector resumed":
        return {"do": "start", "component": "garbage collector"}
    if text == "controller SIGKILL":
        return {"do": "kill", "component": "controller"}
    if text == "controller start (process)":
        return {"do": "start", "component": "controller"}
    raise ValueError(f"actions: {text!r} is not an action that can be replayed")


def _pod_scripts(events: list[dict[str, Any]], symbols: Incarnations) -> dict[str, list[dict[str, Any]]]:
    scripts: dict[str, list[dict[str, Any]]] = {}
    last: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["resource"] != "pods":
            continue
        pod = symbols.of(event["uid"])
        before = last.get(pod)
        last[pod] = event
        if before is None:
            scripts[pod] = []
            continue
        script = scripts[pod]
        delay_ms = max(5, round(event["tMs"] - before["tMs"]))
        if event["type"] == "DELETED":
            if not _immediate(before) and (not script or script[-1]["do"] != "delete"):
                script.append({"do": "delete", "delay_ms": delay_ms})
        elif "deletionTimestamp" in event and "deletionTimestamp" not in before:
            if not _immediate(event):
                script.append({"do": "await deletion"})
        elif event.get("deletionTimestamp") != before.get("deletionTimestamp"):
            script.append({"do": "delete", "delay_ms": delay_ms})
        elif event.get("annotations") != before.get("annotations"):
            script.append({"do": "await ready"})
        elif "nodeName" not in before and "nodeName" in event:
            script.append({"do": "bind", "delay_ms": delay_ms, "node": event["nodeName"]})
        else:
            status = {
                key: event[key] for key in ("phase", "conditions", "containers", "reason", "message") if key in event
            }
            script.append({"do": "status", "delay_ms": delay_ms, **_with_messages(status, event, events)})
    return scripts


def _immediate(event: dict[str, Any]) -> bool:
    """Deleted by the API server itself: the pod was not bound yet, or had ended."""
    return bool(event.get("deletionGracePeriodSeconds") == 0)


def _with_messages(status: dict[str, Any], event: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Add the texts that were played to the pod, which the recording keeps only where Tekton repeated them."""
    waits: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for other in events:
        if other["resource"] != "taskruns" or "status" not in other:
            continue
        own = other["status"]
        for attempt in (own, *own.get("retriesStatus", ())):
            if attempt.get("podName") != event["name"]:
                continue
            if attempt.get("results") and status.get("phase") == "Succeeded":
                status["results"] = [{"name": one["name"], "value": one["value"]} for one in attempt["results"]]
            for step in attempt.get("steps", ()):
                name = step.get("container", "")
                wait = step.get("waiting", {})
                state = status.get("containers", {}).get(name, [None])
                if wait.get("message") and state[0] == "waiting" and state[2] == wait["reason"]:
                    waits[name] = wait["message"]
                if step.get("terminated", {}).get("containerID"):
                    reasons[name] = step.get("terminationReason", "")
    if waits:
        status["waiting_messages"] = waits
    ended = {
        name: reasons[name]
        for name, state in status.get("containers", {}).items()
        if state[0] == "terminated" and name in reasons
    }
    killed = [name for name, state in status.get("containers", {}).items() if state[:2] == ["terminated", 137]]
    silent = sorted({*killed, *(name for name, reason in ended.items() if not reason)})
    played = {name: reason for name, reason in ended.items() if reason in _PLAYED_REASONS}
    if silent:
        status["silent"] = silent
    if played:
        status["entrypoint_reasons"] = played
    return status


def _all_writes(events: list[dict[str, Any]], symbols: Incarnations) -> list[tuple[str, dict[str, Any]]]:
    return [
        (symbols.of(event["uid"]), (_pod_write if event["resource"] == "pods" else _run_write)(event, symbols))
        for event in events
    ]


def _expectations(events: list[dict[str, Any]], symbols: Incarnations) -> dict[str, list[dict[str, Any]]]:
    writes: dict[str, list[dict[str, Any]]] = {}
    for symbol, write in _all_writes(events, symbols):
        writes.setdefault(symbol, []).append(write)
    return {symbol: collapsed(ones) for symbol, ones in writes.items()}


def _metadata(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write: dict[str, Any] = {
        "type": event["type"],
        "labels": normal_labels(event.get("labels"), symbols),
        "annotations": dict(sorted((event.get("annotations") or {}).items())),
        "deleting": "deletionTimestamp" in event,
    }
    if event["type"] == "ADDED":
        write["owners"] = normal_owners(event.get("ownerReferences"), symbols)
    return write


def _run_write(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write = _metadata(event, symbols)
    write["generation"] = event["generation"]
    write["finalizers"] = event.get("finalizers", [])
    if event["type"] == "ADDED":
        write["spec"] = event["spec"]
    if event.get("status"):
        flags = "_omitted" not in json.dumps(event["status"].get("provenance", {}))
        write["status"] = normal_status(event["status"], flags=flags)
        write["flags"] = flags
    return write


def _pod_write(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write = _metadata(event, symbols)
    if event["type"] == "ADDED":
        for key in ("restartPolicy", "activeDeadlineSeconds", "serviceAccountName"):
            write[key] = event[key]
    return write


def _told(events: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (event["involved"], event["reason"], event.get("message") or "")
        for event in events
        if event["resource"] == "events" and event["type"] == "ADDED"
    }


def _bundle(recording: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    reference = recording["submitted"]["spec"].get("pipelineRef") or {}
    params = {one["name"]: one["value"] for one in reference.get("params", ())}
    if not params:
        return {}
    tasks = [
        {"name": event["labels"]["tekton.dev/pipelineTask"], "taskSpec": event["spec"]["taskSpec"]}
        for event in events
        if event["resource"] == "taskruns" and event["type"] == "ADDED"
    ]
    if tasks:
        return {"image": params["bundle"], "name": params["name"], "tasks": tasks}
    for event in events:
        for condition in event.get("status", {}).get("conditions", ()):
            text = condition.get("message", "")
            if event["resource"] == "resolutionrequests" and _RETRIEVE in text:
                return {"image": params["bundle"], "refusal": text.partition(_RETRIEVE)[2]}
    raise ValueError(f"{recording['scenario']}: neither a bundle nor a refusal was recorded")
