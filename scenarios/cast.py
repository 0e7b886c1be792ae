"""Who plays the steps: behaviours from the catalogue of workflows, changed by the troubles of the scenario."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.ports import Document, Resource
from scenarios.workflows import Request, Workflow, WorkflowStep
from sim.cluster.behaviour import ApiRequest, Behaviour, OomVariant
from sim.cluster.quantities import memory_bytes

WORKLOADS = {
    "Deployment": Resource("apps", "v1", "deployments", "Deployment"),
    "StatefulSet": Resource("apps", "v1", "statefulsets", "StatefulSet"),
    "DaemonSet": Resource("apps", "v1", "daemonsets", "DaemonSet"),
}
"""The kinds of targets that exist as objects, so that a step can really change them."""
_EXCESS_BYTES = 64 * 2**20  # by how much a step that runs out of memory wants more than its limit

Change = Callable[[Behaviour, int], Behaviour]
"""``(behaviour, memory limit in bytes) -> behaviour``."""


def _out_of_memory(variant: OomVariant) -> Change:
    return lambda behaviour, limit: replace(behaviour, memory_peak_bytes=limit + _EXCESS_BYTES, oom=variant)


TROUBLES: Mapping[str, Change] = {
    "exits with an error": lambda behaviour, _: replace(
        behaviour, exit_code=1, log="error: the server rejected the change\n", requests=()
    ),
    "never ends": lambda behaviour, _: replace(behaviour, hangs=True),
    "runs out of memory and its container is killed": _out_of_memory(OomVariant.GROUP),
    "runs out of memory and only its child process is killed": _out_of_memory(OomVariant.CHILD),
    "runs out of memory and its exit code says it went well": _out_of_memory(OomVariant.SURVIVED),
    "runs out of memory and leaves only a kill signal": _out_of_memory(OomVariant.UNREPORTED),
    "runs out of memory before the work starts": _out_of_memory(OomVariant.GROUP),
}
"""What may befall a step, in the words of the features."""


@dataclass(slots=True)
class Cast:
    """Implements :class:`sim.cluster.behaviour.Performer` for the workflows of the catalogue."""

    workflows: Mapping[str, Workflow]
    stream: random.Random
    _troubles: dict[tuple[str, str], Change] = field(default_factory=dict)
    _steps: dict[tuple[str, str, str], WorkflowStep] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for workflow in self.workflows.values():
            for task in workflow.tasks:
                for step in task.steps:
                    self._steps[workflow.workflow, task.name, f"step-{step.name}"] = step

    def trouble(self, subject: str, step: str, trouble: str) -> None:
        """From now on ``step`` meets ``trouble``, in every run on the target or of the execution ``subject``."""
        self._troubles[subject, step] = TROUBLES[trouble]

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        labels = pod["metadata"].get("labels") or {}
        target = (pod["metadata"].get("annotations") or {}).get("kubernaut.ai/target-resource", "")
        key = (labels.get("kubernaut.ai/workflow-id", ""), labels.get("tekton.dev/pipelineTask", ""), container)
        step = self._steps.get(key)
        name = container.removeprefix("step-")
        execution = labels.get("kubernaut.ai/workflow-execution", "")
        change = self._troubles.get((target, name)) or self._troubles.get((execution, name))
        if step is None:
            return None if change is None else change(Behaviour(), _limit_bytes(pod, container))
        behaviour = Behaviour(
            duration_us=step.duration.sample_us(self.stream),
            log=step.log,
            memory_peak_bytes=memory_bytes(step.memory.peak),
            requests=tuple(_request(request, target) for request in step.requests) if _is_workload(target) else (),
        )
        return behaviour if change is None else change(behaviour, memory_bytes(step.memory.limit))


def _request(request: Request, target: str) -> ApiRequest:
    namespace, kind, name = target.split("/")
    body: dict[str, Any] | None = request.patch or None
    return ApiRequest(request.verb, WORKLOADS[kind], namespace, name, body)


def _is_workload(target: str) -> bool:
    return target.count("/") == 2 and target.split("/")[1] in WORKLOADS


def _limit_bytes(pod: Document, container: str) -> int:
    for spec in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        if spec["name"] == container:
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
            return memory_bytes(limit) if limit else 0
    return 0
