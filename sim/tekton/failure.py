"""Why a pod failed: the reason a TaskRun gives and the text that goes with it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton import termination

_UNKNOWN = "build failed for unspecified reasons."


def failure_of(pod_status: Mapping[str, Any], containers: Sequence[Document], *, classified: bool) -> tuple[str, str]:
    """Reason and message for a failed pod. ``containers`` are its regular container statuses in spec order.

    ``classified`` is the rule since v1.12, where the reason names the cause; before it the reason is ``Failed``.
    """
    if pod_status.get("reason") == "Evicted":
        return ("PodEvicted" if classified else "Failed"), pod_status.get("message", "")
    inits = pod_status.get("initContainerStatuses") or ()
    reason, culprit, is_init = (_classify if classified else _first)(inits, containers)
    text = _exit_text(culprit) if culprit is not None else ""
    if text:
        return reason, f"init container failed, {text}" if is_init else text
    if pod_status.get("message"):
        return reason, pod_status["message"]
    named = any(_oom_killed(one) and (_step(one) or (classified and _sidecar(one))) for one in containers)
    return reason, "OOMKilled" if named else _UNKNOWN


def _terminated(one: Document) -> Mapping[str, Any] | None:
    return (one.get("state") or {}).get("terminated")


def _oom_killed(one: Document) -> bool:
    terminated = _terminated(one)
    return terminated is not None and terminated.get("reason") == "OOMKilled"


def _exited(one: Document) -> bool:
    terminated = _terminated(one)
    return terminated is not None and terminated["exitCode"] != 0


def _sidecar(one: Document) -> bool:
    return one["name"].startswith("sidecar-")  # type: ignore[no-any-return]


def _internal(one: Document) -> bool:
    return not _sidecar(one)


def _step(one: Document) -> bool:
    return one["name"].startswith("step-")  # type: ignore[no-any-return]


_Test = Callable[[Document], bool]
_INIT_PASSES: tuple[tuple[_Test, _Test, str], ...] = (
    (_oom_killed, _sidecar, "SidecarOOM"),
    (_oom_killed, _internal, "InitContainerOOM"),
    (_exited, _sidecar, "SidecarFailed"),
    (_exited, _internal, "InitContainerFailed"),
)
_PASSES: tuple[tuple[_Test, _Test, str], ...] = (
    (_oom_killed, _sidecar, "SidecarOOM"),
    (_oom_killed, _step, "StepOOM"),
    (_exited, _sidecar, "SidecarFailed"),
    (_exited, _step, "StepFailed"),
)


def _classify(inits: Iterable[Document], containers: Iterable[Document]) -> tuple[str, Document | None, bool]:
    for ended, whose, reason in _INIT_PASSES:
        for one in inits:
            if ended(one) and whose(one):
                return reason, one, True
    for ended, whose, reason in _PASSES:
        for one in containers:
            if ended(one) and whose(one):
                return reason, one, False
    return "Failed", None, False


def _first(inits: Iterable[Document], containers: Iterable[Document]) -> tuple[str, Document | None, bool]:
    for one in inits:
        if _exit_text(one):
            return "Failed", one, True
    for one in containers:
        if _exit_text(one):
            return "Failed", one, False
    return "Failed", None, False


def _exit_text(one: Document) -> str:
    terminated = _terminated(one)
    if terminated is None:
        return ""
    if _timed_out(terminated.get("message", "")):
        return f'"{one["name"]}" exited because the step exceeded the specified timeout limit'
    if terminated["exitCode"] == 0:
        return ""
    reason = terminated.get("reason")
    return f'"{one["name"]}" exited with code {terminated["exitCode"]}' + (f": {reason}" if reason else "")


def _timed_out(message: str) -> bool:
    try:
        return termination.parse(message).reason == "TimeoutExceeded"
    except termination.Unreadable:
        return False
