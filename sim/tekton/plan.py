"""A PipelineRun's pipeline with the run's own values filled in, as ``status.pipelineSpec`` keeps it."""

from collections.abc import Mapping
from typing import Any

from controller.ports import Document
from sim.tekton.attempt import Attempt
from sim.tekton.substitution import Memo, param_values, substitute, variables

_needed = Memo()


def applied(pipeline_spec: Document, pipeline: str, attempt: Attempt) -> Document:
    """``pipeline_spec`` with parameters, contexts and workspaces in place; itself when it uses none of them."""
    names: frozenset[str] | None = _needed.get(pipeline_spec)
    if names is None:
        names = frozenset(name for name in variables(pipeline_spec) if not name.startswith("tasks."))
        _needed.put(pipeline_spec, names)
    if not names:
        return pipeline_spec
    values = _values(pipeline_spec, pipeline, attempt)
    if not any(name.removesuffix("[*]") in values for name in names):
        return pipeline_spec
    changed: dict[str, Any] = {}
    for group in ("tasks", "finally"):
        if pipeline_spec.get(group):
            changed[group] = [_task(task, values) for task in pipeline_spec[group]]
    if pipeline_spec.get("results"):
        changed["results"] = substitute(pipeline_spec["results"], values)
    return {**pipeline_spec, **changed}


def _values(pipeline_spec: Document, pipeline: str, attempt: Attempt) -> dict[str, Any]:
    spec = attempt.document["spec"]
    declared = pipeline_spec.get("params") or ()
    values = param_values({"name": one["name"], "value": one.get("default")} for one in declared)
    values.update(param_values(spec.get("params") or ()))
    values["context.pipelineRun.name"] = attempt.name
    values["context.pipelineRun.namespace"] = attempt.namespace
    values["context.pipelineRun.uid"] = attempt.metadata["uid"]
    values["context.pipeline.name"] = pipeline
    bound = {one["name"] for one in spec.get("workspaces") or ()}
    for one in pipeline_spec.get("workspaces") or ():
        values[f"workspaces.{one['name']}.bound"] = "true" if one["name"] in bound else "false"
    return values


def _task(task: Document, values: Mapping[str, Any]) -> Document:
    """One task; inside an embedded Task the Task's own parameters hide the run's."""
    filled: Document = substitute({key: value for key, value in task.items() if key != "taskSpec"}, values)
    template = task.get("taskSpec")
    if template is None:
        return filled
    own = param_values({"name": one["name"], "value": ""} for one in template.get("params") or ())
    visible = {name: value for name, value in values.items() if not name.startswith("workspaces.")}
    for name in own:
        visible.pop(name, None)
    return {**filled, "taskSpec": substitute(template, visible)}


def pipeline_results(pipeline_spec: Document, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``status.results`` of a finished run: those declared results whose sources all have a value."""
    results = []
    for one in pipeline_spec.get("results") or ():
        names = variables(one.get("value"))
        if all(name.removesuffix("[*]") in values for name in names):
            results.append({"name": one["name"], "value": substitute(one.get("value"), values)})
    return results
