"""Declarations of results, of tasks and of steps."""

import re
from collections.abc import Iterator

from controller.ports import Document
from sim.apiserver.names import label
from sim.tekton.goformat import listed, quoted
from sim.tekton.validation.fielderrors import FieldError, invalid_value, missing
from sim.tekton.validation.params import type_of

_FORMAT = r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"
_NAME = re.compile(_FORMAT[1:-1])
_ALPHABET = (
    "must consist of alphanumeric characters, '-', '_', and must start and end with an alphanumeric character (e.g. "
    f"'MyName',  or 'my-name',  or 'my_name', regex used for validation is '{_FORMAT}')"
)
_STEP_RESULT = re.compile(r"\$\(steps\.(.*?)\.results\.(.*?)\)")
_FORM = "$(steps.<stepName>.results.<resultName>)"
_LABEL_HELP = (
    f"stepName in {_FORM} must be a valid DNS Label, For more info refer to "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"
)


def task_result_errors(result: Document) -> Iterator[FieldError]:
    name, kind = result["name"], result.get("type") or ""
    if not _NAME.fullmatch(name):
        yield _bad_name(name)
        return
    if kind == "object":
        yield from _object_errors(result, "The")
    elif kind not in ("", "array", "string"):
        yield invalid_value(kind, "type", "type must be string")
    value = result.get("value")
    if value is not None:
        yield from _value_errors(name, value)


def step_result_errors(result: Document) -> Iterator[FieldError]:
    name, kind = result["name"], result.get("type") or ""
    if not _NAME.fullmatch(name):
        yield _bad_name(name)
    elif kind == "object":
        yield from _object_errors(result, "the")
    elif kind not in ("", "array", "string"):
        yield invalid_value(kind, "type", f"invalid type {kind}")


def _bad_name(name: str) -> FieldError:
    return FieldError(f"invalid key name {quoted(name)}", ("name",), f"Name {_ALPHABET}")


def _object_errors(result: Document, article: str) -> Iterator[FieldError]:
    path, properties = f"{result['name']}.properties", result.get("properties")
    if properties is None:
        yield missing(path)
        return
    wrong = [key for key, one in properties.items() if one.get("type") != "string"]
    if wrong:
        text = f"{article} value type specified for these keys {listed(wrong)} is invalid, the type must be string"
        yield FieldError(text, (path,))


def _value_errors(name: str, value: object) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield FieldError(f'Invalid Type. Wanted string but got: "{type_of(value)}"', (f"{name}.type",))
        return
    if not value:
        return
    path = (f"{name}.value",)
    found = _STEP_RESULT.search(value)
    if found is None:
        text = f'Could not extract step name and result name. Expected value to look like {_FORM} but got "{value}"'
        yield FieldError(text, path)
        return
    if label(found[1]):
        yield FieldError(f"invalid extracted step name {quoted(found[1])}", path, _LABEL_HELP)
    if not _NAME.fullmatch(found[2]):
        text = f"invalid extracted result name {quoted(found[2])}"
        yield FieldError(text, path, f"resultName in {_FORM} {_ALPHABET}")
