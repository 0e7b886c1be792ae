"""A pod's conditions, derived from its containers as a kubelet derives them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.clock import Clock
from sim.cluster.containers import Container

TERMINAL = frozenset({"Succeeded", "Failed"})
_OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


class Conditions:
    """The conditions of one pod in the order a kubelet writes them; others' (PodScheduled …) are kept."""

    __slots__ = ("_initialized", "_listed", "_others", "_own", "_ready", "_sandbox")

    def __init__(self, existing: Sequence[Document]) -> None:
        self._own: list[Document] = []  # in the order of _OWN, once the first status is derived
        self._others: dict[str, Document] = {}
        self._listed: list[Document] | None = None
        self._sandbox: bool | None = None
        self._initialized: str | bool | None = None  # the names still incomplete; True when none is; "Succeeded"
        self._ready: str | None = None  # the terminal phase, or else the names that are not ready
        self.keep(existing)

    def keep(self, existing: Sequence[Document]) -> None:
        """Take over what others wrote into the pod meanwhile."""
        for document in existing:
            type_ = document["type"]
            if type_ not in _OWN and self._others.get(type_) is not document:
                self._others[type_] = document
                self._listed = None

    def listed(self) -> list[Document]:
        """The same list as long as nothing changed."""
        listed = self._listed
        if listed is None:
            listed = self._listed = [*self._own, *self._others.values()]
        return listed

    def set(self, type_: str, status: str, now: str, reason: str, message: str) -> None:
        """Write a condition that does not follow from the containers."""
        old = self._others.get(type_)
        since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
        document = condition(type_, status, since, reason, message)
        if document != old:
            self._others[type_] = document
            self._listed = None

    def of_inits(
        self, phase: str, sandbox: bool, incomplete: Sequence[str], mains: Sequence[Container], clock: Clock
    ) -> list[Document]:
        """The conditions before the main containers start, none of which is ready; answers :meth:`listed`.

        ``incomplete`` names the init containers that have not ended well. A kubelet goes on to the main containers one
        sync after the last of them has.
        """
        if sandbox is not self._sandbox:
            self._sandbox = sandbox
            self._put(0, "True" if sandbox else "False", clock.timestamp())
        names = " ".join(incomplete)
        if names != self._initialized:
            self._initialized = names
            text = f"containers with incomplete status: [{names}]"
            self._put(1, "False", clock.timestamp(), "ContainersNotInitialized", text)
        if self._ready is None or phase == "Failed":
            self._derive_ready(phase, [one.name for one in mains], clock)
        return self._listed or self.listed()

    def of_mains(self, phase: str, sandbox: bool, unready: Sequence[str], clock: Clock) -> list[Document]:
        """The conditions once the init containers are through; ``unready`` names the containers that do not run."""
        if sandbox is not self._sandbox:
            self._sandbox = sandbox
            self._put(0, "True" if sandbox else "False", clock.timestamp())
        if phase == "Succeeded":
            if self._initialized != phase:
                self._initialized = phase
                self._put(1, "True", clock.timestamp(), "PodCompleted")
        elif self._initialized is not True:
            self._initialized = True
            self._put(1, "True", clock.timestamp())
        self._derive_ready(phase, unready, clock)
        return self._listed or self.listed()

    def _derive_ready(self, phase: str, unready: Sequence[str], clock: Clock) -> None:
        ready = phase if phase in TERMINAL else " ".join(unready)
        if ready == self._ready:
            return
        self._ready = ready
        status, reason, message = "False", "ContainersNotReady", ""
        if ready is phase:
            reason = "PodCompleted" if phase == "Succeeded" else "PodFailed"
        elif ready:
            message = f"containers with unready status: [{ready}]"
        else:
            status, reason = "True", ""
        own, since = self._own, clock.timestamp()
        if len(own) > 2 and own[2]["status"] == status:
            since = own[2]["lastTransitionTime"]
        own[2:] = (
            condition("Ready", status, since, reason, message),
            condition("ContainersReady", status, since, reason, message),
        )
        self._listed = None

    def _put(self, place: int, status: str, now: str, reason: str = "", message: str = "") -> None:
        own = self._own
        if place == len(own):
            own.append(condition(_OWN[place], status, now, reason, message))
        else:
            old = own[place]
            since = old["lastTransitionTime"] if old["status"] == status else now
            own[place] = condition(_OWN[place], status, since, reason, message)
        self._listed = None


@lru_cache(maxsize=4096)
def condition(type_: str, status: str, since: str, reason: str = "", message: str = "") -> Document:
    """Times are whole seconds, so many pods say the same: they share the document."""
    document: dict[str, Any] = {"type": type_, "status": status, "lastProbeTime": None, "lastTransitionTime": since}
    if reason:
        document["reason"] = reason
    if message:
        document["message"] = message
    return document
