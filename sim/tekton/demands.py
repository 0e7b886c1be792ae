"""What a pipeline demands of the PipelineRun that uses it, checked before anything is started."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from controller.ports import Document

_USER = "[User error] "


class Unmet(NamedTuple):
    """Reason and message of the failure; ``cause`` is the part of the message that the Event of the error tells."""

    reason: str
    message: str
    cause: str


def unmet_demand(namespace: str, name: str, spec: Document, pipeline: str, pipeline_spec: Document) -> Unmet | None:
    """The first demand that the run does not meet, in Tekton's order and words."""
    who, whose = f"PipelineRun {namespace}/{name}", f"Pipeline {namespace}/{pipeline}"
    declared = pipeline_spec.get("params") or ()
    given = {one["name"]: one.get("value") for one in spec.get("params") or ()}
    missing = [one["name"] for one in declared if one["name"] not in given and "default" not in one]
    if missing:
        text = f"pipelineRun missing parameters: [{' '.join(missing)}]"
        return Unmet("ParameterMissing", f"{_USER}{who} is missing some parameters required by {whose}: {text}", text)
    wrong = [one["name"] for one in declared if one["name"] in given and not _fits(one, given[one["name"]])]
    if wrong:
        text = f"parameters have inconsistent types : [{' '.join(wrong)}]"
        message = f"{_USER}{who} parameters have mismatching types with {whose}'s parameters: {text}"
        return Unmet("ParameterTypeMismatch", message, text)
    bound = {one["name"] for one in spec.get("workspaces") or ()}
    for one in pipeline_spec.get("workspaces") or ():
        if not one.get("optional") and one["name"] not in bound:
            text = f'pipeline requires workspace with name "{one["name"]}" be provided by pipelinerun'
            message = f"{_USER}{who} doesn't bind {whose}'s Workspaces correctly: {text}"
            return Unmet("InvalidWorkspaceBindings", message, text)
    own_settings = spec.get("taskRunSpecs")
    if not own_settings:
        return None
    tasks = {task["name"] for group in ("tasks", "finally") for task in pipeline_spec.get(group) or ()}
    for one in own_settings:
        if one.get("pipelineTaskName") not in tasks:
            wrong_name = one.get("pipelineTaskName", "")
            text = f'pipelineRun\'s taskrunSpecs defined wrong taskName: "{wrong_name}", does not exist in Pipeline'
            return Unmet("InvalidTaskRunSpecs", f"{_USER}{who} doesn't define taskRunSpecs correctly: {text}", text)
    return None


def _fits(declaration: Mapping[str, Any], value: Any) -> bool:
    kind = declaration.get("type", "string")
    return isinstance(value, {"array": list, "object": dict}.get(kind, str))
