"""A Pipeline's spec, on its own or embedded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from controller.ports import Document
from sim.tekton.goformat import quoted
from sim.tekton.validation.fielderrors import FieldError, generic, invalid_value, under
from sim.tekton.validation.graph import graph_problem
from sim.tekton.validation.matrix import matrix_errors, matrix_variables
from sim.tekton.validation.params import (
    declared,
    enum_errors,
    repeated_specs,
    repeated_task_params,
    type_errors,
    value_errors,
)
from sim.tekton.validation.pipelineresults import pipeline_result_errors
from sim.tekton.validation.pipelinetasks import pipeline_task_errors
from sim.tekton.validation.resultrefs import all_params, value_texts
from sim.tekton.validation.steps import NO_ARTIFACTS, TASK_ARTIFACT
from sim.tekton.validation.stepvariables import parameter_usage
from sim.tekton.validation.tasks import is_custom, merged_steps, raw_steps
from sim.tekton.validation.taskvalues import (
    final_task_errors,
    nested_result_errors,
    prefix_errors,
    status_errors,
)
from sim.tekton.validation.variables import unknown
from sim.tekton.validation.when import when_errors, when_variables
from sim.tekton.version import WebhookChecks

_GROUPS = ("tasks", "finally")
_NOTHING = generic("expected at least one, got none", "description", "params", "resources", "tasks", "workspaces")


def pipeline_errors(spec: Document, checks: WebhookChecks) -> Iterator[FieldError]:
    tasks, finals = spec.get("tasks") or [], spec.get("finally") or []
    groups = (("tasks", tasks), ("finally", finals))
    params, seen = spec.get("params") or [], set[str]()
    if not spec:
        yield _NOTHING
    for group, members in groups:
        yield from pipeline_task_errors(members, group, seen, checks, pipeline_errors)
    problem = graph_problem(tasks)
    if problem:
        yield invalid_value(problem, "tasks")
    for group, members in groups:
        yield from under(declaration_errors(members, params), group)
        yield from under(_context_errors(members), group)
    yield from status_errors(tasks, finals)
    yield from _workspace_errors(spec.get("workspaces") or ())
    yield from pipeline_result_errors(spec.get("results") or (), tasks, finals)
    if checks.nested_results_refused:
        yield from nested_result_errors(tasks, finals)
    if finals and not tasks:
        yield invalid_value(f"spec.tasks is empty but spec.finally has {len(finals)} tasks", "finally")
    yield from final_task_errors(tasks, finals)
    for group, members in groups:
        for index, task in enumerate(members):
            yield from under(when_errors(task.get("when") or ()), f"{group}[{index}]", "when")
    yield from _artifact_errors(groups)
    for group, members in groups:
        yield from under(matrix_errors(members), group)
        if checks.variable_prefixes:
            yield from prefix_errors(members, group)


def stand_alone_errors(spec: Document) -> Iterator[FieldError]:
    """What a Pipeline of its own must declare; an embedded one gets it from the run."""
    params = spec.get("params") or []
    for group in _GROUPS:
        for index, task in enumerate(spec.get(group) or ()):
            template = task.get("taskSpec")
            if template is not None:
                steps = raw_steps(template) if is_custom(task) else merged_steps(template)
                specs = [*(template.get("params") or ()), *params]
                yield from under(parameter_usage(steps, specs), f"{group}[{index}]")
    for group in _GROUPS:
        yield from under(task_parameter_usage(spec.get(group) or (), params), group)
    names = {workspace["name"] for workspace in spec.get("workspaces") or ()}
    for group in _GROUPS:
        for index, task in enumerate(spec.get(group) or ()):
            yield from under(_workspace_usage(task, names), f"{group}[{index}]")


def declaration_errors(tasks: Iterable[Document], params: Sequence[Document]) -> Iterator[FieldError]:
    """Declared parameters, and parameters that a task gets twice."""
    yield from under(type_errors(params), "params")
    yield from repeated_specs(params)
    yield from under(enum_errors(params), "params")
    for index, task in enumerate(tasks):
        yield from under(repeated_task_params(task.get("params") or ()), f"[{index}]", "params")


def task_parameter_usage(tasks: Iterable[Document], params: Iterable[Document]) -> Iterator[FieldError]:
    """Whether tasks refer to declared parameters only, and as their types allow."""
    known = declared(params)
    known = replace(known, keys={name: keys for name, keys in known.keys.items() if keys})
    for index, task in enumerate(tasks):
        place, given = f"[{index}]", task.get("params") or ()
        yield from under(value_errors(given, known), place)
        if task.get("matrix"):
            yield from under(matrix_variables(task["matrix"], known), place)
        yield from under(when_variables(task.get("when") or (), known), place)
        yield from under(repeated_task_params(given), place, "params")


def _context_errors(tasks: Sequence[Document]) -> Iterator[FieldError]:
    """Only the last task's parameters are looked at: so does Tekton."""
    if not tasks:
        return
    texts = [text for param in all_params(tasks[-1]) for text in value_texts(param.get("value")) if "$(" in text]
    for prefix, names in (
        (r"context\.pipelineRun", ("name", "namespace", "uid")),
        (r"context\.pipeline", ("name",)),
        (r"context\.pipelineTask", ("retries",)),
    ):
        for text in texts:
            yield from under(unknown(text, prefix, names), "value")


def _workspace_errors(workspaces: Iterable[Document]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, workspace in enumerate(workspaces):
        name, place = workspace["name"], f"workspaces[{index}]"
        if not name:
            yield invalid_value(f"workspace {index} has empty name", place)
        if name in seen:
            yield invalid_value(f"workspace with name {quoted(name)} appears more than once", place)
        seen.add(name)


def _workspace_usage(task: Document, names: set[str]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, binding in enumerate(task.get("workspaces") or ()):
        name, place = binding["name"], f"workspaces[{index}]"
        if name in seen:
            yield generic(f"workspace name {quoted(name)} must be unique", place)
        wanted = binding.get("workspace") or name
        if wanted not in names:
            who = f"pipeline task {quoted(task.get('name') or '')}"
            text = f"{who} expects workspace with name {quoted(wanted)} but none exists in pipeline spec"
            yield invalid_value(text, place)
        seen.add(name)


def _artifact_errors(groups: Iterable[tuple[str, Sequence[Document]]]) -> Iterator[FieldError]:
    for group, tasks in groups:
        for index, task in enumerate(tasks):
            for param in task.get("params") or ():
                if any("$(" in text and TASK_ARTIFACT.search(text) for text in value_texts(param.get("value"))):
                    yield generic(NO_ARTIFACTS, f"{group}[{index}].params")
                    return
