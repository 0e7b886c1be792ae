"""Pipeline tasks that fan out over a matrix of parameters."""

from collections.abc import Iterable, Iterator, Sequence

from controller.ports import Document
from sim.tekton.validation.fielderrors import FieldError, both, generic, invalid_value, under
from sim.tekton.validation.params import Declared, item_errors, repeated_task_params, text_errors
from sim.tekton.validation.resultrefs import looks_like_result, result_refs, value_expressions

_MOST = 256
"""``default-max-matrix-combinations-count``."""


def is_matrixed(task: Document) -> bool:
    matrix = task.get("matrix") or {}
    return bool(matrix.get("params") or matrix.get("include"))


def matrix_errors(tasks: Sequence[Document]) -> Iterator[FieldError]:
    for index, task in enumerate(tasks):
        yield from under(_task_errors(task), f"[{index}]")
    yield from _consumed_errors(tasks)


def _task_errors(task: Document) -> Iterator[FieldError]:
    matrix = task.get("matrix") or {}
    params, includes = matrix.get("params") or [], matrix.get("include") or []
    count = _combinations(params, includes)
    if count > _MOST:
        yield generic(f"expected 0 <= {count} <= {_MOST}", "matrix")
    for index, include in enumerate(includes):
        yield from under(repeated_task_params(include.get("params") or ()), f"matrix.include[{index}].params")
    yield from under(repeated_task_params(params), "matrix.params")
    names = {param["name"] for group in (params, *(one.get("params") or () for one in includes)) for param in group}
    for param in task.get("params") or ():
        if param["name"] in names:
            yield both(f"matrix[{param['name']}]", f"params[{param['name']}]")


def _combinations(params: Sequence[Document], includes: Sequence[Document]) -> int:
    if not params:
        return len(includes)
    count, values = 1, {}
    for param in params:
        items = param.get("value") if isinstance(param.get("value"), list) else []
        values[param["name"]] = items
        count *= len(items or ()) or 1
    for include in includes:
        for param in include.get("params") or ():
            if param["name"] in values:
                if param.get("value") in (values[param["name"]] or ()):
                    break
                count += 1
    return count


def matrix_variables(matrix: Document, known: Declared) -> Iterator[FieldError]:
    """References to parameters in a matrix."""
    for include in matrix.get("include") or ():
        for index, param in enumerate(include.get("params") or ()):
            value = param.get("value")
            errors = text_errors(value if isinstance(value, str) else "", known)
            yield from under(under(errors, f"[{index}]"), "matrix.include.params", "")
    for param in matrix.get("params") or ():
        value = param.get("value")
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield from under(item_errors(item, known), "matrix.params", f"[{param['name']}]", f"value[{index}]")


def _consumed_errors(tasks: Sequence[Document]) -> Iterator[FieldError]:
    """Results of a matrixed task are strings and are consumed all at once. The last consumer's are looked at."""
    by_name = {task.get("name") or "": task for task in tasks}
    consumed: list[str] = []
    for task in tasks:
        for param in task.get("params") or ():
            found = value_expressions(param.get("value"))
            if not any(map(looks_like_result, found)):
                continue
            consumed = [one for one in found if looks_like_result(one)]
            consumed = [one for one in consumed if is_matrixed(by_name.get(one.split(".")[1], {}))]
            single = [one for one in consumed if not one.endswith("[*]")]
            if single:
                text = "A matrixed pipelineTask can only be consumed in aggregate using [*] notation, but is currently"
                yield from (generic(f"{text} set to {one}") for one in single)
                return
    for ref in result_refs(consumed):
        task = by_name.get(ref.task, {})
        if task.get("taskRef") is not None:
            task = by_name.get(task["taskRef"].get("name") or "", {})
        yield from _string_errors((task.get("taskSpec") or {}).get("results") or (), ref.result)


def _string_errors(results: Iterable[Document], name: str) -> Iterator[FieldError]:
    for result in results:
        if result["name"] == name and result.get("type") != "string":
            text = f"but result {name} has type {result.get('type') or ''} in pipelineTask"
            yield invalid_value(
                f"Matrixed PipelineTasks emitting results must have an underlying type string, {text}", ""
            )
