"""Who plays the steps: behaviours from the catalogue of workflows, changed by the troubles of the scenario."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from controller.ports import Document, Resource
from scenarios.errors import BadInput
from scenarios.workflows import Workflow, WorkflowStep
from sim.cluster.behaviour import ApiRequest, Behaviour, OomVariant
from sim.cluster.quantities import memory_bytes
from sim.workload.distributions import Distribution

WORKLOADS = {
    "Deployment": Resource("apps", "v1", "deployments", "Deployment"),
    "StatefulSet": Resource("apps", "v1", "statefulsets", "StatefulSet"),
    "DaemonSet": Resource("apps", "v1", "daemonsets", "DaemonSet"),
}
"""The kinds of targets that exist as objects, so that a step can really change them."""
_NOTHING: Document = {}
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


_PREPARING = ("place-scripts", "prepare")  # containers that Tekton runs before the steps of every task


def check_step(step: str, workflows: Mapping[str, Workflow]) -> None:
    """Raises ValueError for the name of a step that no workflow has."""
    known = step_names(workflows) | set(_PREPARING)
    if step not in known:
        raise ValueError(f'no step is called "{step}"; there are: {", ".join(sorted(known))}')


def step_names(workflows: Mapping[str, Workflow]) -> set[str]:
    return {step.name for workflow in workflows.values() for task in workflow.tasks for step in task.steps}


@dataclass(slots=True)
class Cast:
    """Implements :class:`sim.cluster.behaviour.Performer` for the workflows of the catalogue."""

    workflows: Mapping[str, Workflow]
    durations: Mapping[str, Distribution]
    stream: random.Random
    _troubles: dict[tuple[str, str], Change] = field(default_factory=dict)
    _steps: dict[tuple[str, str, str], WorkflowStep] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for workflow in self.workflows.values():
            for task in workflow.tasks:
                for step in task.steps:
                    key = workflow.workflow, task.name, f"step-{step.name}"
                    chosen = self.durations.get(step.name)
                    self._steps[key] = step if chosen is None else step.model_copy(update={"duration": chosen})
        known = step_names(self.workflows)
        for name in self.durations:
            if name not in known:
                raise BadInput("settings", f'durations: no step is called "{name}"', ", ".join(sorted(known)))

    def trouble(self, subject: str, step: str, trouble: str) -> None:
        """From now on ``step`` meets ``trouble``, in every run on the target or of the execution ``subject``."""
        self._troubles[subject, step] = TROUBLES[trouble]

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        labels = pod["metadata"].get("labels") or _NOTHING
        step = self._steps.get(
            (labels.get("kubernaut.ai/workflow-id", ""), labels.get("tekton.dev/pipelineTask", ""), container)
        )
        change = self._change(pod, labels, container) if self._troubles else None
        if step is None:
            return None if change is None else change(Behaviour(), _limit_bytes(pod, container))
        behaviour = Behaviour(
            duration_us=step.duration.sample_us(self.stream),
            log=step.log,
            memory_peak_bytes=memory_bytes(step.memory.peak),
            requests=_requests(step, _target(pod)) if step.requests else (),
        )
        return behaviour if change is None else change(behaviour, memory_bytes(step.memory.limit))

    def _change(self, pod: Document, labels: Mapping[str, str], container: str) -> Change | None:
        """The trouble that befalls the step, by its target or else by its execution."""
        name = container.removeprefix("step-")
        execution = labels.get("kubernaut.ai/workflow-execution", "")
        return self._troubles.get((_target(pod), name)) or self._troubles.get((execution, name))


def _target(pod: Document) -> str:
    target: str = (pod["metadata"].get("annotations") or _NOTHING).get("kubernaut.ai/target-resource", "")
    return target


def _requests(step: WorkflowStep, target: str) -> tuple[ApiRequest, ...]:
    """The step's requests about a target that exists as an object; about any other there is nothing to ask."""
    parts = target.split("/")
    if len(parts) != 3 or parts[1] not in WORKLOADS:
        return ()
    namespace, kind, name = parts
    return tuple([ApiRequest(one.verb, WORKLOADS[kind], namespace, name, one.patch or None) for one in step.requests])


def _limit_bytes(pod: Document, container: str) -> int:
    for spec in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
        if spec["name"] == container:
            limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
            return memory_bytes(limit) if limit else 0
    return 0
