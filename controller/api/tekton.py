"""Cheap looks into Tekton documents: nothing is validated, absent parts read as empty."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.ports import Document

_EMPTY: Mapping[str, Any] = {}


def succeeded(run: Document) -> Mapping[str, Any] | None:
    """The ``Succeeded`` condition of a PipelineRun or TaskRun; None before its first status."""
    status = run.get("status")
    if status:
        for condition in status.get("conditions") or ():
            if condition.get("type") == "Succeeded":
                return condition  # type: ignore[no-any-return]
    return None


def is_finished(run: Document) -> bool:
    """Whether the run has its final outcome; Tekton never leaves it again."""
    condition = succeeded(run)
    return condition is not None and condition.get("status") in ("True", "False")


def child_task_runs(pipeline_run: Document) -> list[Mapping[str, Any]]:
    """The child references of kind TaskRun, in pipeline order."""
    children = (pipeline_run.get("status") or _EMPTY).get("childReferences") or ()
    return [child for child in children if child.get("kind") == "TaskRun"]


def task_names(pipeline_run: Document) -> list[str]:
    """Names of the pipeline's tasks in order, finally tasks last; empty before the pipeline is resolved."""
    spec = (pipeline_run.get("status") or _EMPTY).get("pipelineSpec") or _EMPTY
    return [task["name"] for key in ("tasks", "finally") for task in spec.get(key) or () if "name" in task]


def task_count(pipeline_run: Document) -> int:
    """How many names :func:`task_names` has."""
    spec = (pipeline_run.get("status") or _EMPTY).get("pipelineSpec")
    count = 0
    if spec:
        for task in spec.get("tasks") or ():
            if "name" in task:
                count += 1
        for task in spec.get("finally") or ():
            if "name" in task:
                count += 1
    return count


def steps(task_run: Document) -> Sequence[Mapping[str, Any]]:
    """The step states of the last attempt."""
    return (task_run.get("status") or _EMPTY).get("steps") or ()


def all_attempts_steps(task_run: Document) -> Iterator[Mapping[str, Any]]:
    """The step states of every attempt, archived ones first."""
    status = task_run.get("status") or _EMPTY
    for attempt in status.get("retriesStatus") or ():
        yield from attempt.get("steps") or ()
    yield from status.get("steps") or ()
