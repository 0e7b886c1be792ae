"""Who plays the steps: behaviours from the catalogue of workflows, changed by the troubles of the scenario."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from controller.ports import Document, Resource
from scenarios.errors import BadInput
from scenarios.workflows import Request, Workflow, WorkflowStep
from sim.cluster.behaviour import ApiRequest, Behaviour, OomVariant
from sim.cluster.quantities import memory_bytes

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
_RESOURCES = {
    "deployments.apps": DEPLOYMENTS,
    "statefulsets.apps": Resource("apps", "v1", "statefulsets", "StatefulSet"),
    "pods": Resource("", "v1", "pods", "Pod"),
}
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

    def trouble(self, target: str, step: str, trouble: str) -> None:
        """From now on ``step`` of any workflow on ``target`` meets ``trouble``. Raises BadInput for unknown words."""
        if trouble not in TROUBLES:
            raise BadInput("step", f'"{trouble}" is not known to befall a step', "; ".join(TROUBLES))
        self._troubles[target, step] = TROUBLES[trouble]

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        labels = pod["metadata"].get("labels") or {}
        target = (pod["metadata"].get("annotations") or {}).get("kubernaut.ai/target-resource", "")
        key = (labels.get("kubernaut.ai/workflow-id", ""), labels.get("tekton.dev/pipelineTask", ""), container)
        step = self._steps.get(key)
        change = self._troubles.get((target, container.removeprefix("step-")))
        if step is None:
            return None if change is None else change(Behaviour(), _limit_bytes(pod, container))
        behaviour = Behaviour(
            duration_us=step.duration.sample_us(self.stream),
            log=step.log,
            memory_peak_bytes=memory_bytes(step.memory.peak),
            requests=tuple(_request(request, target) for request in step.requests),
        )
        return behaviour if change is None else change(behaviour, memory_bytes(step.memory.limit))


def _request(request: Request, target: str) -> ApiRequest:
    namespace, _, rest = target.partition("/")
    name = rest.rpartition("/")[2]
    body: dict[str, Any] | None = request.patch or None
    return ApiRequest(request.verb, _RESOURCES[request.resource], namespace, name, body)


def _limit_bytes(pod: Document, container: str) -> int:
    for spec in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        if spec["name"] == container:
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
            return memory_bytes(limit) if limit else 0
    return 0
