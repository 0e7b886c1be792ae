"""What the parameters and conditions of pipeline tasks may refer to: statuses and results of other tasks."""

from collections.abc import Iterable, Iterator, Sequence

from controller.ports import Document
from sim.tekton.goformat import quoted
from sim.tekton.validation.fielderrors import FieldError, invalid_value, under
from sim.tekton.validation.matrix import is_matrixed
from sim.tekton.validation.resultrefs import (
    looks_like_result,
    result_refs,
    task_refs,
    value_expressions,
    when_expressions,
)
from sim.tekton.validation.variables import bad_prefixes

_NO_STATUS = "pipeline tasks can not refer to execution status of any other pipeline task or aggregate status of tasks"
_NO_RESULTS = (
    "is not supported: referenced task uses pipelineRef or pipelineSpec and result propagation from child Pipelines "
    "is not yet implemented"
)


def _places(task: Document) -> Iterator[tuple[list[str], str, tuple[str, ...]]]:
    """Expressions, the field they are in, and its place within the task."""
    for param in task.get("params") or ():
        yield value_expressions(param.get("value")), "value", ("params", f"[{param['name']}]")
    for index, when in enumerate(task.get("when") or ()):
        yield when_expressions(when), "", (f"when[{index}]",)


def _is_status(expression: str) -> bool:
    return expression.startswith("tasks.") and expression.endswith((".status", ".reason"))


def status_errors(tasks: Iterable[Document], finals: Iterable[Document]) -> Iterator[FieldError]:
    """Statuses of tasks are for final tasks only."""
    for index, task in enumerate(tasks):
        for found, field, place in _places(task):
            if not any(map(looks_like_result, found)) and any(map(_is_status, found)):
                yield from under((invalid_value(_NO_STATUS, field),), f"tasks[{index}]", *place)
    names = {task.get("name") or "" for task in tasks}
    for index, task in enumerate(finals):
        for found, field, place in _places(task):
            if any(map(looks_like_result, found)):
                continue
            for one in filter(_is_status, found):
                name = one.removeprefix("tasks.").removesuffix(".status").removesuffix(".reason")
                if one != "tasks.status" and name not in names:
                    text = f"pipeline task {name} is not defined in the pipeline"
                    yield from under((invalid_value(text, field),), f"finally[{index}]", *place)


def final_task_errors(tasks: Iterable[Document], finals: Sequence[Document]) -> Iterator[FieldError]:
    for index, task in enumerate(finals):
        if task.get("runAfter"):
            text = f"no runAfter allowed under spec.finally, final task {task.get('name') or ''} has runAfter specified"
            yield invalid_value(text, f"finally[{index}]")
    names = {task.get("name") or "" for task in tasks}
    final_names = {task.get("name") or "" for task in finals}
    words = "invalid task result reference, final task has task result reference from a"
    for index, task in enumerate(finals):
        for found, field, place in _places(task):
            for ref in result_refs(found):
                if ref.task in final_names:
                    text = f"{words} final task {ref.task}"
                elif ref.task not in names:
                    text = f"{words} task {ref.task} which is not defined in the pipeline"
                else:
                    continue
                yield from under((invalid_value(text, field),), f"finally[{index}]", *place)


def nested_result_errors(tasks: Sequence[Document], finals: Sequence[Document]) -> Iterator[FieldError]:
    """A pipeline as a task has no results yet."""
    nested = {
        task.get("name") or ""
        for task in tasks
        if task.get("pipelineRef") is not None or task.get("pipelineSpec") is not None
    }
    if not nested:
        return
    for group, members in (("tasks", tasks), ("finally", finals)):
        for index, task in enumerate(members):
            for ref in task_refs(task):
                if ref.task in nested:
                    text = f"result reference to pipelineTask {quoted(ref.task)} {_NO_RESULTS}"
                    yield invalid_value(text, f"{group}[{index}]")


def prefix_errors(tasks: Iterable[Document], group: str) -> Iterator[FieldError]:
    """References that begin with nothing Tekton knows."""
    for index, task in enumerate(tasks):
        at = f"{group}[{index}]"
        for found, field, place in _places(task):
            yield from bad_prefixes(found, field, at, *place)
        if not is_matrixed(task):
            continue
        matrix = task["matrix"]
        for param in matrix.get("params") or ():
            found = value_expressions(param.get("value"))
            yield from bad_prefixes(found, "value", at, "matrix.params", f"[{param['name']}]")
        for number, include in enumerate(matrix.get("include") or ()):
            for param in include.get("params") or ():
                found = value_expressions(param.get("value"))
                place = (f"matrix.include[{number}]", "params", f"[{param['name']}]")
                yield from bad_prefixes(found, "value", at, *place)
