"""What a person sees of a pod: how many of its containers are ready, and one word for its state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from controller.ports import Document
from sim.apiserver.tables.ages import since

_NONE: Mapping[str, Any] = {}
_TERMINAL = ("Succeeded", "Failed")
_COMPLETED = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


class _Restarts:
    """How often containers were started again, and when the last one had ended."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def add(self, status: Mapping[str, Any]) -> None:
        self.count += status.get("restartCount", 0)
        ended = (status.get("lastState") or _NONE).get("terminated") or _NONE
        self.last = max(self.last, ended.get("finishedAt") or "")

    def shown(self, now: datetime) -> str:
        return f"{self.count} ({since(self.last, now)} ago)" if self.count and self.last else str(self.count)


def pod_cells(pod: Document, now: datetime) -> list[Any]:
    metadata, spec, status = pod["metadata"], pod.get("spec") or _NONE, pod.get("status") or _NONE
    sidecars = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    reason = status.get("reason") or status.get("phase", "")
    if any(one.get("reason") == "SchedulingGated" for one in _conditions(status, "PodScheduled")):
        reason = "SchedulingGated"
    restarts, of_sidecars = _Restarts(), _Restarts()
    ready, stuck = _initial(spec, status, sidecars, restarts, of_sidecars)
    if stuck and not _is_true(status, "Initialized"):
        reason = stuck
    else:
        restarts = of_sidecars
        more, reason = _main(status, stuck or reason, restarts)
        ready += more
    if metadata.get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in _TERMINAL:
            reason = "Terminating"
    ips = status.get("podIPs") or [{"ip": status.get("podIP")}]
    return [
        metadata["name"],
        f"{ready}/{total}",
        reason,
        restarts.shown(now),
        since(metadata.get("creationTimestamp"), now),
        ips[0].get("ip") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _gates(spec.get("readinessGates") or (), status),
    ]


def pod_conditions(pod: Document) -> list[Document]:
    """The row conditions that tell a pod at its end."""
    phase = (pod.get("status") or _NONE).get("phase", "")
    if phase not in _COMPLETED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _COMPLETED[phase]}]


def _conditions(status: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [one for one in status.get("conditions") or () if one.get("type") == kind]


def _is_true(status: Mapping[str, Any], kind: str) -> bool:
    return any(one.get("status") == "True" for one in _conditions(status, kind))


def _initial(
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    sidecars: set[str],
    restarts: _Restarts,
    of_sidecars: _Restarts,
) -> tuple[int, str]:
    """Ready sidecars, and at which init container the pod still is (empty when they are all done)."""
    ready = 0
    for number, one in enumerate(status.get("initContainerStatuses") or ()):
        restarts.add(one)
        sidecar = one.get("name") in sidecars
        if sidecar:
            of_sidecars.add(one)
        state = one.get("state") or _NONE
        ended, waiting = state.get("terminated"), (state.get("waiting") or _NONE).get("reason")
        if ended is not None and not ended.get("exitCode"):
            continue
        if sidecar and one.get("started"):
            ready += bool(one.get("ready"))
            continue
        if ended is not None:
            return ready, f"Init:{_end_of(ended)}"
        if waiting and waiting != "PodInitializing":
            return ready, f"Init:{waiting}"
        return ready, f"Init:{number}/{len(spec.get('initContainers') or ())}"
    return ready, ""


def _end_of(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _main(status: Mapping[str, Any], reason: str, restarts: _Restarts) -> tuple[int, str]:
    """Ready containers, and the word for the pod's state: the first container's that has something to say."""
    ready = 0
    for one in reversed(status.get("containerStatuses") or ()):
        restarts.add(one)
        state = one.get("state") or _NONE
        waiting = (state.get("waiting") or _NONE).get("reason")
        if waiting:
            reason = waiting
        elif state.get("terminated") is not None:
            reason = _end_of(state["terminated"])
        elif one.get("ready") and state.get("running") is not None:
            ready += 1
    if reason == "Completed" and ready:
        reason = "Running" if _is_true(status, "Ready") else "NotReady"
    return ready, reason


def _gates(gates: Sequence[Mapping[str, Any]], status: Mapping[str, Any]) -> str:
    if not gates:
        return "<none>"
    passed = sum(1 for gate in gates if _is_true(status, gate.get("conditionType", "")))
    return f"{passed}/{len(gates)}"
