"""One container of one pod on a node, and its entry in the pod's status."""

from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.cluster.behaviour import Behaviour
from sim.cluster.entrypoint import Entrypoint, read
from sim.cluster.images import image_id
from sim.loop import Timer

_NONE: Document = {}
_KNOWN_MAX = 1024


class ContainerPlan:
    """What follows from a container's spec alone: the same for all pods of one template."""

    __slots__ = ("entry", "image", "image_id", "init", "name", "policy", "refers", "spec")

    def __init__(self, spec: Document, init: bool) -> None:
        self.spec = spec
        self.init = init
        self.name: str = spec["name"]
        self.image: str = spec["image"]
        self.image_id = image_id(self.image)
        self.policy: str = spec.get("imagePullPolicy", "IfNotPresent")
        self.entry: Entrypoint | None = None if init else read(spec)
        self.refers = "env" in spec or "envFrom" in spec
        """To ConfigMaps or Secrets, maybe."""


_plans: dict[int, ContainerPlan] = {}  # by the identity of the spec, which a plan keeps alive


def plan_of(spec: Document, *, init: bool) -> ContainerPlan:
    """The plan of a spec, made once where pods share the document."""
    plan = _plans.get(id(spec))
    if plan is None or plan.init is not init:
        if len(_plans) >= _KNOWN_MAX:
            del _plans[next(iter(_plans))]
        plan = _plans[id(spec)] = ContainerPlan(spec, init)
    return plan


@lru_cache(maxsize=4096)
def _waiting(name: str, image: str, reason: str, message: str = "") -> Document:
    """Containers of equal pods wait alike: they share the document."""
    return {
        "name": name,
        "state": {"waiting": {"message": message, "reason": reason} if message else {"reason": reason}},
        "lastState": _NONE,
        "ready": False,
        "restartCount": 0,
        "image": image,
        "imageID": "",
        "started": False,
    }


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
        "plan",
        "spec",
        "state",
        "status",
        "timer",
        "work_started_at",
    )

    def __init__(self, plan: ContainerPlan, reason: str) -> None:
        self.plan = plan
        self.spec = plan.spec
        self.name = plan.name
        self.init = plan.init
        self.entry = plan.entry
        self.behaviour: Behaviour | None = None
        self.begun = False
        self.exit_code = self.failures = 0
        self.timer: Timer | None = None
        self.work_started_at = self._id = self._started_at = ""
        self.state = "waiting"
        self.status = _waiting(plan.name, plan.image, reason)

    def wait(self, reason: str, message: str) -> None:
        """Before it ever ran: it is never restarted."""
        self.status = _waiting(self.name, self.plan.image, reason, message)

    def run(self, now: str, container_id: str) -> None:
        plan = self.plan
        self.state = "running"
        self._id = container_id
        self._started_at = now
        self.status = {
            "name": plan.name,
            "state": {"running": {"startedAt": now}},
            "lastState": _NONE,
            "ready": not plan.init,
            "restartCount": 0,
            "image": plan.image,
            "imageID": plan.image_id,
            "started": True,
            "containerID": container_id,
        }

    def replace(self, plan: ContainerPlan, now: str, container_id: str) -> None:
        """Run what the spec says now in place of what has terminated."""
        ended = self.status
        self.plan, self.spec, self.entry, self.behaviour, self.begun = plan, plan.spec, plan.entry, None, False
        self.run(now, container_id)
        self.status = {**self.status, "lastState": ended["state"], "restartCount": ended["restartCount"] + 1}

    def terminate(self, now: str, exit_code: int, reason: str, message: str = "") -> None:
        plan, container_id = self.plan, self._id
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
        status = {
            "name": plan.name,
            "state": {"terminated": terminated},
            "lastState": self.status["lastState"],
            "ready": plan.init and exit_code == 0,
            "restartCount": self.status["restartCount"],
            "image": plan.image,
            "imageID": plan.image_id if container_id else "",
            "started": False,
        }
        if container_id:
            terminated["containerID"] = status["containerID"] = container_id
        self.status = status
