"""What a TaskRun sees in the status of one container of its pod."""

from typing import Any

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.substitution import Memo

STEP = "step-"
_SIDECAR = "sidecar-"
_OOM = "OOMKilled"
_EMPTY: Document = {}
_views = Memo(2048)


class ContainerView:
    """One version of one container: ``told`` is its entry in ``status.steps`` or ``status.sidecars``.

    Made once per container status, since most versions of a pod have those of the version before.
    """

    __slots__ = ("failed", "killed", "over", "results", "sidecar", "step", "told")

    def __init__(self, status: Document) -> None:
        name = status["name"]
        state = status.get("state") or _EMPTY
        terminated = state.get("terminated")
        self.step = name.startswith(STEP)
        self.sidecar = name.startswith(_SIDECAR)
        self.over = terminated is not None
        self.killed = terminated is not None and terminated.get("reason") == _OOM
        self.failed = self.killed or (terminated is not None and terminated["exitCode"] != 0)
        self.results: tuple[tuple[str, Any], ...] = ()
        told: dict[str, Any] = {"container": name, "name": name.partition("-")[2], **state}
        if status.get("imageID"):
            told["imageID"] = status["imageID"]
        if self.step:
            if terminated is not None and terminated.get("message"):
                self.results = _read_termination(told, terminated)
            told["provenance"] = {}
        self.told = told


def view_of(status: Document) -> ContainerView:
    view: ContainerView | None = _views.get(status)
    if view is None:
        view = ContainerView(status)
        _views.put(status, view)
    return view


def _read_termination(told: dict[str, Any], terminated: Document) -> tuple[tuple[str, Any], ...]:
    """Put what the entrypoint left into a step's entry; answers the results in it."""
    read = termination.parse(terminated["message"])
    if read is None:
        return ()
    shown = {key: value for key, value in terminated.items() if key != "message"}
    if read.rest:
        shown["message"] = read.rest
    if read.started_at:
        shown["startedAt"] = read.started_at
    if read.exit_code is not None:
        shown["exitCode"] = read.exit_code
    told["terminated"] = shown
    reason = read.reason or ("Continued" if read.exit_code is not None else terminated.get("reason", ""))
    if reason:
        told["terminationReason"] = reason
    return read.results
