"""What the mutating webhook fills in: the reason why a read right after a create returns more than was sent.

The specs are decoded ones (:mod:`sim.tekton.gotypes`): of the right types, without zero values.
"""

import re
from typing import Any

from controller.ports import Document
from sim.tekton.substitution import Memo
from sim.tekton.validation.params import type_of

MANAGED_BY = "app.kubernetes.io/managed-by"
_CHAINS = re.compile(r"(chains.tekton.dev)/.*")
_tasks = Memo()
_pipelines = Memo()


def default_pipeline_run(spec: Document, timeout: str) -> Document:
    """``timeout`` is the default pipeline timeout as Go writes it. The same spec when nothing is missing."""
    changed: dict[str, Any] = {}
    timeouts = spec.get("timeouts") or {}
    if "pipeline" not in timeouts:
        changed["timeouts"] = {**timeouts, "pipeline": timeout}
    template = spec.get("taskRunTemplate") or {}
    if not template.get("serviceAccountName"):
        changed["taskRunTemplate"] = {**template, "serviceAccountName": "default"}
    if spec.get("pipelineSpec") is not None:
        pipeline = default_pipeline(spec["pipelineSpec"])
        if pipeline is not spec["pipelineSpec"]:
            changed["pipelineSpec"] = pipeline
    return {**spec, **changed} if changed else spec


def default_task_run(spec: Document, timeout: str) -> Document:
    changed: dict[str, Any] = {}
    if not spec.get("serviceAccountName"):
        changed["serviceAccountName"] = "default"
    if spec.get("timeout") is None:
        changed["timeout"] = timeout
    reference = _default_reference(spec.get("taskRef"))
    if reference is not spec.get("taskRef"):
        changed["taskRef"] = reference
    if spec.get("taskSpec") is not None:
        task = default_task(spec["taskSpec"])
        if task is not spec["taskSpec"]:
            changed["taskSpec"] = task
    return {**spec, **changed} if changed else spec


def default_metadata(kind: str, metadata: Document, created: bool) -> Document:
    """Runs lose annotations of Tekton Chains when they are created; TaskRuns always tell who manages them."""
    annotations = metadata.get("annotations")
    if created and annotations and kind.endswith("Run") and any(map(_CHAINS.search, annotations)):
        kept = {key: value for key, value in annotations.items() if not _CHAINS.search(key)}
        metadata = {**metadata, "annotations": kept}
    if kind == "TaskRun":
        labels = metadata.get("labels") or {}
        if MANAGED_BY not in labels:
            metadata = {**metadata, "labels": {**labels, MANAGED_BY: "tekton-pipelines"}}
    return metadata


def default_pipeline(spec: Document) -> Document:
    """Once per document: a defaulted spec is its own default."""
    known: Document | None = _pipelines.get(spec)
    if known is not None:
        return known
    changed: dict[str, Any] = {}
    for group in ("tasks", "finally"):
        tasks = spec.get(group)
        if tasks:
            defaulted = [_pipeline_task(task) for task in tasks]
            if any(new is not old for new, old in zip(defaulted, tasks, strict=True)):
                changed[group] = defaulted
    _default_each(spec, "params", _param, changed)
    answer = {**spec, **changed} if changed else spec
    _pipelines.put(spec, answer)
    if answer is not spec:
        _pipelines.put(answer, answer)
    return answer


def default_task(spec: Document) -> Document:
    """Once per document: a defaulted spec is its own default."""
    known: Document | None = _tasks.get(spec)
    if known is not None:
        return known
    changed: dict[str, Any] = {}
    _default_each(spec, "params", _param, changed)
    _default_each(spec, "results", _result, changed)
    answer = {**spec, **changed} if changed else spec
    _tasks.put(spec, answer)
    if answer is not spec:
        _tasks.put(answer, answer)
    return answer


def _pipeline_task(task: Document) -> Document:
    changed: dict[str, Any] = {}
    if task.get("taskSpec") is not None:
        defaulted = default_task(task["taskSpec"])
        if defaulted is not task["taskSpec"]:
            changed["taskSpec"] = defaulted
    reference = _default_reference(task.get("taskRef"))
    if reference is not task.get("taskRef"):
        changed["taskRef"] = reference
    return {**task, **changed} if changed else task


def _default_reference(reference: Document | None) -> Document | None:
    if reference is None or reference.get("kind") or reference.get("resolver"):
        return reference
    return {**reference, "kind": "Task"}


def _default_each(spec: Document, key: str, default: Any, changed: dict[str, Any]) -> None:
    items = spec.get(key)
    if items:
        defaulted = [default(item) for item in items]
        if any(new is not old for new, old in zip(defaulted, items, strict=True)):
            changed[key] = defaulted


def _param(param: Document) -> Document:
    """A declaration with its type: what is said, else what its properties or its default tell, else a string."""
    properties = param.get("properties")
    if param.get("type"):
        return _with_properties(param, properties)
    if properties is not None:
        return _with_properties({**param, "type": "object"}, properties)
    return {**param, "type": type_of(param.get("default"))}


def _result(result: Document) -> Document:
    properties = result.get("properties")
    if not result.get("type"):
        result = {**result, "type": "string" if properties is None else "object"}
    return _with_properties(result, properties)


def _with_properties(holder: Document, properties: Document | None) -> Document:
    if properties is not None and not properties:
        return {key: value for key, value in holder.items() if key != "properties"}
    if properties is None or all(one.get("type") for one in properties.values()):
        return holder
    return {
        **holder,
        "properties": {key: one if one.get("type") else {"type": "string"} for key, one in properties.items()},
    }
