"""What the mutating webhook fills in: the reason why a read right after a create returns more than was sent."""

from typing import Any

from controller.ports import Document
from sim.tekton.substitution import Memo

_CHAINS = "chains.tekton.dev/"
MANAGED_BY = "app.kubernetes.io/managed-by"
_tasks = Memo()
_pipelines = Memo()


def default_pipeline_run(document: Document, timeout: str) -> Document:
    """``timeout`` is the default pipeline timeout as Go writes it. The same document when nothing is missing."""
    spec = document.get("spec") or {}
    changed: dict[str, Any] = {}
    timeouts = spec.get("timeouts") or {}
    if not timeouts.get("pipeline"):
        changed["timeouts"] = {**timeouts, "pipeline": timeout}
    template = spec.get("taskRunTemplate") or {}
    if not template.get("serviceAccountName"):
        changed["taskRunTemplate"] = {**template, "serviceAccountName": "default"}
    if spec.get("pipelineSpec"):
        pipeline = default_pipeline_spec(spec["pipelineSpec"])
        if pipeline is not spec["pipelineSpec"]:
            changed["pipelineSpec"] = pipeline
    metadata = document["metadata"]
    annotations = metadata.get("annotations") or {}
    if any(key.startswith(_CHAINS) for key in annotations):
        kept = {key: value for key, value in annotations.items() if not key.startswith(_CHAINS)}
        document = {**document, "metadata": {**metadata, "annotations": kept}}
    return {**document, "spec": {**spec, **changed}} if changed else document


def default_task_run(document: Document, timeout: str) -> Document:
    spec = document.get("spec") or {}
    changed: dict[str, Any] = {}
    if not spec.get("serviceAccountName"):
        changed["serviceAccountName"] = "default"
    if spec.get("timeout") is None:
        changed["timeout"] = timeout
    if spec.get("taskRef") and not spec["taskRef"].get("kind") and not spec["taskRef"].get("resolver"):
        changed["taskRef"] = {**spec["taskRef"], "kind": "Task"}
    if spec.get("taskSpec"):
        task = default_task_spec(spec["taskSpec"])
        if task is not spec["taskSpec"]:
            changed["taskSpec"] = task
    if changed:
        document = {**document, "spec": {**spec, **changed}}
    metadata = document["metadata"]
    labels = metadata.get("labels") or {}
    if MANAGED_BY not in labels:
        document = {**document, "metadata": {**metadata, "labels": {MANAGED_BY: "tekton-pipelines", **labels}}}
    return document


def default_pipeline(document: Document) -> Document:
    spec = document.get("spec") or {}
    defaulted = default_pipeline_spec(spec)
    return document if defaulted is spec else {**document, "spec": defaulted}


def default_pipeline_spec(spec: Document) -> Document:
    """Once per document: a defaulted spec is its own default."""
    known: Document | None = _pipelines.get(spec)
    if known is not None:
        return known
    changed: dict[str, Any] = {}
    for group in ("tasks", "finally"):
        tasks = spec.get(group)
        if isinstance(tasks, list):
            defaulted = [_pipeline_task(task) if isinstance(task, dict) else task for task in tasks]
            if any(new is not old for new, old in zip(defaulted, tasks, strict=True)):
                changed[group] = defaulted
    params = _params(spec.get("params"))
    if params is not spec.get("params"):
        changed["params"] = params
    answer = {**spec, **changed} if changed else spec
    _pipelines.put(spec, answer)
    if answer is not spec:
        _pipelines.put(answer, answer)
    return answer


def _pipeline_task(task: Document) -> Document:
    changed: dict[str, Any] = {}
    template = task.get("taskSpec")
    if isinstance(template, dict):
        defaulted = default_task_spec(template)
        if "metadata" not in defaulted or "spec" not in defaulted:
            # the embedded Task is a Go struct with these two fields besides the Task's own, always written out
            defaulted = {"metadata": {}, "spec": None, **defaulted}
        if defaulted is not template:
            changed["taskSpec"] = defaulted
    reference = task.get("taskRef")
    if isinstance(reference, dict) and not reference.get("kind") and not reference.get("resolver"):
        changed["taskRef"] = {**reference, "kind": "Task"}
    return {**task, **changed} if changed else task


def default_task_spec(spec: Document) -> Document:
    """Once per document: a defaulted spec is its own default."""
    known: Document | None = _tasks.get(spec)
    if known is not None:
        return known
    changed: dict[str, Any] = {}
    steps = spec.get("steps")
    if isinstance(steps, list):
        defaulted = [
            {"computeResources": {}, **step} if isinstance(step, dict) and "computeResources" not in step else step
            for step in steps
        ]
        if any(new is not old for new, old in zip(defaulted, steps, strict=True)):
            changed["steps"] = defaulted
    params = _params(spec.get("params"))
    if params is not spec.get("params"):
        changed["params"] = params
    answer = {**spec, **changed} if changed else spec
    _tasks.put(spec, answer)
    if answer is not spec:
        _tasks.put(answer, answer)
    return answer


def _params(params: Any) -> Any:
    """Declarations of parameters with their type; a default tells it, otherwise it is a string."""
    if not isinstance(params, list):
        return params
    typed = [
        {**one, "type": _type_of(one.get("default"))} if isinstance(one, dict) and not one.get("type") else one
        for one in params
    ]
    return typed if any(new is not old for new, old in zip(typed, params, strict=True)) else params


def _type_of(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string"
