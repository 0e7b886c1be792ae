"""Conditions under which a pipeline task or a step runs."""

from collections.abc import Iterable, Iterator

from controller.ports import Document
from sim.tekton.goformat import quoted
from sim.tekton.validation.fielderrors import FieldError, generic, invalid_value, missing, under
from sim.tekton.validation.params import Declared, item_errors, text_errors

_NO_CEL = "feature flag enable-cel-in-whenexpression should be set to true to use CEL: {} in WhenExpression"


def when_errors(whens: Iterable[Document]) -> Iterator[FieldError]:
    for index, when in enumerate(whens):
        yield from under(_errors(when), f"[{index}]")


def _errors(when: Document) -> Iterator[FieldError]:
    if when.get("cel"):
        yield generic(_NO_CEL.format(when["cel"]), "")
    elif not when:
        yield missing("")
    elif when.get("operator") not in ("in", "notin"):
        operator = quoted(when.get("operator") or "")
        yield invalid_value(f"operator {operator} is not recognized. valid operators: in,notin", "")
    elif not when.get("values"):
        yield invalid_value("expecting non-empty values field", "")


def when_variables(whens: Iterable[Document], known: Declared) -> Iterator[FieldError]:
    """References to parameters in conditions."""
    for index, when in enumerate(whens):
        place = f"when[{index}]"
        yield from under(text_errors(when.get("input") or "", known), place, "input")
        for text in when.get("values") or ():
            name = text.removeprefix("$(params.").removesuffix("[*])")
            judge = item_errors if name in known.arrays else text_errors
            yield from under(judge(text, known), place, "values")
