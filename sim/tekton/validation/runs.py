"""Specs of PipelineRuns and TaskRuns."""

from collections.abc import Iterable, Iterator
from typing import Any

from controller.ports import Document
from sim.tekton.goformat import listed, quoted
from sim.tekton.gotypes.durations import format_ns, parse_ns
from sim.tekton.validation.bindings import binding_errors
from sim.tekton.validation.fielderrors import FieldError, both, gated, generic, invalid_value, missing, neither, under
from sim.tekton.validation.params import repeated, repeated_params
from sim.tekton.validation.references import reference_errors
from sim.tekton.validation.resultrefs import looks_like_result, result_refs, value_expressions
from sim.tekton.version import WebhookChecks

_DEMANDS = ("", "Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")
_DEMAND_WORDS = "Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending"


def pipeline_run_errors(spec: Document, default_ns: int, checks: WebhookChecks) -> Iterator[FieldError]:
    """Apart from the embedded pipeline. ``default_ns`` is the pipeline timeout where none is given."""
    yield from _either(spec, "pipelineRef", "pipelineSpec")
    if spec.get("pipelineRef") is not None:
        yield from under(reference_errors(spec["pipelineRef"], checks), "pipelineRef")
    params = spec.get("params") or ()
    yield from under(repeated_params(params), "params")
    for param in params:
        found = [one for one in value_expressions(param.get("value")) if looks_like_result(one)]
        if result_refs(found):
            text = f"cannot use result expressions in {listed(found)} as PipelineRun parameter values"
            yield from under((invalid_value(text, "value"),), "params", f"[{param['name']}]")
    timeouts = spec.get("timeouts")
    if timeouts:
        yield from under(_timeout_errors(timeouts), "timeouts")
    for index, one in enumerate(spec.get("taskRunSpecs") or ()):
        yield from under(_task_run_spec_errors(one, timeouts or {}, default_ns), f"taskRunSpecs[{index}]")
    demand = spec.get("status") or ""
    if demand not in _DEMANDS:
        yield invalid_value(f"{demand} should be {_DEMAND_WORDS}", "status")
    seen: dict[str, int] = {}
    for index, binding in enumerate(spec.get("workspaces") or ()):
        place, name = f"workspaces[{index}]", binding["name"]
        yield from under(binding_errors(binding), place)
        if name in seen:
            where = f"at index {seen[name]} and {index}"
            text = f"workspace {quoted(name)} provided by pipelinerun more than once, {where}"
            yield from under((generic(text, "name"),), place)
        seen[name] = index


def task_run_errors(spec: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    """Apart from the embedded task."""
    yield from _either(spec, "taskRef", "taskSpec")
    if spec.get("taskRef") is not None:
        yield from under(reference_errors(spec["taskRef"], checks), "taskRef")
    yield from under(repeated_params(spec.get("params") or ()), "params")
    bindings = spec.get("workspaces") or ()
    for index, binding in enumerate(bindings):
        yield from under(binding_errors(binding), f"workspaces[{index}]")
    yield from _repeated_names(bindings, "workspaces")
    if spec.get("debug") is not None:
        yield gated("debug")
        yield from under(_debug_errors(spec["debug"]), "debug")
    yield from _override_errors(spec)
    demand, words = spec.get("status") or "", "TaskRunCancelled"
    allowed = ["", "TaskRunCancelled"]
    if checks.task_run_pending:
        allowed.append("TaskRunPending")
        words = "TaskRunCancelled or TaskRunPending"
    if demand not in allowed:
        yield invalid_value(f"{demand} should be {words}", "status")
    message = spec.get("statusMessage")
    if not demand and message:
        text = f"statusMessage should not be set if status is not set, but it is currently set to {message}"
        yield invalid_value(text, "statusMessage")
    if (spec.get("retries") or 0) < 0:
        yield invalid_value(f"{spec['retries']} should be >= 0", "retries")
    if spec.get("timeout") and parse_ns(spec["timeout"]) < 0:
        yield invalid_value(f"{spec['timeout']} should be >= 0", "timeout")


def _either(spec: Document, one: str, other: str) -> Iterator[FieldError]:
    given = (spec.get(one) is not None) + (spec.get(other) is not None)
    if given != 1:
        yield both(one, other) if given else neither(one, other)


def _timeout_errors(timeouts: Document) -> Iterator[FieldError]:
    limits = {key: parse_ns(timeouts[key]) for key in ("tasks", "finally", "pipeline") if key in timeouts}
    for key, limit_ns in limits.items():
        if limit_ns < 0:
            yield invalid_value(f"{format_ns(limit_ns)} should be >= 0", key)
    whole_ns = limits.get("pipeline", 0)
    words = "should be <= pipeline duration"
    for key in ("tasks", "finally"):
        if key not in limits or not whole_ns:
            continue
        limit_ns = limits[key]
        if limit_ns == 0:
            yield invalid_value(f"0s (no timeout) {words}", key)
        elif limit_ns > whole_ns:
            yield invalid_value(f"{format_ns(limit_ns)} {words}", key)
    if "tasks" in limits and "finally" in limits and limits["tasks"] + limits["finally"] > whole_ns:
        text = f"{format_ns(limits['tasks'])} + {format_ns(limits['finally'])} {words}"
        yield invalid_value(text, "tasks")
        yield invalid_value(text, "finally")


def _task_run_spec_errors(spec: Document, timeouts: Document, default_ns: int) -> Iterator[FieldError]:
    yield from _override_errors(spec)
    own = spec.get("timeout")
    if own is None:
        return
    own_ns = parse_ns(own)
    if own_ns < 0:
        yield invalid_value(f"{own} should be >= 0", "timeout")
        return
    limit_ns, source = default_ns, "default pipeline duration"
    for key, words in (("tasks", "pipeline tasks duration"), ("pipeline", "pipeline duration")):
        if key in timeouts:
            limit_ns, source = parse_ns(timeouts[key]), words
            break
    if limit_ns < 0:
        yield invalid_value(f"{format_ns(limit_ns)} should be >= 0", "timeout")
    elif limit_ns and own_ns > limit_ns:
        yield invalid_value(f"{own} should be <= {source} {format_ns(limit_ns)}", "timeout")


def _override_errors(spec: Document) -> Iterator[FieldError]:
    """Resources for single steps and sidecars, and for the whole pod."""
    if "stepSpecs" not in spec and "sidecarSpecs" not in spec:
        return
    for group in ("stepSpecs", "sidecarSpecs"):
        overrides = spec.get(group) or ()
        for index, one in enumerate(overrides):
            if not one.get("name"):
                yield from under((missing("name"),), f"{group}[{index}]")
        yield from _repeated_names([one for one in overrides if one.get("name")], group)
    overridden = any(one.get("computeResources") for one in spec.get("stepSpecs") or ())
    if overridden and spec.get("computeResources") is not None:
        yield both("stepSpecs.resources", "computeResources")


def _repeated_names(items: Iterable[Document], group: str) -> Iterator[FieldError]:
    for index, _ in repeated(item.get("name") or "" for item in items):
        yield from under((both("name"),), f"{group}[{index}]")


def _debug_errors(debug: dict[str, Any]) -> Iterator[FieldError]:
    points = debug.get("breakpoints")
    if points is None:
        return
    on_failure = points.get("onFailure") or ""
    if not on_failure:
        text = "onFailure breakpoint is empty, it is only allowed to be set as enabled"
        yield invalid_value(text, "breakpoints.onFailure")
    elif on_failure != "enabled":
        text = f"{on_failure} is not a valid onFailure breakpoint value, onFailure breakpoint is only allowed to be set"
        yield invalid_value(f"{text} as enabled", "breakpoints.onFailure")
    seen: set[str] = set()
    for index, step in enumerate(points.get("beforeSteps") or ()):
        if step in seen:
            text = f"before step must be unique, the same step: {step} is defined multiple times at"
            yield generic(text, f"breakpoints.beforeSteps[{index}]")
        seen.add(step)
