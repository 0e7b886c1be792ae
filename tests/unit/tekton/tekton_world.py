"""A simulated API server with Tekton on it and pods that run as told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.ports import Document, Resource, WatchType
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.access import PIPELINE_RUNS, PODS, SERVICE_ACCOUNTS, TASK_RUNS
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.conditions import condition_of
from sim.tekton.install import install
from sim.tekton.options import TektonOptions

NAMESPACE = "workflows"
_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)


@dataclass
class Outcome:
    """How the pods of one pipeline task end: exit code and results of its single step, and after how long."""

    exit_code: int = 0
    results: dict[str, str] = field(default_factory=dict)
    work_ms: int = 200
    ends: bool = True


class TektonWorld:
    def __init__(
        self,
        options: TektonOptions | None = None,
        *,
        outcomes: Mapping[str, Outcome] | None = None,
        bundles: BundleCatalogue | None = None,
        seed: int = 7,
        latency: Latency | None = None,
        managed_fields: bool = False,
    ) -> None:
        self.loop = Loop()
        clock = Clock(self.loop)
        streams = Streams(seed)
        self.clock = clock
        self.server = ApiServer(self.loop, streams, clock, latency=latency, managed_fields=managed_fields)
        self.create(_NAMESPACES, {"metadata": {"name": NAMESPACE}}, "")
        self.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default"}})
        self.bundles = bundles or BundleCatalogue()
        self.tekton = install(self.server, self.loop, streams, clock, options or TektonOptions(), self.bundles)
        self.outcomes = dict(outcomes or {})
        self._kubelet = Api(self.server, ADMIN, "kubelet")
        self.pods_started: list[str] = []
        self.server.observe(self._observed)
        self.run(2.0)

    def __enter__(self) -> "TektonWorld":
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.close()

    def run(self, seconds: float) -> None:
        self.loop.run_until(self.loop.now_us + round(seconds * 1_000_000))

    def create(self, resource: Resource, body: Document, namespace: str = NAMESPACE) -> Document:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return self.server.create(ADMIN, resource, namespace, body)

    def submit(self, tasks: list[Document], name: str = "run", **spec: Any) -> Document:
        """A PipelineRun with an embedded pipeline; ``finally_`` are the final tasks, ``results`` and ``params`` too."""
        pipeline: dict[str, Any] = {"tasks": tasks}
        for key in ("finally", "params", "results", "workspaces"):
            if f"pipeline_{key}" in spec:
                pipeline[key] = spec.pop(f"pipeline_{key}")
        return self.create(PIPELINE_RUNS, {"metadata": {"name": name}, "spec": {"pipelineSpec": pipeline, **spec}})

    def pipeline_run(self, name: str = "run") -> Document:
        return self.server.get(ADMIN, PIPELINE_RUNS, NAMESPACE, name)

    def task_run(self, task: str, name: str = "run") -> Document:
        return self.server.get(ADMIN, TASK_RUNS, NAMESPACE, f"{name}-{task}")

    def verdict(self, name: str = "run") -> tuple[str, str, str]:
        condition = condition_of(self.pipeline_run(name).get("status") or {}) or {}
        return condition.get("status", ""), condition.get("reason", ""), condition.get("message", "")

    def started_tasks(self, name: str = "run") -> list[str]:
        references = self.pipeline_run(name)["status"].get("childReferences") or []
        return [one["pipelineTaskName"] for one in references]

    def _observed(self, type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
        if resource.plural != "pods":
            return
        ready = (new["metadata"].get("annotations") or {}).get("tekton.dev/ready") == "READY"
        name = new["metadata"]["name"]
        if type_ == "ADDED":
            self.pods_started.append(name)
            self.loop.after(100_000, self._start, name)
        elif (
            type_ == "MODIFIED" and ready and not (old or {})["metadata"].get("annotations", {}).get("tekton.dev/ready")
        ):
            outcome = self._outcome(new)
            if outcome.ends:
                self.loop.after(outcome.work_ms * 1000, self._end, name, outcome)

    def _outcome(self, pod: Document) -> Outcome:
        return self.outcomes.get(pod["metadata"]["labels"]["tekton.dev/pipelineTask"], Outcome())

    def _start(self, name: str) -> None:
        self._set(name, "Running", lambda _: {"running": {"startedAt": self.clock.timestamp()}})

    def _end(self, name: str, outcome: Outcome) -> None:
        now = self.clock.timestamp()
        entries = [{"key": "StartedAt", "value": f"{now[:-1]}.000Z", "type": 3}]
        entries += [{"key": key, "value": value, "type": 1} for key, value in outcome.results.items()]  # type: ignore[misc]
        terminated = {
            "exitCode": outcome.exit_code,
            "reason": "Error" if outcome.exit_code else "Completed",
            "startedAt": now,
            "finishedAt": now,
            "message": json.dumps(entries),
        }
        self._set(name, "Failed" if outcome.exit_code else "Succeeded", lambda _: {"terminated": terminated})

    def _set(self, name: str, phase: str, state: Any) -> None:
        pod = self.server.find(PODS, NAMESPACE, name)
        if pod is None:
            return
        statuses = [
            {"name": one["name"], "image": "", "imageID": "", "ready": phase == "Running", "restartCount": 0}
            | {"state": state(one)}
            for one in pod["spec"]["containers"]
        ]
        self._kubelet.write_pod_status(pod, {"phase": phase, "conditions": [], "containerStatuses": statuses})


def task(name: str, **more: Any) -> Document:
    """A pipeline task with one step."""
    step = {"name": "a", "image": "reg.local/tool:1", "script": more.pop("script", "echo")}
    template: dict[str, Any] = {"steps": [step]}
    for key in ("results", "task_params"):
        if key in more:
            template[key.removeprefix("task_")] = more.pop(key)
    return {"name": name, "taskSpec": template, **more}
