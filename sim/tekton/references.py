"""Where a pipeline task refers to results of others, in Tekton's order (``v1.PipelineTaskResultRefs``)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from controller.ports import Document

_EXPRESSION = re.compile(r"\$\(([_a-zA-Z0-9.-]+(?:\[(?:[0-9]+|\*)\])?)\)")
_INDEX = re.compile(r"\[([0-9]*|\*)\]")
_STEP_TEXTS = ("name", "image", "imagePullPolicy", "script", "workingDir")


class ResultReference(NamedTuple):
    """``item`` is the index of one in an array, or None; ``key`` that of a value of an object, or ``""``."""

    task: str
    result: str
    item: int | None
    key: str


def expressions(value: Any) -> Iterator[str]:
    """The variables of a parameter's value, without ``$()``: of a text, of the items of a list or of an object."""
    if isinstance(value, str):
        if "$(" in value:
            yield from _EXPRESSION.findall(value)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)


def result_reference(expression: str) -> ResultReference | None:
    """``tasks.t.results.r``, with an index or a key; None for any other variable."""
    parts = expression.split(".")
    if len(parts) not in (4, 5) or parts[0] not in ("tasks", "finally") or parts[2] != "results":
        return None
    if len(parts) == 5:
        return ResultReference(parts[1], parts[3], None, parts[4])
    found = _INDEX.search(parts[3])
    index = int(found[1]) if found is not None and found[1].isdigit() else None
    return ResultReference(parts[1], _INDEX.sub("", parts[3]), index, "")


def references_of(task: Document) -> tuple[tuple[ResultReference, ...], bool]:
    """The references of a pipeline task, and whether parameters or ``when`` have some: a task is not skipped for want
    of a result that only its steps use."""
    matrix = task.get("matrix") or {}
    included = (param for one in matrix.get("include") or () for param in one.get("params") or ())
    params = tuple(_references(one.get("value") for one in task.get("params") or ()))
    fans = tuple(_references(one.get("value") for one in (*(matrix.get("params") or ()), *included)))
    when = tuple(_references(text for one in task.get("when") or () for text in (one.get("input"), one.get("values"))))
    template = task.get("taskSpec") or {}
    containers = (one for group in ("steps", "sidecars") for one in template.get(group) or ())
    steps = tuple(_references(text for one in containers if isinstance(one, dict) for text in _container_texts(one)))
    return tuple(dict.fromkeys((*params, *fans, *when, *steps))), bool(params or when)


def _references(values: Iterable[Any]) -> Iterator[ResultReference]:
    for value in values:
        for expression in expressions(value):
            reference = result_reference(expression)
            if reference is not None:
                yield reference


def _container_texts(container: Document) -> Iterator[Any]:
    yield from (container.get(key) for key in _STEP_TEXTS)
    yield container.get("command")
    yield container.get("args")
    yield [one.get("value") for one in container.get("env") or () if isinstance(one, dict)]
