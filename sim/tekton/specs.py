"""What the validating webhook finds wrong with specs, in knative's field errors: ``problem: path``."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from controller.ports import Document
from sim.tekton.deadlines import parse_duration_us
from sim.tekton.graph import GraphError, graph_of
from sim.tekton.substitution import Memo
from sim.workload.durations import format_us

_DEMANDS = ("", "Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")
_BOTH = "expected exactly one, got both: "
_sound = Memo()


def pipeline_run_errors(spec: Document, default_us: int) -> list[str]:
    """Everything wrong with a PipelineRun's spec; ``default_us`` is the pipeline timeout where none is given."""
    errors = [*_one_of(spec, "pipelineRef", "pipelineSpec", "spec.")]
    reference = spec.get("pipelineRef") or {}
    errors += (f"{_BOTH}spec.pipelineRef[{name}].name" for name in _repeated(reference.get("params")))
    errors += (f"{_BOTH}spec.params[{name}].name" for name in _repeated(spec.get("params")))
    if spec.get("pipelineSpec"):
        errors += pipeline_errors(spec["pipelineSpec"], "spec.pipelineSpec")
    demand = spec.get("status") or ""
    if demand not in _DEMANDS:
        text = f"{demand:.256} should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending"
        errors.append(f"invalid value: {text}: spec.status")
    errors += _timeout_errors(spec.get("timeouts") or {}, default_us)
    return errors


def task_run_errors(spec: Document) -> list[str]:
    errors = [*_one_of(spec, "taskRef", "taskSpec", "spec.")]
    errors += (f"{_BOTH}spec.params[{name}].name" for name in _repeated(spec.get("params")))
    if spec.get("taskSpec"):
        errors += _task_errors(spec["taskSpec"], "spec.taskSpec")
    demand = spec.get("status") or ""
    if demand not in ("", "TaskRunCancelled", "TaskRunPending"):
        errors.append(f"invalid value: {demand:.256} should be TaskRunCancelled or TaskRunPending: spec.status")
    return errors


def pipeline_errors(spec: Document, path: str) -> list[str]:
    """Everything wrong with a pipeline's spec; a sound one is looked at once."""
    if _sound.get(spec):
        return []
    errors: list[str] = []
    tasks = spec.get("tasks") or []
    if not tasks:
        errors.append(f"missing field(s): {path}.tasks")
    seen: set[str] = set()
    for group, members in (("tasks", tasks), ("finally", spec.get("finally") or [])):
        for index, task in enumerate(members):
            at = f"{path}.{group}[{index}]"
            name = task.get("name") or ""
            if not name:
                errors.append(f"missing field(s): {at}.name")
            elif name in seen:
                errors.append(f"{_BOTH}{at}.name")
            seen.add(name)
            errors += _pipeline_task_errors(task, at)
    if all(task.get("name") for task in (*tasks, *(spec.get("finally") or []))):
        try:
            graph_of(spec)
        except GraphError as error:
            errors.append(f"invalid value: {error}: {path}.tasks")
    if not errors:
        _sound.put(spec, True)
    return errors


def _pipeline_task_errors(task: Document, at: str) -> Iterator[str]:
    yield from _one_of(task, "taskRef", "taskSpec", f"{at}.")
    if task.get("taskSpec"):
        yield from _task_errors(task["taskSpec"], f"{at}.taskSpec")
    for index, when in enumerate(task.get("when") or ()):
        if when.get("cel"):
            text = f"feature flag enable-cel-in-whenexpression should be set to true to use CEL: {when['cel']:.256}"
            yield f"{text} in WhenExpression: {at}.when[{index}]"


def _task_errors(spec: Document, path: str) -> Iterator[str]:
    steps = spec.get("steps") or []
    if not steps:
        yield f"missing field(s): {path}.steps"
    seen: set[str] = set()
    for index, step in enumerate(steps):
        if not step.get("image") and not step.get("ref"):
            yield f"missing field(s): {path}.steps[{index}].Image"
        name = step.get("name") or ""
        if name and name in seen:
            yield f"expected exactly one, got both: {path}.steps[{index}].name"
        seen.add(name)


def _timeout_errors(timeouts: Mapping[str, Any], default_us: int) -> Iterator[str]:
    limits: dict[str, int] = {}
    for key in ("pipeline", "tasks", "finally"):
        text = timeouts.get(key)
        if not text:
            continue
        if text.startswith("-"):
            yield f"invalid value: {text:.64} should be >= 0: spec.timeouts.{key}"
            continue
        limits[key] = parse_duration_us(text)
    whole_us = limits.get("pipeline", default_us)
    if not whole_us:
        return
    kind = "pipeline duration" if "pipeline" in limits else "default timeout duration"
    for key in ("tasks", "finally"):
        if limits.get(key, 0) > whole_us:
            yield f"invalid value: {format_us(limits[key])} should be <= {kind}: spec.timeouts.{key}"
    tasks_us, finally_us = limits.get("tasks", 0), limits.get("finally", 0)
    if tasks_us and finally_us and max(tasks_us, finally_us) <= whole_us < tasks_us + finally_us:
        sum_text = f"{format_us(tasks_us)} + {format_us(finally_us)} should be <= {kind}"
        for key in ("tasks", "finally"):
            yield f"invalid value: {sum_text}: spec.timeouts.{key}"


def _one_of(spec: Document, one: str, other: str, prefix: str) -> Iterator[str]:
    if bool(spec.get(one)) == bool(spec.get(other)):
        found = "both" if spec.get(one) else "neither"
        yield f"expected exactly one, got {found}: {prefix}{one}, {prefix}{other}"


def _repeated(params: Iterable[Document] | None) -> Iterator[str]:
    seen: set[str] = set()
    for param in params or ():
        name = param.get("name", "")
        if name in seen:
            yield name
        seen.add(name)
