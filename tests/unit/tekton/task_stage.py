"""A Tekton whose pods are played by hand, container by container, to TaskRuns without a PipelineRun."""

from collections.abc import Mapping
from typing import Any

from tekton_world import NAMESPACE, Outcome, TektonWorld

from controller.ports import Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.cluster.api import Api
from sim.tekton.access import PODS, TASK_RUNS
from sim.tekton.conditions import condition_of
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_15, Version

EVENTS = Resource("", "v1", "events", "Event")
STEP: Document = {"name": "a", "image": "reg.local/tool:1", "script": "echo"}


class TaskStage(TektonWorld):
    """One TaskRun, ``run``. Nothing happens to its pod unless told."""

    def __init__(self, version: Version = V1_15, latency: Latency | None = None) -> None:
        super().__init__(TektonOptions(version=version), latency=latency)
        self._hands = Api(self.server, ADMIN, "kubelet")

    def __enter__(self) -> "TaskStage":
        return self

    def _start(self, name: str) -> None:
        """The pod stays as it is."""

    def _outcome(self, pod: Document) -> Outcome:
        return Outcome(ends=False)

    def start(self, task_spec: Document | None = None, seconds: float = 1.0, **spec: Any) -> None:
        if "taskRef" not in spec:
            spec["taskSpec"] = task_spec or {"steps": [STEP]}
        self.create(TASK_RUNS, {"metadata": {"name": "run"}, "spec": spec})
        self.run(seconds)

    def pod(self, name: str = "run-pod") -> Document:
        return self.server.get(ADMIN, PODS, NAMESPACE, name)

    def play(
        self, phase: str, states: Mapping[str, Document], *, name: str = "run-pod", seconds: float = 1.0, **status: Any
    ) -> None:
        """Give the pod's containers these states."""
        statuses = [
            {"name": one, "image": "", "imageID": "", "ready": "running" in state, "restartCount": 0, "state": state}
            for one, state in states.items()
        ]
        written = {"phase": phase, "conditions": [], "containerStatuses": statuses, **status}
        self._hands.write_pod_status(self.pod(name), written)
        self.run(seconds)

    def running(self) -> Document:
        return {"running": {"startedAt": self.clock.timestamp()}}

    def ended(self, code: int = 0, message: str = "", reason: str = "") -> Document:
        now = self.clock.timestamp()
        told = {"message": message} if message else {}
        reason = reason or ("Error" if code else "Completed")
        return {"terminated": {"exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now, **told}}

    def status(self) -> Document:
        told: Document = self.server.get(ADMIN, TASK_RUNS, NAMESPACE, "run").get("status") or {}
        return told

    def outcome(self) -> tuple[str, str, str]:
        condition = condition_of(self.status()) or {}
        return condition.get("status", ""), condition.get("reason", ""), condition.get("message", "")

    def told(self) -> list[tuple[str, str]]:
        """Reason and message of every Event about the TaskRun."""
        events = self.server.list(ADMIN, EVENTS, NAMESPACE)["items"]
        return [(one["reason"], one.get("message", "")) for one in events if one["involvedObject"]["kind"] == "TaskRun"]

    def demand(self, **spec: Any) -> None:
        self.server.patch(ADMIN, TASK_RUNS, NAMESPACE, "run", {"spec": spec})
        self.run(1.0)
