"""What a pipeline demands of the PipelineRun that uses it, checked before anything is started."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from controller.ports import Document
from sim.tekton.goformat import listed, mapped
from sim.tekton.substitution import type_of

_USER = "[User error] "
_INDEXING = re.compile(r"""\$\(params(?:\.([_a-zA-Z0-9.-]+)|\[["']([_a-zA-Z0-9./-]+)["']\])\[([0-9]+)\]\)""")


class Unmet(NamedTuple):
    """Reason and message of the failure; ``cause`` is the part of the message that the Event of the error tells."""

    reason: str
    message: str
    cause: str


def unmet_demand(namespace: str, name: str, spec: Document, pipeline: str, pipeline_spec: Document) -> Unmet | None:
    """The first demand that the run does not meet, in Tekton's order and words."""
    who, whose = f"PipelineRun {namespace}/{name}", f"Pipeline {namespace}/{pipeline}"
    if pipeline_spec.get("params"):
        unmet = _unmet_params(who, whose, spec, pipeline_spec)
        if unmet is not None:
            return unmet
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


def _unmet_params(who: str, whose: str, spec: Document, pipeline_spec: Document) -> Unmet | None:
    declared, given = pipeline_spec["params"], spec.get("params") or ()
    names = {one["name"] for one in given}
    missing = [one["name"] for one in declared if one["name"] not in names and "default" not in one]
    if missing:
        text = f"pipelineRun missing parameters: {listed(missing)}"
        return Unmet("ParameterMissing", f"{_USER}{who} is missing some parameters required by {whose}: {text}", text)
    types = {one["name"]: one.get("type", "string") for one in declared}
    wrong = [one["name"] for one in given if types.get(one["name"], "") not in ("", type_of(one.get("value", "")))]
    if wrong:
        text = f"parameters have inconsistent types : {listed(wrong)}"
        message = f"{_USER}{who} parameters have mismatching types with {whose}'s parameters: {text}"
        return Unmet("ParameterTypeMismatch", message, text)
    keys = missing_keys(declared, given)
    if keys:
        text = f"pipelineRun missing object keys for parameters: {keys}"
        message = f"{_USER}{who} parameters is missing object keys required by {whose}'s parameters: {text}"
        return Unmet("ObjectParameterMissKeys", message, text)
    beyond = _beyond(declared, given, pipeline_spec)
    if beyond:
        text = f"non-existent param references:{listed(beyond)}"
        which = "parameter which has an invalid index while referring to an array"
        message = f"{_USER}{who} failed validation: failed to validate {whose}'s {which}: {text}"
        return Unmet("ParamArrayIndexingInvalid", message, text)
    return None


def missing_keys(declared: Iterable[Document], given: Iterable[Document]) -> str:
    """The keys of object parameters that have no value, as Go prints a map of lists; ``""`` when none is missing."""
    needed = {one["name"]: one.get("properties") or {} for one in declared if one.get("type") == "object"}
    provided: dict[str, set[str]] = {}
    defaults = ({"name": one["name"], "value": one.get("default")} for one in declared if one["name"] in needed)
    for one in (*defaults, *given):
        if one["name"] in needed and type_of(one.get("value", "")) == "object":
            provided.setdefault(one["name"], set()).update(one["value"])
    missing = {
        name: [key for key in sorted(needed[name]) if key not in provided[name]]
        for name in provided
        if any(key not in provided[name] for key in needed[name])
    }
    return mapped(missing) if missing else ""


def _beyond(declared: Iterable[Document], given: Iterable[Document], pipeline_spec: Document) -> list[str]:
    """The references to items that an array parameter does not have."""
    lengths: dict[str, int] = {}
    for one in (*({"name": one["name"], "value": one.get("default")} for one in declared), *given):
        if isinstance(one.get("value"), list):
            lengths[one["name"]] = len(one["value"])
    if not lengths:
        return []
    found = set()
    for text in _indexing_texts(pipeline_spec):
        for match in _INDEXING.finditer(text):
            length = lengths.get(match[1] or match[2])
            if length is not None and int(match[3]) >= length:
                found.add(match[0])
    return sorted(found)


def _indexing_texts(pipeline_spec: Document) -> Iterator[str]:
    for group in ("tasks", "finally"):
        for task in pipeline_spec.get(group) or ():
            fans = (task.get("matrix") or {}).get("params") or ()
            yield from _texts([one.get("value") for one in (*(task.get("params") or ()), *fans)])
            if group == "tasks":
                yield from _texts([one.get("subPath") for one in task.get("workspaces") or ()])
            yield from _texts([[one.get("input"), one.get("values")] for one in task.get("when") or ()])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
