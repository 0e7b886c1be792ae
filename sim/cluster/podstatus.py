"""A pod's phase and conditions, derived from its containers as a kubelet derives them."""

from collections.abc import Sequence
from typing import Any

from controller.ports import Document
from sim.cluster.containers import Container

TERMINAL = frozenset({"Succeeded", "Failed"})
_OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def phase_of(inits: Sequence[Container], mains: Sequence[Container]) -> str:
    """The phase of a pod whose containers are never restarted."""
    for container in inits:
        if container.state != "terminated":
            return "Pending"
        if container.exit_code:
            return "Failed"
    running = False
    failed = False
    for container in mains:
        if container.state == "waiting":
            return "Pending"
        if container.state == "running":
            running = True
        elif container.exit_code:
            failed = True
    if running:
        return "Running"
    return "Failed" if failed else "Succeeded"


class Conditions:
    """The conditions of one pod in the order a kubelet writes them; others' (PodScheduled …) are kept."""

    __slots__ = ("_documents", "_initialized", "_listed", "_ready", "_sandbox")

    def __init__(self, existing: Sequence[Document]) -> None:
        self._documents: dict[str, Document | None] = dict.fromkeys(_OWN)
        self._listed: list[Document] | None = None
        self._sandbox: bool | None = None
        self._initialized: str | bool | None = None  # the names still incomplete; True when none is
        self._ready: str | None = None
        self.keep(existing)

    def keep(self, existing: Sequence[Document]) -> None:
        """Take over what others wrote into the pod meanwhile."""
        for document in existing:
            type_ = document["type"]
            if type_ not in _OWN and self._documents.get(type_) is not document:
                self._documents[type_] = document
                self._listed = None

    def listed(self) -> list[Document]:
        """The same list as long as nothing changed."""
        if self._listed is None:
            self._listed = [document for document in self._documents.values() if document is not None]
        return self._listed

    def set(self, type_: str, status: str, now: str, reason: str = "", message: str = "") -> None:
        old = self._documents.get(type_)
        since = now
        if old is not None and old["status"] == status:
            if old.get("reason", "") == reason and old.get("message", "") == message:
                return
            since = old["lastTransitionTime"]
        document: dict[str, Any] = {
            "type": type_,
            "status": status,
            "lastProbeTime": None,
            "lastTransitionTime": since,
        }
        if reason:
            document["reason"] = reason
        if message:
            document["message"] = message
        self._documents[type_] = document
        self._listed = None

    def derive(
        self,
        phase: str,
        inits: Sequence[Container],
        mains: Sequence[Container],
        sandbox: bool,
        initialized: bool,
        now: str,
    ) -> list[Document]:
        """Write the four conditions that follow from the containers; answers :meth:`listed`.

        ``initialized`` turns true when the kubelet has gone on to the main containers, one sync after the last init
        container ended.
        """
        if sandbox is not self._sandbox:
            self._sandbox = sandbox
            self.set("PodReadyToStartContainers", "True" if sandbox else "False", now)
        if phase == "Succeeded":
            self.set("Initialized", "True", now, "PodCompleted")
        elif initialized:
            if self._initialized is not True:
                self._initialized = True
                self.set("Initialized", "True", now)
        else:
            incomplete = " ".join([one.name for one in inits if one.state != "terminated" or one.exit_code])
            if incomplete != self._initialized:
                self._initialized = incomplete
                text = f"containers with incomplete status: [{incomplete}]"
                self.set("Initialized", "False", now, "ContainersNotInitialized", text)
        if phase in TERMINAL:
            self._ready = None
            self._set_ready("False", now, "PodCompleted" if phase == "Succeeded" else "PodFailed", "")
        else:
            unready = " ".join([one.name for one in mains if one.state != "running"])
            if unready != self._ready:
                self._ready = unready
                if unready:
                    text = f"containers with unready status: [{unready}]"
                    self._set_ready("False", now, "ContainersNotReady", text)
                else:
                    self._set_ready("True", now, "", "")
        return self.listed()

    def _set_ready(self, status: str, now: str, reason: str, message: str) -> None:
        self.set("Ready", status, now, reason, message)
        self.set("ContainersReady", status, now, reason, message)
