"""What a TaskRun sees in the status of one container of its pod."""

from typing import Any

from controller.ports import Document
from sim.tekton import termination
from sim.tekton.substitution import Memo

STEP = "step-"
SIDECAR = "sidecar-"
_OOM = "OOMKilled"
_EMPTY: Document = {}
_views = Memo(2048)


class ContainerView:
    """One version of one container: ``told`` is its entry in ``status.steps`` or ``status.sidecars``.

    ``results`` and ``step_results`` are the names and values that the entrypoint left; ``faults`` are Tekton's
    complaints about what it left, each with the text that follows it. Made once per container status, since most
    versions of a pod have those of the version before.
    """

    __slots__ = ("failed", "faults", "killed", "name", "over", "results", "sidecar", "step", "step_results", "told")

    def __init__(self, status: Document) -> None:
        name = status["name"]
        state = status.get("state") or _EMPTY
        terminated = state.get("terminated")
        self.name: str = name
        self.step = name.startswith(STEP)
        self.sidecar = name.startswith(SIDECAR)
        self.over = terminated is not None
        self.killed = terminated is not None and terminated.get("reason") == _OOM
        self.failed = self.killed or (terminated is not None and terminated["exitCode"] != 0)
        self.results: tuple[tuple[str, str], ...] = ()
        self.step_results: tuple[tuple[str, str], ...] = ()
        self.faults: tuple[tuple[str, str], ...] = ()
        told = told_of(name, state, status)
        if self.step:
            if terminated is not None and terminated.get("message"):
                self._read_termination(told, terminated)
            told["provenance"] = {}
        self.told = told

    def _read_termination(self, told: dict[str, Any], terminated: Document) -> None:
        """Put what the entrypoint left into a step's entry."""
        try:
            read = termination.parse(terminated["message"])
        except termination.Unreadable as unreadable:
            self.faults = ((str(unreadable), terminated["message"]),)
            return
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
        self.results, self.step_results = read.results, read.step_results
        self.faults = tuple((fault, "") for fault in read.faults)


def told_of(name: str, state: Document, status: Document) -> dict[str, Any]:
    """The entry of container ``name`` in ``state``; ``status`` is what the pod says of it."""
    told: dict[str, Any] = {"container": name, "name": name.partition("-")[2], **state}
    if status.get("imageID"):
        told["imageID"] = status["imageID"]
    return told


def view_of(status: Document) -> ContainerView:
    view: ContainerView | None = _views.get(status)
    if view is None:
        view = ContainerView(status)
        _views.put(status, view)
    return view
