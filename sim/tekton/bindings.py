"""What a TaskRun gets of its PipelineRun's own settings: workspaces, pod template, metadata."""

import re
from collections.abc import Mapping
from posixpath import join, normpath
from typing import Any

from controller.ports import Document
from sim.tekton.attempt import Attempt
from sim.tekton.graph import Task
from sim.tekton.plan import context_values
from sim.tekton.substitution import param_values, substitute

_EMPTY: Document = {}
_BY_NAME = ("env", "volumes")
_PATH = re.compile(r"workspaces\.([^.]+)\.")


class Unbound(Exception):
    """A task asks for a workspace that the run does not bind; the text is Tekton's."""


def own_settings(spec: Document, task: str) -> Document:
    """The last entry of ``taskRunSpecs`` that names the task, as nothing names it twice."""
    found: Document = _EMPTY
    for one in spec.get("taskRunSpecs") or ():
        if one.get("pipelineTaskName") == task:
            found = one
    return found


def pod_template(own: Document | None, general: Document | None) -> Document | None:
    """``own`` laid over ``general``: field by field, environment and volumes by name."""
    if not own or not general:
        return own or general
    merged = {**general, **own}
    for key in _BY_NAME:
        if own.get(key) and general.get(key):
            names = {one["name"] for one in own[key]}
            merged[key] = [*(one for one in general[key] if one["name"] not in names), *own[key]]
    return merged


def workspaces(attempt: Attempt, task: Task, task_spec: Document | None) -> list[dict[str, Any]]:
    """The run's bindings under the task's names: those it asks for, and those that its steps use. Raises Unbound."""
    asked = list(task.spec.get("workspaces") or ())
    if task.template is not None and task.variables:
        names = {one["name"] for one in asked}
        used = {match[1] for name in task.variables if (match := _PATH.match(name))}
        asked += ({"name": name} for name in sorted(used - names))
    if not asked:
        return []
    spec = attempt.document["spec"]
    given = param_values(spec.get("params") or ())
    contexts = context_values((spec.get("pipelineRef") or _EMPTY).get("name", ""), attempt)
    bindings = {one["name"]: substitute(one, given) for one in spec.get("workspaces") or ()}
    chosen = []
    for one in asked:
        name = one.get("workspace") or one["name"]
        binding = bindings.get(name)
        if binding is not None:
            chosen.append(_bound(binding, one, contexts))
        elif not _is_optional(one["name"], task_spec):
            raise Unbound(f'expected workspace "{name}" to be provided by pipelinerun for pipeline task "{task.name}"')
    return chosen


def _bound(binding: Document, asked: Document, contexts: Mapping[str, Any]) -> dict[str, Any]:
    paths = [one["subPath"] for one in (binding, asked) if one.get("subPath")]
    bound = {**binding, "name": asked["name"]}
    if paths:
        path = normpath(join(*(one.lstrip("/") if index else one for index, one in enumerate(paths))))
        bound["subPath"] = substitute(path if len(paths) > 1 else paths[0], contexts)
    return bound


def _is_optional(name: str, task_spec: Document | None) -> bool:
    declared = (task_spec or _EMPTY).get("workspaces") or ()
    return any(one["name"] == name and one.get("optional") for one in declared)


def merged(preferred: Mapping[str, str] | None, *others: Mapping[str, str] | None) -> Mapping[str, str]:
    """Labels or annotations by precedence: the first that has a key gives its value."""
    answer = dict(preferred or {})
    for one in others:
        for key, value in (one or {}).items():
            answer.setdefault(key, value)
    return answer
