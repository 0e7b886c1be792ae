"""One container of one pod on a node, and its entry in the pod's status."""

from typing import Any

from controller.ports import Document
from sim.cluster.behaviour import Behaviour
from sim.cluster.entrypoint import Entrypoint, read
from sim.cluster.images import image_id
from sim.loop import Timer

_NONE: Document = {}


class Container:
    """``state`` is waiting, running or terminated; ``status`` the document that says so, replaced on change."""

    __slots__ = (
        "_id",
        "_started_at",
        "begun",
        "behaviour",
        "entry",
        "exit_code",
        "failures",
        "init",
        "name",
        "policy",
        "spec",
        "state",
        "status",
        "timer",
        "work_started_at",
    )

    def __init__(self, spec: Document, *, init: bool, reason: str) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.init = init
        self.policy: str = spec.get("imagePullPolicy", "IfNotPresent")
        self.entry: Entrypoint | None = None if init else read(spec)
        self.behaviour: Behaviour | None = None
        self.begun = False
        self.exit_code = 0
        self.failures = 0
        self.timer: Timer | None = None
        self.work_started_at = ""
        self._id = ""
        self._started_at = ""
        self.state = "waiting"
        self.status = self._document({"waiting": {"reason": reason}})

    def wait(self, reason: str, message: str) -> None:
        self.status = self._document({"waiting": {"message": message, "reason": reason}})

    def run(self, now: str, container_id: str) -> None:
        self.state = "running"
        self._id = container_id
        self._started_at = now
        self.status = self._document({"running": {"startedAt": now}}, ready=not self.init, started=True)

    def terminate(self, now: str, exit_code: int, reason: str, message: str = "") -> None:
        self.state = "terminated"
        self.exit_code = exit_code
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        terminated: dict[str, Any] = {"exitCode": exit_code, "reason": reason}
        if message:
            terminated["message"] = message
        terminated["startedAt"] = self._started_at or now
        terminated["finishedAt"] = now
        if self._id:
            terminated["containerID"] = self._id
        self.status = self._document({"terminated": terminated}, ready=self.init and exit_code == 0)

    def _document(self, state: Document, *, ready: bool = False, started: bool = False) -> Document:
        image = self.spec["image"]
        document = {
            "name": self.name,
            "state": state,
            "lastState": _NONE,
            "ready": ready,
            "restartCount": 0,
            "image": image,
            "imageID": image_id(image) if self._id else "",
            "started": started,
        }
        if self._id:
            document["containerID"] = self._id
        return document
