"""Parameters of runs with embedded specs: what the run gives is known to every step without declaration."""

from collections.abc import Iterable, Iterator
from typing import Any

from controller.ports import Document
from sim.tekton.validation.fielderrors import FieldError, missing
from sim.tekton.validation.params import type_errors, type_of
from sim.tekton.validation.pipelines import declaration_errors, task_parameter_usage
from sim.tekton.validation.stepvariables import parameter_usage, parameter_variables
from sim.tekton.validation.tasks import is_custom, merged_steps, raw_steps

_Specs = dict[str, dict[str, Any]]


def task_run_inline(spec: Document) -> Iterator[FieldError]:
    template = spec.get("taskSpec")
    if template is None:
        return
    known = _given(spec.get("params") or ())
    yield from _declare(known, template.get("params") or ())
    if template.get("steps"):
        yield from _step_errors(merged_steps(template), list(known.values()))


def pipeline_run_inline(spec: Document) -> Iterator[FieldError]:
    pipeline = spec.get("pipelineSpec")
    if pipeline is None:
        return
    known = _given(spec.get("params") or ())
    yield from _declare(known, pipeline.get("params") or ())
    tasks = pipeline.get("tasks") or []
    for task in tasks:
        _extend(known, task.get("params") or ())
        yield from _declare(known, (task.get("taskSpec") or {}).get("params") or ())
    if not tasks:
        return
    specs = list(known.values())
    for task in tasks:
        template = task.get("taskSpec")
        if template is not None and template.get("steps"):
            yield from _step_errors(raw_steps(template) if is_custom(task) else merged_steps(template), specs)
    yield from declaration_errors(tasks, specs)
    yield from task_parameter_usage(tasks, specs)


def _step_errors(steps: list[Document], specs: list[dict[str, Any]]) -> Iterator[FieldError]:
    yield from type_errors(specs)
    yield from parameter_variables(steps, specs)
    yield from parameter_usage(steps, specs)


def _given(params: Iterable[Document]) -> _Specs:
    return {param["name"]: _declaration(param) for param in params}


def _declaration(param: Document) -> dict[str, Any]:
    value = param.get("value")
    spec: dict[str, Any] = {"name": param["name"], "default": value, "type": type_of(value)}
    if isinstance(value, dict):
        spec["properties"] = {key: {"type": "string"} for key in value}
    return spec


def _declare(known: _Specs, specs: Iterable[Document]) -> Iterator[FieldError]:
    """Add declarations to what the run gives; an object must be declared with all its properties."""
    for spec in specs:
        name = spec["name"]
        given = known.get(name)
        if given is None:
            known[name] = dict(spec)
            continue
        default, properties = spec.get("default"), spec.get("properties")
        if properties is None and (isinstance(default, dict) or given.get("type") == "object"):
            yield missing(f"{name}.properties")
        elif given.get("type") == "object":
            given = {**given, "properties": properties}
        known[name] = given


def _extend(known: _Specs, params: Iterable[Document]) -> None:
    for param in params:
        name, value = param["name"], param.get("value")
        if name not in known:
            known[name] = _declaration(param)
        elif isinstance(value, dict) and value:
            properties = {**(known[name].get("properties") or {}), **{key: {"type": "string"} for key in value}}
            known[name] = {**known[name], "properties": properties}
