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

    __slots__ = ("_documents",)

    def __init__(self, existing: Sequence[Document]) -> None:
        self._documents: dict[str, Document | None] = dict.fromkeys(_OWN)
        self.keep(existing)

    def keep(self, existing: Sequence[Document]) -> None:
        """Take over what others wrote into the pod meanwhile."""
        for document in existing:
            if document["type"] not in _OWN:
                self._documents[document["type"]] = document

    def listed(self) -> list[Document]:
        return [document for document in self._documents.values() if document is not None]

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

    def derive(
        self,
        phase: str,
        inits: Sequence[Container],
        mains: Sequence[Container],
        *,
        sandbox: bool,
        initialized: bool,
        now: str,
    ) -> None:
        """Write the four conditions that follow from the containers.

        ``initialized`` turns true when the kubelet has gone on to the main containers, one sync after the last init
        container ended.
        """
        self.set("PodReadyToStartContainers", "True" if sandbox else "False", now)
        if phase == "Succeeded":
            self.set("Initialized", "True", now, "PodCompleted")
        elif initialized:
            self.set("Initialized", "True", now)
        else:
            incomplete = " ".join([one.name for one in inits if one.state != "terminated" or one.exit_code])
            text = f"containers with incomplete status: [{incomplete}]"
            self.set("Initialized", "False", now, "ContainersNotInitialized", text)
        if phase in TERMINAL:
            reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
            self.set("Ready", "False", now, reason)
            self.set("ContainersReady", "False", now, reason)
            return
        unready = [one.name for one in mains if one.state != "running"]
        if not unready:
            self.set("Ready", "True", now)
            self.set("ContainersReady", "True", now)
            return
        text = f"containers with unready status: [{' '.join(unready)}]"
        self.set("Ready", "False", now, "ContainersNotReady", text)
        self.set("ContainersReady", "False", now, "ContainersNotReady", text)
