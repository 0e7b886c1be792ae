"""What a finished run shows about its failure: which task, which step, and which cause its documents name.

Pure: reads documents, asks nobody. :mod:`controller.executor.inquiry` fetches them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.api.tekton import all_attempts_steps, is_finished, steps, succeeded, task_names
from controller.api.texts import clean
from controller.api.workflowexecution import FailureReason
from controller.executor import reasons
from controller.executor.texts import PREVIOUS_STATUS, READ_LIMIT, resolver_advice, task_run_text
from controller.ports import Document

_EMPTY: Mapping[str, Any] = {}
SIGKILL_EXIT_CODE = 137


@dataclass(frozen=True, slots=True)
class Child:
    """A task of the run: its name in the pipeline, its TaskRun's name, and the TaskRun if it could be read."""

    task_name: str
    name: str
    task_run: Document | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that some evidence names, the words of that evidence, and what to do where that is special."""

    reason: FailureReason
    message: str
    recommendation: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a run failed. ``task_index`` counts from 0 in pipeline order; ``started`` is ``wasExecutionFailure``;
    ``recommendation`` is empty where the one of its reason serves; ``goes_on`` names a TaskRun that had not ended.
    """

    reason: FailureReason
    message: str
    started: bool
    task_index: int = 0
    task_name: str = ""
    task_count: int = 0
    step_name: str | None = None
    exit_code: int | None = None
    failed_at: str | None = None
    recommendation: str = ""
    goes_on: str = ""


def failed_child(children: Sequence[Child]) -> Child | None:
    """The task to blame: the first that failed by itself, else the first that was cancelled or never ended."""
    stopped = None
    for child in children:
        if child.task_run is None:
            continue
        condition = succeeded(child.task_run) or _EMPTY
        if condition.get("status") == "False":
            reason = condition.get("reason")
            if reason not in ("TaskRunCancelled", "FailureIgnored"):
                return child
            if reason == "FailureIgnored":
                continue
        elif condition.get("status") == "True":
            continue
        stopped = stopped or child
    return stopped


def oom_step(task_run: Document) -> Mapping[str, Any] | None:
    """The first step that the kernel killed for memory, whatever its exit code says (0, 137 and 255 all happen)."""
    return next((step for step in steps(task_run) if _terminated(step).get("reason") == "OOMKilled"), None)


def failed_step(task_run: Document) -> Mapping[str, Any] | None:
    """The step to blame: killed for memory, else exited non-zero by itself, else stopped by Tekton, else waiting."""
    candidates = (
        oom_step(task_run),
        next((step for step in steps(task_run) if own_exit_code(step)), None),
        next((step for step in steps(task_run) if _terminated(step).get("exitCode")), None),
        next((step for step in steps(task_run) if (step.get("waiting") or _EMPTY).get("reason") in _STUCK), None),
    )
    return next((step for step in candidates if step is not None), None)


_STUCK = ("CreateContainerConfigError", "CreateContainerError", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def own_exit_code(step: Mapping[str, Any]) -> int | None:
    """The code its process ended with; None while it runs, and for codes that Tekton wrote for a stopped or skipped
    step: those say nothing about the step."""
    terminated = _terminated(step)
    if step.get("terminationReason") == "Skipped" or terminated.get("reason") not in (
        "Completed",
        "Error",
        "OOMKilled",
        "ContainerCannotRun",
        "StartError",
        "DeadlineExceeded",
        "",
        None,
    ):
        return None
    return terminated.get("exitCode")


def was_sigkilled(step: Mapping[str, Any]) -> bool:
    """Killed from outside its process: by the kernel, the kubelet or the loss of its node."""
    return own_exit_code(step) == SIGKILL_EXIT_CODE


def task_run_finding(task_run: Document) -> Finding | None:
    """The cause that a TaskRun's condition names, by reason in any spelling or by the text of older versions."""
    condition = succeeded(task_run) or _EMPTY
    message = (condition.get("message") or "")[:READ_LIMIT]
    reason = condition.get("reason") or ""
    found = reasons.meaning(reasons.TASK_RUN, reason, message)
    if found is None and condition.get("status") == "False":
        previous = PREVIOUS_STATUS.search(message)
        if previous is not None:
            found = reasons.meaning(reasons.TASK_RUN, previous[1], previous[2])
        elif reason != "TaskRunCancelled":
            found = task_run_text(message)
    if found is None:
        return None
    waiting = [(step.get("waiting") or _EMPTY).get("message") for step in steps(task_run)]
    detail = next((text for text in waiting if text), None) if reason == "CreateContainerConfigError" else None
    return Finding(found, clean(f"{message}: {detail}" if detail else message))


def pipeline_run_finding(pipeline_run: Document) -> Finding | None:
    """The cause that the PipelineRun's own condition names. For a failed task it holds only counters."""
    condition = succeeded(pipeline_run) or _EMPTY
    message = (condition.get("message") or "")[:READ_LIMIT]
    found = reasons.meaning(reasons.PIPELINE_RUN, condition.get("reason") or "", message)
    return None if found is None else Finding(found, clean(message), resolver_advice(message))


def started_before_its_task(task_run: Document, step: Mapping[str, Any]) -> bool:
    """Whether the step is older than its TaskRun: then it ran in a pod of an earlier one, met by its name."""
    started = _terminated(step).get("startedAt")
    created = task_run["metadata"].get("creationTimestamp")
    return bool(started and created and started < created)


def may_have_changed_something(children: Iterable[Child], *, complete: bool) -> bool:
    """Whether a step of any task had started, or nobody can tell. ``complete``: these are all children there were."""
    if not complete:
        return True
    for child in children:
        run = child.task_run
        if run is None:
            return True
        if not is_finished(run) and (run.get("status") or _EMPTY).get("podName"):
            return True  # its pod lives on while the pipeline has ended: it may start yet
        if any(_has_started(step) for step in all_attempts_steps(run)):
            return True
    return False


def _has_started(step: Mapping[str, Any]) -> bool:
    if "running" in step:
        return True
    if "terminated" not in step:
        return False
    if own_exit_code(step) is not None:
        return True
    # Tekton writes a termination for every step of a stopped pod; only a container that existed has an image.
    return bool(step.get("imageID") or _terminated(step).get("containerID"))


def position(pipeline_run: Document, children: Sequence[Child], child: Child) -> tuple[int, int]:
    """Index from 0 of the child's task in the pipeline, and the number of tasks."""
    names = task_names(pipeline_run)
    if child.task_name in names:
        return names.index(child.task_name), len(names)
    return children.index(child), max(len(children), len(names))


def _terminated(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return step.get("terminated") or _EMPTY
