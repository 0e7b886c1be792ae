"""A Task's spec, on its own or embedded."""

from collections.abc import Iterator, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.validation.fielderrors import FieldError, both, generic, missing, under
from sim.tekton.validation.params import type_errors
from sim.tekton.validation.results import step_result_errors, task_result_errors
from sim.tekton.validation.steps import clean_path, sidecar_errors, step_errors
from sim.tekton.validation.stepvariables import parameter_variables, unknown_variables
from sim.tekton.validation.variables import refers, unknown
from sim.tekton.validation.when import when_errors
from sim.tekton.version import WebhookChecks


def is_custom(task: Document) -> bool:
    """Whether somebody else than Tekton carries a task out."""
    given = (task.get("taskRef"), task.get("taskSpec"))
    return any(
        one is not None and (one.get("kind") not in (None, "", "Task") or bool(one.get("apiVersion"))) for one in given
    )


def raw_steps(spec: Document) -> list[Document]:
    return list(spec.get("steps") or ())


def merged_steps(spec: Document) -> list[Document]:
    """The steps with what the step template adds to them."""
    steps = raw_steps(spec)
    template = spec.get("stepTemplate")
    if not template:
        return steps
    return [step if step.get("ref") is not None else _merged(template, step) for step in steps]


def _merged(template: Document, step: Document) -> Document:
    merged: dict[str, Any] = {**template, **step}
    for key, by in (("env", "name"), ("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")):
        added = {one.get(by): one for one in template.get(key) or ()}
        own = [{**added.pop(one.get(by), {}), **one} for one in step.get(key) or ()]
        if own or added:
            merged[key] = [*own, *added.values()]
    return merged


def task_errors(spec: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    steps, params = merged_steps(spec), spec.get("params") or []
    results = spec.get("results") or []
    if not steps:
        yield missing("steps")
    yield from under(_volume_errors(spec), "volumes")
    yield from under(_workspace_errors(spec), "workspaces")
    yield from _workspace_usage(spec)
    yield from under(_step_errors(steps, checks), "steps")
    for sidecar in spec.get("sidecars") or ():
        yield from under(sidecar_errors(sidecar), "sidecars")
    yield from under(type_errors(params), "params")
    yield from parameter_variables(steps, params)
    if refers(steps):
        yield from unknown_variables(steps, r"context\.taskRun", ("name", "namespace", "uid"))
        yield from unknown_variables(steps, r"context\.task", ("name", "retry-count"))
        names = {result["name"] for result in results}
        for index, step in enumerate(steps):
            yield from under(unknown(step.get("script") or "", "results", names), f"steps[{index}]", "script")
    for index, result in enumerate(results):
        yield from under(task_result_errors(result), "results", f"[{index}]")


def _step_errors(steps: Sequence[Document], checks: WebhookChecks) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, step in enumerate(steps):
        place, name = f"[{index}]", step.get("name") or ""
        if name and name in seen:
            yield from under((both("name"),), place)
        seen.add(name)
        yield from under(step_errors(step, checks), place)
        results = step.get("results") or []
        if results:
            names, script = {result["name"] for result in results}, step.get("script") or ""
            for prefix in ("step.results",) if checks.step_results_apart else ("step.results", "results"):
                yield from under(unknown(script, prefix, names), place, "script")
            for at, result in enumerate(results):
                yield from under(step_result_errors(result), "results", place, f"[{at}]")
        yield from under(when_errors(step.get("when") or ()), place, "when")


def _volume_errors(spec: Document) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        name = volume.get("name") or ""
        if name in seen:
            yield from under((generic(f'multiple volumes with same name "{name}"', "name"),), f"[{index}]")
        seen.add(name)


def _workspace_errors(spec: Document) -> Iterator[FieldError]:
    mounting = [*(spec.get("steps") or ()), spec.get("stepTemplate") or {}]
    taken = {clean_path(one.get("mountPath") or "") for holder in mounting for one in holder.get("volumeMounts") or ()}
    seen: set[str] = set()
    for index, workspace in enumerate(spec.get("workspaces") or ()):
        name = workspace["name"]
        if name in seen:
            yield from under((generic(f'workspace name "{name}" must be unique', "name"),), f"[{index}]")
        seen.add(name)
        path = clean_path(workspace.get("mountPath") or f"/workspace/{name}")
        if path in taken:
            text = f'workspace mount path "{path}" must be unique'
            yield from under((generic(text, "mountpath"),), f"[{index}]")
        taken.add(path)


def _workspace_usage(spec: Document) -> Iterator[FieldError]:
    names = {workspace["name"] for workspace in spec.get("workspaces") or ()}
    for group in ("steps", "sidecars"):
        for at, user in enumerate(spec.get(group) or ()):
            for index, workspace in enumerate(user.get("workspaces") or ()):
                name = workspace["name"]
                if name not in names:
                    error = generic(f'undefined workspace "{name}"', "name")
                    yield from under((error,), f"{group}[{at}]", f"workspaces[{index}]")
