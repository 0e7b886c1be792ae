"""Results that a pipeline makes from those of its tasks."""

from collections.abc import Iterable, Iterator

from controller.ports import Document
from sim.tekton.goformat import listed
from sim.tekton.validation.fielderrors import FieldError, invalid_value, under
from sim.tekton.validation.resultrefs import looks_like_result, result_ref, result_refs, value_expressions

_NONE = "expected pipeline results to be task result expressions but no expressions were found"
_WRONG = "expected pipeline results to be task result expressions but an invalid expressions was found"


def pipeline_result_errors(
    results: Iterable[Document], tasks: Iterable[Document], finals: Iterable[Document]
) -> Iterator[FieldError]:
    names = {task.get("name") or "" for task in tasks}
    final_names = {task.get("name") or "" for task in finals}
    for index, result in enumerate(results):
        yield from under(_errors(result.get("value"), names, final_names), f"results[{index}]")


def _errors(value: object, names: set[str], final_names: set[str]) -> Iterator[FieldError]:
    found = value_expressions(value)
    if not found:
        yield invalid_value(_NONE, "value")
    alike = [one for one in found if looks_like_result(one)]
    if not alike:
        yield invalid_value(_WRONG, "value")
    refs = result_refs(alike)
    if len(refs) != len(alike):
        pointers = listed("0xc000000000" for _ in refs)  # Go prints addresses here
        text = f"expected all of the expressions {listed(alike)} to be result expressions but only {pointers} were"
        yield invalid_value(text, "value")
    if not _known(value if isinstance(value, str) else "", names, final_names):
        yield invalid_value("referencing a nonexistent task", "value")


def _known(text: str, names: set[str], final_names: set[str]) -> bool:
    """Whether every piece of a text between dollar signs refers to a task there is."""
    for piece in text.split("$"):
        if not piece:
            continue
        expression = f"${piece}".removeprefix("$(").removesuffix(")")
        ref = result_ref(expression)
        if ref is None:
            return False
        if expression.startswith("tasks") and ref.task not in names:
            return False
        if expression.startswith("finally") and ref.task not in final_names:
            return False
    return True
