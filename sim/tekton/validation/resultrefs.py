"""References to results of tasks: ``tasks.t.results.r``, ``tasks.t.results.r[0]``, ``finally.t.results.r.key``."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from controller.ports import Document
from sim.tekton.validation.tasks import is_custom, merged_steps
from sim.tekton.validation.variables import expressions

_INDEX = re.compile(r"\[([0-9])*\*?\]")


@dataclass(frozen=True, slots=True)
class ResultRef:
    task: str
    result: str
    index: int | None = None
    key: str = ""


def looks_like_result(expression: str) -> bool:
    parts = expression.split(".")
    return len(parts) >= 4 and parts[0] in ("tasks", "finally") and parts[2] == "results"


def result_ref(expression: str) -> ResultRef | None:
    """None for what is no reference to a result."""
    parts = expression.split(".")
    if not looks_like_result(expression) or len(parts) > 5:
        return None
    if len(parts) == 5:
        return ResultRef(parts[1], parts[3], key=parts[4])
    found = _INDEX.search(parts[3])
    index = found[0].strip("[]") if found else ""
    return ResultRef(parts[1], _INDEX.sub("", parts[3]), int(index) if index.isdigit() else None)


def result_refs(found: Iterable[str]) -> list[ResultRef]:
    return [ref for one in found if (ref := result_ref(one)) is not None]


def value_texts(value: Any) -> list[str]:
    """The texts of a parameter's value, whichever type it has."""
    if isinstance(value, str):
        return [value]
    return list(value.values()) if isinstance(value, dict) else list(value or ())


def value_expressions(value: Any) -> list[str]:
    return [one for text in value_texts(value) for one in expressions(text)]


def when_expressions(when: Document) -> list[str]:
    texts = (when.get("input") or "", when.get("cel") or "", *(when.get("values") or ()))
    return [one for text in texts for one in expressions(text)]


def all_params(task: Document) -> list[Document]:
    """Parameters of a pipeline task: its own, those of its matrix and of the matrix's included combinations."""
    params = list(task.get("params") or ())
    matrix = task.get("matrix") or {}
    params += matrix.get("params") or ()
    for include in matrix.get("include") or ():
        params += include.get("params") or ()
    return params


def task_refs(task: Document) -> list[ResultRef]:
    """Results that a pipeline task refers to anywhere."""
    found: list[str] = []
    for param in all_params(task):
        found += value_expressions(param.get("value"))
    for when in task.get("when") or ():
        found += when_expressions(when)
    template = task.get("taskSpec") or {}
    steps = template.get("steps") or () if is_custom(task) else merged_steps(template)
    for container in (*steps, *(template.get("sidecars") or ())):
        for text in _container_texts(container):
            found += expressions(text)
    return result_refs(found)


def _container_texts(container: Document) -> Iterator[str]:
    for key in ("name", "image", "imagePullPolicy", "script", "workingDir"):
        yield container.get(key) or ""
    yield from container.get("command") or ()
    yield from container.get("args") or ()
    for variable in container.get("env") or ():
        yield variable.get("value") or ""
        source = variable.get("valueFrom") or {}
        for key in ("secretKeyRef", "configMapKeyRef"):
            yield (source.get(key) or {}).get("key") or ""
            yield (source.get(key) or {}).get("name") or ""
