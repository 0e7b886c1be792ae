"""A PipelineRun's pipeline with the run's own values filled in, as ``status.pipelineSpec`` keeps it."""

from collections.abc import Mapping
from typing import Any

from controller.ports import Document
from sim.tekton.attempt import Attempt
from sim.tekton.paramdefaults import default_values
from sim.tekton.substitution import Memo, param_values, substitute, substitute_when, typed_value, variables
from sim.tekton.version import Version

_FILLED = ("params", "matrix", "displayName", "onError")
_UNFILLED = ("metadata", "spec", "params", "results", "description", "displayName")
_needed = Memo()


def applied(pipeline_spec: Document, pipeline: str, attempt: Attempt, version: Version) -> Document:
    """``pipeline_spec`` with parameters, contexts and workspaces in place; itself when it uses none of them.

    Raises paramdefaults.Unresolvable for defaults that lead nowhere.
    """
    names: frozenset[str] | None = _needed.get(pipeline_spec)
    if names is None:
        names = frozenset(name for name in variables(pipeline_spec) if not name.startswith("tasks."))
        _needed.put(pipeline_spec, names)
    if not names:
        return pipeline_spec
    values = _values(pipeline_spec, pipeline, attempt, version)
    if not any(name.removesuffix("[*]") in values for name in names):
        return pipeline_spec
    changed: dict[str, Any] = {}
    for group in ("tasks", "finally"):
        if pipeline_spec.get(group):
            changed[group] = [_task(task, values) for task in pipeline_spec[group]]
    return {**pipeline_spec, **changed}


def context_values(pipeline: str, attempt: Attempt) -> dict[str, Any]:
    return {
        "context.pipelineRun.name": attempt.name,
        "context.pipelineRun.namespace": attempt.namespace,
        "context.pipelineRun.uid": attempt.metadata["uid"],
        "context.pipeline.name": pipeline,
    }


def _values(pipeline_spec: Document, pipeline: str, attempt: Attempt, version: Version) -> dict[str, Any]:
    spec = attempt.document["spec"]
    given = spec.get("params") or ()
    values = default_values(pipeline_spec.get("params") or (), given, resolved=version.defaults_use_params)
    values.update(param_values(given))
    values.update(context_values(pipeline, attempt))
    for one in pipeline_spec.get("workspaces") or ():
        values[f"workspaces.{one['name']}.bound"] = "false"
    for one in spec.get("workspaces") or ():
        values[f"workspaces.{one['name']}.bound"] = "true"
    return values


def _task(task: Document, values: Mapping[str, Any]) -> Document:
    """One task, in the places where Tekton looks for variables."""
    changed: dict[str, Any] = {key: substitute(task[key], values) for key in _FILLED if key in task}
    if task.get("matrix") and "displayName" in task:
        changed["displayName"] = task["displayName"]
    if task.get("when"):
        changed["when"] = substitute_when(task["when"], values)
    if task.get("workspaces"):
        changed["workspaces"] = [
            {**one, "subPath": substitute(one["subPath"], values)} if one.get("subPath") else one
            for one in task["workspaces"]
        ]
    reference = task.get("taskRef")
    if reference:
        changed["taskRef"] = {
            key: substitute(value, values) if key in ("name", "params") else value for key, value in reference.items()
        }
    if task.get("taskSpec") is not None:
        visible = _visible(changed.get("params") or (), values)
        changed["taskSpec"] = {
            key: value if key in _UNFILLED else substitute(value, visible) for key, value in task["taskSpec"].items()
        }
    return {**task, **changed}


def _visible(params: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an embedded Task sees: a parameter that the pipeline task passes on hides the run's of the same name."""
    if not params:
        return values
    visible = dict(values)
    for one in params:
        if f"params.{one['name']}" in values:
            value = typed_value(one.get("value", ""))
            visible.update(param_values(({"name": one["name"], "value": value},)))
    return visible
